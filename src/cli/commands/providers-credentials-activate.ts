// dcr-broker providers credentials activate: the switch.
import { commandLine } from '../../administration/operator.ts'
import type { Command } from '../command.ts'
import { jsonOption } from '../option-values.ts'
import { credentialDocument } from '../provider-document.ts'
import { credentialArguments, providerCalled, withProviders } from '../provider-parts.ts'

export const providersCredentialsActivate: Command = {
  usage: 'providers credentials activate <provider> <credential id> [--force] [--json]',
  about: 'Switch to a credential that has passed a verification. The former one stands by.',
  options: { force: { type: 'boolean', about: 'Also when it has never passed a verification.' }, json: jsonOption },

  async run (values, positionals, context) {
    const { name, credentialId } = credentialArguments(positionals)
    const credential = await withProviders(context, async api =>
      credentialDocument(await api.credentials.activate(await providerCalled(api, name), credentialId, values.force === true, commandLine, null)))
    context.print(values.json === true ? JSON.stringify(credential) : `${credentialId} is in use; every broker follows within seconds.`)
    return 0
  }
}
