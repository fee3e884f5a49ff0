// dcr-broker providers update: what is not given stays.
import { commandLine } from '../../administration/operator.ts'
import { UsageError, type Command } from '../command.ts'
import { jsonOption, soleArgument, textOption, type OptionValues } from '../option-values.ts'
import { providerDocument } from '../provider-document.ts'
import { clientIdOption, credentialOption, credentialOptions, labelsOption, placeOptions } from '../provider-options.ts'
import { providerCalled, withProviders } from '../provider-parts.ts'
import type { WantedChange } from '../../administration/providers.ts'

export const providersUpdate: Command = {
  usage: 'providers update <name or id> [--name <name>] [--display-name <name>] [--labels <labels>] [--secret-file <file>] [--json]',
  about: 'Change a DCR provider. A credential takes the place of the one in use at once; providers credentials does it in steps.',
  options: {
    name: { type: 'string', about: 'Another name, also in addresses.' },
    ...placeOptions,
    'client-id': { type: 'string', about: 'Another application of the broker: needs its credential.' },
    ...credentialOptions,
    'display-name': { type: 'string', about: 'For people.' },
    labels: { type: 'string', about: 'key=value pairs separated by commas; a key alone takes its label away.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name or id of the provider')
    const wanted = await changeOf(values)
    if (Object.keys(wanted).length === 0) throw new UsageError('Nothing is to change: see dcr-broker providers update --help.')
    const provider = await withProviders(context, async api =>
      providerDocument(await api.providers.change(await providerCalled(api, name), wanted, commandLine, null), api.environment))
    context.print(values.json === true ? JSON.stringify(provider) : `The provider ${provider.name} (${provider.id}) is changed.`)
    return 0
  }
}

async function changeOf (values: OptionValues): Promise<WantedChange> {
  const given: Record<string, unknown> = {
    name: textOption(values, 'name'),
    displayName: textOption(values, 'display-name'),
    issuer: textOption(values, 'issuer'),
    authorityHost: textOption(values, 'authority-host'),
    graphBaseUrl: textOption(values, 'graph-base-url'),
    clientId: clientIdOption(values),
    labels: labelsOption(values),
    credential: await credentialOption(values) ?? undefined
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
