// dcr-broker providers credentials remove: erases one that is not in use.
import { commandLine } from '../../administration/operator.ts'
import type { Command } from '../command.ts'
import { jsonOption } from '../option-values.ts'
import { credentialArguments, providerCalled, withProviders } from '../provider-parts.ts'

export const providersCredentialsRemove: Command = {
  usage: 'providers credentials remove <provider> <credential id> [--json]',
  about: 'Erase a credential that is not in use. In Entra ID it stays until somebody removes it there.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const { name, credentialId } = credentialArguments(positionals)
    await withProviders(context, async api => await api.credentials.remove(await providerCalled(api, name), credentialId, commandLine))
    context.print(values.json === true ? JSON.stringify({ id: credentialId, removed: true }) : `${credentialId} is erased.`)
    return 0
  }
}
