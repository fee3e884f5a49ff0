// What can be said of a database by looking: version, clock, rights, and what the broker needs to find in it.
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export interface DatabaseInspection {
  /** As in 180004. */
  versionNumber: number
  version: string
  /** A standby takes no writes. */
  isStandby: boolean
  /** A superuser may do what the audit refuses everybody else. */
  isSuperuser: boolean
  /** How far its clock is ahead of ours. */
  clockAheadMs: number
  /** `INSERT on registration`, for example. */
  missingRights: string[]
}

/** Throws StoreUnavailableError when it does not answer. */
export async function inspectDatabase (prisma: PrismaClient): Promise<DatabaseInspection> {
  const askedAt = Date.now()
  const [row] = await guarded(() => prisma.$queryRaw<Array<{ number: number, version: string, standby: boolean, superuser: boolean, ms: number }>>`
    SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version, pg_is_in_recovery() AS standby,
      (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser, (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms`)
  // Its clock was read somewhere between the question and the answer.
  const heardAt = Date.now()
  if (row === undefined) throw new Error('The database has said nothing of itself')
  return {
    versionNumber: row.number,
    version: row.version,
    isStandby: row.standby,
    isSuperuser: row.superuser,
    clockAheadMs: row.ms - (askedAt + heardAt) / 2,
    missingRights: await missingRights(prisma)
  }
}

// The audit only grows.
async function missingRights (prisma: PrismaClient): Promise<string[]> {
  const rows = await guarded(() => prisma.$queryRaw<Array<{ missing: string }>>`
    SELECT r.name || ' on ' || t.tablename AS missing
    FROM pg_tables t CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) AS r (name)
    WHERE t.schemaname = current_schema() AND t.tablename <> '_prisma_migrations'
      AND NOT (r.name = 'UPDATE' AND t.tablename IN ('audit_event', 'audit_seal'))
      AND NOT has_table_privilege(quote_ident(t.schemaname) || '.' || quote_ident(t.tablename), r.name)
    ORDER BY 1`)
  return rows.map(({ missing }) => missing)
}

/** Object ids of the newest living applications of a provider, for a look at who owns them. */
export async function newestApplications (prisma: PrismaClient, providerName: string, count: number): Promise<string[]> {
  const rows = await guarded(() => prisma.registration.findMany({
    where: { provider: { name: providerName }, state: 'active', objectId: { not: null }, adoptedAt: null },
    orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
    take: count,
    select: { objectId: true }
  }))
  return rows.flatMap(({ objectId }) => objectId === null ? [] : [objectId])
}

/** Operator keys in the database that are valid and may change things. */
export async function countOperatorKeys (prisma: PrismaClient): Promise<number> {
  return await guarded(() => prisma.caller.count({
    where: { kind: 'operator', origin: 'database', revokedAt: null, OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }], scopes: { has: 'admin' } }
  }))
}

/** Credentials by which the broker proves itself, as far as the database has them. */
export async function listOwnCredentials (prisma: PrismaClient): Promise<Array<{ provider: string, expiresAt: Date | null }>> {
  const rows = await guarded(() => prisma.providerCredential.findMany({
    where: { state: 'active', provider: { deletedAt: null } }, select: { expiresAt: true, provider: { select: { name: true } } }
  }))
  return rows.map(({ expiresAt, provider: { name } }) => ({ provider: name, expiresAt }))
}
