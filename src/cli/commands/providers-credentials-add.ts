// dcr-broker providers credentials add: it stands by until it is activated.
import { commandLine } from '../../administration/operator.ts'
import { UsageError, type Command } from '../command.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { credentialDocument } from '../provider-document.ts'
import { clientIdOption, credentialOption, credentialOptions } from '../provider-options.ts'
import { providerCalled, withProviders } from '../provider-parts.ts'

export const providersCredentialsAdd: Command = {
  usage: 'providers credentials add <provider> --secret-file <file> [--json]',
  about: 'Add a credential of the broker. It stands by: verify it, activate it, remove the former one later.',
  options: { ...credentialOptions, 'client-id': { type: 'string', about: 'appId of the application it belongs to; the provider\'s if left out.' }, json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name or id of the provider')
    const clientId = clientIdOption(values)
    const given = await credentialOption(values)
    if (given === null) throw new UsageError('A credential is missing: --secret-file, --certificate-file or --federated.')
    const credential = await withProviders(context, async api => {
      const provider = await providerCalled(api, name)
      return credentialDocument(await api.credentials.add(provider, given(clientId ?? provider.initialClientId), commandLine))
    })
    context.print(values.json === true ? JSON.stringify(credential) : `Added ${credential.id}, standing by. Next: dcr-broker providers credentials verify '${name}' ${credential.id}`)
    return 0
  }
}
