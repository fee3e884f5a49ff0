// Policies as operators write and read them.
import { v7 as uuidv7 } from 'uuid'
import { defaultRules, type Policy, type PolicyRules } from '../registration/policy.ts'
import type { Operator } from '../administration/operator.ts'
import { audited } from './administration.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export interface PolicySummary extends Policy {
  /** Living callers that are bound to it by name. */
  callers: number
  updatedAt: Date
}

/**
 * Creates or replaces a policy. Rules that are not given stay those of the release.
 *
 * @throws StoreUnavailableError
 */
export async function putPolicy (prisma: PrismaClient, by: Operator, name: string, given: Partial<PolicyRules>): Promise<'created' | 'replaced'> {
  return await guarded(async () => {
    const before = await prisma.policy.findUnique({ where: { name }, select: { id: true } })
    const rules = JSON.parse(JSON.stringify(given)) as object
    await prisma.$transaction([
      prisma.policy.upsert({ where: { name }, create: { id: uuidv7(), name, rules }, update: { rules, updatedAt: new Date() } }),
      audited(prisma, by, before === null ? 'policy.created' : 'policy.replaced', null, { name, rules })
    ])
    return before === null ? 'created' : 'replaced'
  })
}

/** Null: there is none of this name. Rules: all of them, those of the release among them. */
export async function findPolicy (prisma: PrismaClient, name: string): Promise<Policy | null> {
  const row = await guarded(() => prisma.policy.findUnique({ where: { name } }))
  return row === null ? null : { id: row.id, name, rules: { ...defaultRules, ...row.rules as Partial<PolicyRules> } }
}

/** By name. */
export async function listPolicies (prisma: PrismaClient): Promise<PolicySummary[]> {
  const rows = await guarded(() => prisma.policy.findMany({
    include: { _count: { select: { callers: { where: { revokedAt: null } } } } }, orderBy: { name: 'asc' }
  }))
  return rows.map(({ id, name, rules, updatedAt, _count }) =>
    ({ id, name, rules: { ...defaultRules, ...rules as Partial<PolicyRules> }, callers: _count.callers, updatedAt }))
}
