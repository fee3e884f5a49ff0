// dcr-broker strategies list.
import { documentOfStrategy } from '../../administration/strategy-document.ts'
import { judged } from '../../administration/strategies.ts'
import type { Command } from '../command.ts'
import { jsonOption, noArguments, textOption } from '../option-values.ts'
import { allStrategies, strategyTable, withStrategies } from '../strategies.ts'

export const strategiesList: Command = {
  usage: 'strategies list [--provider <name>] [--json]',
  about: 'List the auth strategies.',
  options: { provider: { type: 'string', about: 'Name of the provider; all if left out.' }, json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const strategies = await withStrategies(context, (_, store) => allStrategies(store, textOption(values, 'provider') ?? null))
    if (values.json === true) context.print(JSON.stringify(strategies.map(strategy => documentOfStrategy(strategy, judged(strategy).warnings))))
    else strategyTable(strategies).forEach(context.print)
    return 0
  }
}
