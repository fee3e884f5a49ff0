// dcr-broker policies list.
import { listPolicies } from '../../store/policy-administration.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, noArguments } from '../option-values.ts'
import { documentOfRules } from '../../administration/policy-document.ts'
import { table } from '../table.ts'

export const policiesList: Command = {
  usage: 'policies list [--json]',
  about: 'List the policies.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    noArguments(positionals)
    const policies = await withDatabase(context, listPolicies)
    if (values.json === true) {
      context.print(JSON.stringify(policies.map(({ name, version, rules, callers, registrations, updatedAt }) =>
        ({ name, version, callers, registrations, updated_at: updatedAt.toISOString(), rules: documentOfRules(rules) }))))
    } else {
      table(['NAME', 'VERSION', 'CALLERS', 'REGISTRATIONS', 'UPDATED'], policies.map(({ name, version, callers, registrations, updatedAt }) =>
        [name, version, callers, registrations, updatedAt.toISOString()])).forEach(context.print)
    }
    return 0
  }
}
