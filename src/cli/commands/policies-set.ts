// dcr-broker policies set: creates or replaces what callers may register.
import { commandLine } from '../../administration/operator.ts'
import { findPolicy, putPolicy } from '../../store/policy-administration.ts'
import { CommandError, UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { readJsonFile } from '../json-file.ts'
import { jsonOption, requiredOption, soleArgument } from '../option-values.ts'
import { POLICY_NAME } from '../../administration/policies.ts'
import { documentOfRules, rulesOf } from '../../administration/policy-document.ts'

export const policiesSet: Command = {
  usage: 'policies set <name> --file <file> [--json]',
  about: 'Create or replace a policy: default (of everybody else), open (of registrations without a token), or one of callers create --policy.',
  options: { file: { type: 'string', about: 'JSON with the rules; those left out are the default ones.' }, json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name of the policy')
    if (!new RegExp(POLICY_NAME).test(name)) throw new UsageError('The name is not acceptable. Accepted: 1 to 63 lower-case letters, digits, dots, dashes and underscores.')
    const path = requiredOption(values, 'file')
    const read = rulesOf(await readJsonFile(path))
    if ('faults' in read) throw new CommandError(read.faults.map(({ reason }) => `${path}: ${reason}`))
    const { outcome, policy } = await withDatabase(context, async prisma =>
      ({ outcome: await putPolicy(prisma, commandLine, name, read.given), policy: await findPolicy(prisma, name) }))
    context.print(values.json === true ? JSON.stringify({ name, outcome, version: policy?.version, rules: documentOfRules(policy?.rules) }) : `The policy ${name} is ${outcome}.`)
    return 0
  }
}
