// dcr-broker providers show: one provider, as the operations API shows it.
import type { Command } from '../command.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { providerDocument } from '../provider-document.ts'
import { providerCalled, withProviders } from '../provider-parts.ts'

export const providersShow: Command = {
  usage: 'providers show <name or id> [--json]',
  about: 'Show a DCR provider in JSON; on one line with --json.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name or id of the provider')
    const provider = await withProviders(context, async api => providerDocument(await providerCalled(api, name), api.environment))
    context.print(JSON.stringify(provider, null, values.json === true ? 0 : 2))
    return 0
  }
}
