// dcr-broker policies versions: what a policy was before.
import { documentOfRules } from '../../administration/policy-document.ts'
import { createPolicies } from '../../administration/policies.ts'
import { createPolicyStore } from '../../store/policy-store.ts'
import type { Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { jsonOption, soleArgument } from '../option-values.ts'
import { table } from '../table.ts'

export const policiesVersions: Command = {
  usage: 'policies versions <name> [--json]',
  about: 'List the versions of a policy, the newest first; policies show --version shows the rules of one.',
  options: { json: jsonOption },

  async run (values, positionals, context) {
    const name = soleArgument(positionals, 'the name of the policy')
    const versions = await withDatabase(context, async prisma => {
      const policies = createPolicies(createPolicyStore(prisma), async () => {})
      return await policies.versions((await policies.named(name)).id)
    })
    if (values.json === true) {
      context.print(JSON.stringify(versions.map(({ version, createdBy, createdAt, rules }) =>
        ({ version, created_by: createdBy, created_at: createdAt.toISOString(), rules: documentOfRules(rules) }))))
    } else {
      table(['VERSION', 'CREATED', 'BY'], versions.map(({ version, createdAt, createdBy }) => [version, createdAt.toISOString(), createdBy])).forEach(context.print)
    }
    return 0
  }
}
