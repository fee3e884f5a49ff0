// dcr-broker scopes remove: a scope can no longer be registered.
import { commandLine } from '../../administration/operator.ts'
import { removeScope } from '../../store/scope-administration.ts'
import { CommandError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, providerOf, providerOption, soleArgument } from '../option-values.ts'

export const scopesRemove: Command = {
  usage: 'scopes remove <name> [--provider <name>] [--json]',
  about: 'Take a scope out of the catalogue; clients that have it keep it.',
  options: { provider: providerOption, json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name of the scope')
    const provider = providerOf(values)
    if (!await withDatabase(context, prisma => removeScope(prisma, commandLine, provider, name))) throw new CommandError([`There is no scope ${name} at provider ${provider}.`])
    context.print(values.json === true ? JSON.stringify({ name, provider, outcome: 'removed' }) : `The scope ${name} of provider ${provider} is removed.`)
    return 0
  }
}
