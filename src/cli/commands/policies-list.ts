// dcr-broker policies list.
import { listPolicies } from '../../store/policy-administration.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, noArguments } from '../option-values.ts'
import { documentOfRules } from '../policy-document.ts'
import { table } from '../table.ts'

export const policiesList: Command = {
  usage: 'policies list [--json]',
  about: 'List the policies.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const policies = await withDatabase(context, listPolicies)
    if (values.json === true) {
      context.print(JSON.stringify(policies.map(({ name, rules, callers, updatedAt }) =>
        ({ name, callers, updated_at: updatedAt.toISOString(), rules: documentOfRules(rules) }))))
    } else {
      table(['NAME', 'CALLERS', 'UPDATED'], policies.map(({ name, callers, updatedAt }) => [name, callers, updatedAt.toISOString()])).forEach(context.print)
    }
    return 0
  }
}
