// dcr-broker strategies create: makes an auth strategy from a file.
import { commandLine } from '../../administration/operator.ts'
import { documentOfStrategy, StrategyBody } from '../../administration/strategy-document.ts'
import type { Command } from '../command.ts'
import { readDocument } from '../json-file.ts'
import { jsonOption, noArguments, requiredOption, textOption } from '../option-values.ts'
import { complainOf, providerId, withStrategies } from '../strategies.ts'

export const strategiesCreate: Command = {
  usage: 'strategies create --file <file> [--provider <name>] [--json]',
  about: 'Make an auth strategy; what can\'t work with Entra is refused.',
  options: {
    file: { type: 'string', about: 'JSON, as POST /v2/application-auth-strategies takes it.' },
    provider: { type: 'string', about: 'Name of the provider; the one in the file, or default, if left out.' },
    json: jsonOption
  },

  async run (values, positionals, context) {
    noArguments(positionals)
    const document = await readDocument(requiredOption(values, 'file'), StrategyBody)
    const provider = textOption(values, 'provider')
    const made = await withStrategies(context, async (strategies, store) =>
      await strategies.create(commandLine, provider === undefined ? document : { ...document, dcr_provider_id: await providerId(store, provider) }, null))
    const { strategy, warnings } = made
    if (values.json === true) {
      context.print(JSON.stringify(documentOfStrategy(strategy, warnings)))
      return 0
    }
    context.print(`Made the strategy ${strategy.name} (${strategy.id}) of provider ${strategy.provider.name}${strategy.isDefault ? ', its default' : ''}.`)
    complainOf(made, context)
    return 0
  }
}
