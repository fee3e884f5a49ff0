// dcr-broker policies show: all rules of a policy, as a file that policies set takes.
import { findPolicy } from '../../store/policy-administration.ts'
import { CommandError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { soleArgument } from '../option-values.ts'
import { documentOfRules } from '../policy-document.ts'

export const policiesShow: Command = {
  usage: 'policies show <name>',
  about: 'Show all rules of a policy in JSON.',
  options: {},

  async run (_values, positionals, context) {
    const name = soleArgument(positionals, 'the name of the policy')
    const policy = await withDatabase(context, prisma => findPolicy(prisma, name))
    if (policy === null) throw new CommandError([`There is no policy ${name}.`])
    context.print(JSON.stringify(documentOfRules(policy.rules), null, 2))
    return 0
  }
}
