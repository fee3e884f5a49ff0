// dcr-broker providers create.
import { commandLine } from '../../administration/operator.ts'
import { UsageError, type Command } from '../command.ts'
import { guidOption, jsonOption, requiredOption, soleArgument, textOption } from '../option-values.ts'
import { providerDocument } from '../provider-document.ts'
import { credentialOption, credentialOptions, labelsOption, placeOptions } from '../provider-options.ts'
import { withProviders } from '../provider-parts.ts'

export const providersCreate: Command = {
  usage: 'providers create <name> --issuer <url> --client-id <guid> --secret-file <file> [--json]',
  about: 'Make a DCR provider; verify it next.',
  options: {
    ...placeOptions,
    'client-id': { type: 'string', about: 'appId of the broker\'s application in the tenant.' },
    ...credentialOptions,
    'display-name': { type: 'string', about: 'For people.' },
    labels: { type: 'string', about: 'key=value pairs separated by commas.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name of the provider')
    if (!/^[^\s/\\?#%\p{C}]([^/\\?#%\p{C}]{0,254}[^\s/\\?#%\p{C}])?$/u.test(name)) throw new UsageError('The name is not acceptable. Accepted: 1 to 256 printable characters without / \\ ? # %.')
    const clientId = guidOption(values, 'client-id')
    const issuer = requiredOption(values, 'issuer')
    const credential = await credentialOption(values)
    if (credential === null) throw new UsageError('A credential is missing: --secret-file, --certificate-file or --federated.')
    const labels = Object.fromEntries(Object.entries(labelsOption(values) ?? {}).flatMap(([key, value]) => value === null ? [] : [[key, value]]))
    const provider = await withProviders(context, async ({ providers, environment }) => providerDocument(await providers.create({
      name,
      issuer,
      displayName: textOption(values, 'display-name') ?? null,
      authorityHost: textOption(values, 'authority-host') ?? null,
      graphBaseUrl: textOption(values, 'graph-base-url') ?? null,
      labels,
      credential: credential(clientId)
    }, commandLine), environment))
    context.print(values.json === true ? JSON.stringify(provider) : `Made the provider ${name} (${provider.id}) in tenant ${provider.tenant_id}. Next: dcr-broker providers verify '${name}'`)
    return 0
  }
}
