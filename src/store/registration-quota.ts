// Quotas of tokens and policies: counted where nobody else can make a registration of the same caller or policy in between.
import type { NewRegistration } from '../registration/registration.ts'
import { Prisma } from './generated/client.ts'
import type { Database, PrismaClient } from './prisma-client.ts'
import type { RunStatement } from './statements.ts'

interface CountRow { open: boolean, made: bigint, living: bigint }

/**
 * Runs `reserve` unless a quota is used up; then names the quota. Without a quota it costs nothing; with one, the registrations
 * of this caller and policy are reserved one after another. A repeat of an open registration is never refused.
 */
export async function withinQuota<T> (
  { prisma, run }: Pick<Database, 'prisma' | 'run'>, entry: NewRegistration, closedId: string | null, reserve: (run: RunStatement) => Promise<T>
): Promise<T | 'caller' | 'policy'> {
  const { quota: { perCaller, perPolicy }, policyId, callerId } = entry
  if (perCaller === null && (perPolicy === null || policyId === null)) return await reserve(run)
  return await prisma.$transaction(async transaction => {
    // Always in this order, so that two of them never wait for each other.
    if (perCaller !== null) await lock(transaction, `caller:${callerId}`)
    if (perPolicy !== null && policyId !== null) await lock(transaction, `policy:${policyId}`)
    // The lock comes first and this statement after it: it sees everything that was committed before the lock was free.
    const [count] = await transaction.$queryRaw<CountRow[]>(countStatement(entry, closedId))
    if (count !== undefined && !count.open) {
      if (perCaller !== null && count.made >= perCaller) return 'caller'
      if (perPolicy !== null && policyId !== null && count.living >= perPolicy) return 'policy'
    }
    return await reserve(statement => transaction.$queryRaw(statement))
  })
}

async function lock (client: Pick<PrismaClient, '$executeRaw'>, name: string): Promise<void> {
  await client.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`dcr-broker:quota:${name}`}, 0))`
}

function countStatement ({ callerId, policyId, fingerprint, sharingKey }: NewRegistration, closedId: string | null): Prisma.Sql {
  return Prisma.sql`
    SELECT
      EXISTS (SELECT FROM registration WHERE caller_id = ${callerId}::uuid
        AND ((open_fingerprint = ${fingerprint} AND id IS DISTINCT FROM ${closedId}::uuid) OR sharing_key = ${sharingKey})) AS open,
      (SELECT count(*) FROM registration WHERE caller_id = ${callerId}::uuid AND policy_id IS NOT NULL AND state NOT IN ('undoing', 'undone')) AS made,
      (SELECT count(*) FROM registration WHERE policy_id = ${policyId}::uuid AND state NOT IN ('undoing', 'undone', 'deleting', 'deleted')) AS living`
}
