// dcr-broker providers delete.
import { commandLine } from '../../administration/operator.ts'
import type { Command } from '../command.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { providerCalled, withProviders } from '../provider-parts.ts'

export const providersDelete: Command = {
  usage: 'providers delete <name or id> [--force] [--json]',
  about: 'Delete a DCR provider that nothing uses. Its credentials are erased, its name is free.',
  options: {
    force: { type: 'boolean', about: 'Also while it is used: its callers are revoked; its clients and their applications in Entra ID stay as they are.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name or id of the provider')
    const { id } = await withProviders(context, async api => {
      const provider = await providerCalled(api, name)
      await api.providers.remove(provider, values.force === true, commandLine)
      return provider
    })
    context.print(values.json === true ? JSON.stringify({ id, deleted: true }) : `The provider ${name} (${id}) is deleted.`)
    return 0
  }
}
