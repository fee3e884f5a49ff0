// dcr-broker strategies update: changes what a file names.
import { commandLine } from '../../administration/operator.ts'
import { documentOfStrategy, StrategyChangeBody } from '../../administration/strategy-document.ts'
import type { Command } from '../command.ts'
import { readDocument } from '../json-file.ts'
import { jsonOption, requiredOption, soleArgument, textOption } from '../option-values.ts'
import { complainOf, strategyId, withStrategies } from '../strategies.ts'

export const strategiesUpdate: Command = {
  usage: 'strategies update <id or name> --file <file> [--provider <name>] [--json]',
  about: 'Change an auth strategy; registered clients follow at their next update.',
  options: {
    file: { type: 'string', about: 'JSON, as PATCH /v2/application-auth-strategies/<id> takes it: what it leaves out stays.' },
    provider: { type: 'string', about: 'Name of the provider, where several have a strategy of the name.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    const idOrName = soleArgument(positionals, 'the id or the name of a strategy')
    const change = await readDocument(requiredOption(values, 'file'), StrategyChangeBody)
    const made = await withStrategies(context, async (strategies, store) =>
      await strategies.change(commandLine, await strategyId(store, idOrName, textOption(values, 'provider') ?? null), change, null))
    const { strategy, warnings } = made
    if (values.json === true) {
      context.print(JSON.stringify(documentOfStrategy(strategy, warnings)))
      return 0
    }
    context.print(`The strategy ${strategy.name} (${strategy.id}) is changed.`)
    complainOf(made, context)
    return 0
  }
}
