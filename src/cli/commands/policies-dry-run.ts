// dcr-broker policies dry-run: what a registration would become under a policy, or under rules of a file.
import { createPolicyDryRun, unstoredPolicy, type DryRun } from '../../administration/policy-dry-run.ts'
import { createPolicies } from '../../administration/policies.ts'
import { rulesOf } from '../../administration/policy-document.ts'
import { RequestedDocument, toRequestedMetadata } from '../../registration/metadata/requested-document.ts'
import { createCatalogue } from '../../store/catalogue.ts'
import { createPolicyStore } from '../../store/policy-store.ts'
import type { PrismaClient } from '../../store/prisma-client.ts'
import { systemClock } from '../../system-clock.ts'
import { CommandError, UsageError, type Command } from '../command.ts'
import { withDatabase } from '../database.ts'
import { readDocument, readJsonFile } from '../json-file.ts'
import { jsonOption, providerOf, providerOption, requiredOption, soleArgument, textOption } from '../option-values.ts'

export const policiesDryRun: Command = {
  usage: 'policies dry-run (<name> | --rules <file>) --file <file> [--provider <name>] [--json]',
  about: 'Show what a registration would become, or every reason why it would be refused; makes nothing. Exit code 1: refused.',
  options: {
    file: { type: 'string', about: 'The registration, as POST /register takes it.' },
    rules: { type: 'string', about: 'JSON with rules that are not stored, instead of a policy.' },
    provider: providerOption,
    json: jsonOption
  },

  async run (values, positionals, context) {
    const rulesFile = textOption(values, 'rules')
    if (rulesFile !== undefined && positionals.length > 0) throw new UsageError('A policy or --rules, not both.')
    const rules = rulesFile === undefined ? null : await readRules(rulesFile)
    const name = rules === null ? soleArgument(positionals, 'the name of the policy') : ''
    const requested = toRequestedMetadata(await readDocument(requiredOption(values, 'file'), RequestedDocument))
    const outcome = await withDatabase(context, async (prisma, run) => {
      const catalogue = createCatalogue(run)
      await catalogue.load()
      const policy = rules ?? await policyNamed(prisma, name)
      return createPolicyDryRun({ catalogue, clock: systemClock })({ policy, requested, providerName: providerOf(values) }, null)
    })
    if (values.json !== true && !outcome.accepted) outcome.refusals.forEach(({ error, error_description: sentence }) => context.complain(`${error}: ${sentence}`))
    else context.print(JSON.stringify(outcome, null, values.json === true ? 0 : 2))
    return outcome.accepted ? 0 : 1
  }
}

async function policyNamed (prisma: PrismaClient, name: string): Promise<DryRun['policy']> {
  return await createPolicies(createPolicyStore(prisma), async () => {}).named(name)
}

async function readRules (path: string): Promise<DryRun['policy']> {
  const read = rulesOf(await readJsonFile(path))
  if ('faults' in read) throw new CommandError(read.faults.map(({ reason }) => `${path}: ${reason}`))
  return unstoredPolicy(read.given)
}
