// dcr-broker strategies show: a strategy as the operations API shows it.
import { documentOfStrategy } from '../../administration/strategy-document.ts'
import type { Command } from '../command.ts'
import { jsonOption, soleArgument, textOption } from '../option-values.ts'
import { strategyId, withStrategies } from '../strategies.ts'

export const strategiesShow: Command = {
  usage: 'strategies show <id or name> [--provider <name>] [--json]',
  about: 'Show an auth strategy in JSON, with what is doubtful in it.',
  options: { provider: { type: 'string', about: 'Name of the provider, where several have a strategy of the name.' }, json: jsonOption },

  async run (values, positionals, context) {
    const idOrName = soleArgument(positionals, 'the id or the name of a strategy')
    const { strategy, warnings } = await withStrategies(context, async (strategies, store) =>
      await strategies.show(await strategyId(store, idOrName, textOption(values, 'provider') ?? null), null))
    context.print(JSON.stringify(documentOfStrategy(strategy, warnings), null, values.json === true ? 0 : 2))
    return 0
  }
}
