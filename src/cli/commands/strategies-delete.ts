// dcr-broker strategies delete.
import { commandLine } from '../../administration/operator.ts'
import type { Command } from '../command.ts'
import { jsonOption, soleArgument, textOption } from '../option-values.ts'
import { strategyId, withStrategies } from '../strategies.ts'

export const strategiesDelete: Command = {
  usage: 'strategies delete <id or name> [--provider <name>] [--json]',
  about: 'Delete an auth strategy that no registration has and that is not the default.',
  options: { provider: { type: 'string', about: 'Name of the provider, where several have a strategy of the name.' }, json: jsonOption },

  async run (values, positionals, context) {
    const idOrName = soleArgument(positionals, 'the id or the name of a strategy')
    const id = await withStrategies(context, async (strategies, store) => {
      const found = await strategyId(store, idOrName, textOption(values, 'provider') ?? null)
      await strategies.remove(commandLine, found, null)
      return found
    })
    context.print(values.json === true ? JSON.stringify({ id, outcome: 'deleted' }) : `The strategy ${idOrName} is deleted.`)
    return 0
  }
}
