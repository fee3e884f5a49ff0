// Policies by their names, as the CLI and preparations write and read them.
import type { Operator } from '../administration/operator.ts'
import type { GivenRules, StoredPolicy } from '../administration/policies-port.ts'
import { createPolicyStore } from './policy-store.ts'
import type { PrismaClient } from './prisma-client.ts'

/**
 * Creates a policy or replaces its rules, as a new version. Rules that are not given stay those of the release.
 *
 * @throws StoreUnavailableError
 */
export async function putPolicy (prisma: PrismaClient, by: Operator, name: string, given: GivenRules): Promise<'created' | 'replaced'> {
  const store = createPolicyStore(prisma)
  if (await store.create(by, name, given) !== null) return 'created'
  const policy = await store.find({ name }, null)
  // Deleted a moment ago: its name is free.
  if (policy === null || await store.change(by, policy.id, { action: 'policy.replaced' }, () => given) === null) return await putPolicy(prisma, by, name, given)
  return 'replaced'
}

/** Null: there is none of this name. Rules: all of them, those of the release among them. */
export async function findPolicy (prisma: PrismaClient, name: string): Promise<StoredPolicy | null> {
  return await createPolicyStore(prisma).find({ name }, null)
}

/** By name. */
export async function listPolicies (prisma: PrismaClient): Promise<StoredPolicy[]> {
  return await createPolicyStore(prisma).list({ filters: [], sort: { field: 'name', descending: false }, after: null, skip: 0, limit: 10_000 }, null)
}
