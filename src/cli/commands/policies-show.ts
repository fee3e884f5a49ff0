// dcr-broker policies show: all rules of a policy or of one of its versions, as a file that policies set takes.
import { createPolicyStore } from '../../store/policy-store.ts'
import { findPolicy } from '../../store/policy-administration.ts'
import { CommandError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { soleArgument, wholeNumberOption } from '../option-values.ts'
import { documentOfRules } from '../../administration/policy-document.ts'

export const policiesShow: Command = {
  usage: 'policies show <name> [--version <number>]',
  about: 'Show all rules of a policy in JSON.',
  options: { version: { type: 'string', about: 'Of the policies versions; the newest one if left out.' } },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name of the policy')
    const number = wholeNumberOption(values, 'version', 1_000_000_000)
    const found = await withDatabase(context, async prisma => {
      const policy = await findPolicy(prisma, name)
      return policy === null || number === null ? policy : await createPolicyStore(prisma).version(policy.id, number)
    })
    if (found === null) throw new CommandError([`There is no policy ${name}${number === null ? '' : `, or no version ${number} of it`}.`])
    context.print(JSON.stringify(documentOfRules(found.rules), null, 2))
    return 0
  }
}
