// dcr-broker strategies konnect: the JSON to post to Konnect.
import type { Command } from '../command.ts'
import { jsonOption, soleArgument, textOption } from '../option-values.ts'
import { strategyId, withStrategies } from '../strategies.ts'

export const strategiesKonnect: Command = {
  usage: 'strategies konnect <id or name> [--dcr-provider <id in Konnect>] [--provider <name>] [--json]',
  about: 'Show the JSON to post to Konnect\'s /v2/application-auth-strategies.',
  options: {
    'dcr-provider': { type: 'string', about: 'Id, in Konnect, of the HTTP DCR provider that stands for the broker.' },
    provider: { type: 'string', about: 'Name of the provider, where several have a strategy of the name.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    const idOrName = soleArgument(positionals, 'the id or the name of a strategy')
    const body = await withStrategies(context, async (strategies, store) => await strategies.forKonnect(
      await strategyId(store, idOrName, textOption(values, 'provider') ?? null), textOption(values, 'dcr-provider') ?? null, null))
    context.print(JSON.stringify(body, null, values.json === true ? 0 : 2))
    return 0
  }
}
