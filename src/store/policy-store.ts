// PolicyStore over Prisma. Policies change under a lock of their row, and each version's rules are written in the same transaction.
import { v7 as uuidv7 } from 'uuid'
import type { Operator } from '../administration/operator.ts'
import type { GivenRules, PolicyField, PolicyStore, PolicyVersion, StoredPolicy } from '../administration/policies-port.ts'
import { canonicalJson } from '../registration/metadata/canonical-json.ts'
import { DEFAULT_POLICY_NAME, defaultRules, type PolicyRules } from '../registration/policy.ts'
import { audited } from './administration.ts'
import { Prisma } from './generated/client.ts'
import type { PolicyModel, PolicyVersionModel } from './generated/models.ts'
import { voidAnswersAbout } from './idempotency-store.ts'
import { behind, conditionOf, orderOf, type ListedColumn } from './list-conditions.ts'
import type { PrismaClient } from './prisma-client.ts'
import type { RunStatement } from './statements.ts'
import { guarded } from './store-errors.ts'

type Transaction = Prisma.TransactionClient

const columns: Readonly<Record<PolicyField, ListedColumn>> = {
  id: { path: ['id'] }, name: { path: ['name'] }, createdAt: { path: ['createdAt'] }, updatedAt: { path: ['updatedAt'] }
}

const ended = ['deleted', 'undone']
const whole = (scope: string | null = null) => {
  const seen = scope === null ? {} : { providerId: scope }
  return {
    include: { _count: { select: { callers: { where: { revokedAt: null, ...seen } }, registrations: { where: { state: { notIn: ended }, ...seen } } } } }
  } as const satisfies Prisma.PolicyDefaultArgs
}

export function createPolicyStore (prisma: PrismaClient): PolicyStore {
  return {
    list: ({ filters, sort, after, skip, limit }, scope) => guarded(async () => {
      const where = { AND: [...filters.map(filter => conditionOf(filter, columns)), ...(after === null ? [] : [behind(after, sort)])] }
      return (await prisma.policy.findMany({ where, orderBy: orderOf(sort), skip, take: limit, ...whole(scope) })).map(toPolicy)
    }),

    count: (filters, limit) => guarded(async () =>
      await prisma.policy.count({ where: { AND: filters.map(filter => conditionOf(filter, columns)) }, take: limit })),

    find: (wanted, scope) => guarded(async () => await find(prisma, wanted, scope)),

    create: (by, name, given) => guarded(async () => await prisma.$transaction(async transaction => {
      const id = uuidv7()
      const rules = jsonOf(given)
      const { count } = await transaction.policy.createMany({ data: [{ id, name, rules }], skipDuplicates: true })
      if (count === 0) return null
      await keepVersion(transaction, id, by.actor)
      await audited(transaction, by, 'policy.created', null, { policy: id, name, version: 1, rules })
      return await find(transaction, { id })
    })),

    change: (by, id, { action, detail }, decide) => guarded(async () => await prisma.$transaction(async transaction => {
      const current = await take(transaction, id)
      if (current === null) return null
      const given = decide(current)
      if (canonicalJson(given) === canonicalJson(current.given)) return current
      const version = current.version + 1
      const rules = jsonOf(given)
      await voidAnswersAbout(transaction, id)
      await transaction.policy.update({ where: { id }, data: { rules, version, updatedAt: new Date() } })
      await keepVersion(transaction, id, by.actor)
      await audited(transaction, by, action, null, { policy: id, name: current.name, version, rules, ...detail })
      return await find(transaction, { id })
    })),

    remove: (by, id, judge) => guarded(async () => await prisma.$transaction(async transaction => {
      const current = await take(transaction, id)
      if (current === null) return false
      judge(current)
      await takeAway(transaction, by, current)
      return true
    })),

    versions: (id, limit) => guarded(async () =>
      (await prisma.policyVersion.findMany({ where: { policyId: id }, orderBy: { version: 'desc' }, take: limit })).map(toVersion)),

    version: (policyId, version) => guarded(async () => {
      const row = await prisma.policyVersion.findUnique({ where: { policyId_version: { policyId, version } } })
      return row === null ? null : toVersion(row)
    })
  }
}

/** What policies of a release without versions are now becomes their first one. Safe to run at every start. */
export async function keepCurrentVersions (run: RunStatement): Promise<void> {
  await run(Prisma.sql`
    INSERT INTO policy_version (policy_id, version, rules, created_by, created_at)
    SELECT id, version, rules, 'broker', updated_at FROM policy
    ON CONFLICT DO NOTHING`)
}

/** The policy as it is once nobody else changes it, or registers under it. */
async function take (transaction: Transaction, id: string): Promise<StoredPolicy | null> {
  await transaction.$executeRaw`SELECT FROM policy WHERE id = ${id}::uuid FOR UPDATE`
  // Made by a release without versions, and not seen by a start of this one.
  await keepVersion(transaction, id, 'broker')
  return await find(transaction, { id })
}

async function keepVersion (transaction: Transaction, id: string, createdBy: string): Promise<void> {
  await transaction.$executeRaw`
    INSERT INTO policy_version (policy_id, version, rules, created_by, created_at)
    SELECT id, version, rules, ${createdBy}, updated_at FROM policy WHERE id = ${id}::uuid
    ON CONFLICT DO NOTHING`
}

async function find (client: Pick<PrismaClient, 'policy'>, where: { id: string } | { name: string }, scope: string | null = null): Promise<StoredPolicy | null> {
  const row = await client.policy.findUnique({ where, ...whole(scope) })
  return row === null ? null : toPolicy(row)
}

async function takeAway (transaction: Transaction, by: Operator, { id, name, version, given }: StoredPolicy): Promise<void> {
  // Of who has it no more: what has ended is under no rules, and a revoked key does nothing. A quota still counts them.
  const { id: policyId } = await transaction.policy.findUniqueOrThrow({ where: { name: DEFAULT_POLICY_NAME }, select: { id: true } })
  await transaction.registration.updateMany({ where: { policyId: id }, data: { policyId } })
  await transaction.caller.updateMany({ where: { policyId: id }, data: { policyId: null } })
  await transaction.policy.delete({ where: { id } })
  await voidAnswersAbout(transaction, id)
  await audited(transaction, by, 'policy.deleted', null, { policy: id, name, version, rules: jsonOf(given) })
}

function toPolicy ({ rules, _count, ...row }: PolicyModel & { _count: { callers: number, registrations: number } }): StoredPolicy {
  return { ...row, ...rulesOf(rules), ..._count }
}

function toVersion ({ version, rules, createdBy, createdAt }: PolicyVersionModel): PolicyVersion {
  return { version, ...rulesOf(rules), createdBy, createdAt }
}

function rulesOf (stored: unknown): { given: GivenRules, rules: PolicyRules } {
  const given = stored as GivenRules
  return { given, rules: { ...defaultRules, ...given } }
}

function jsonOf (given: GivenRules): Prisma.InputJsonObject {
  return JSON.parse(JSON.stringify(given)) as Prisma.InputJsonObject
}
