// RegistrationStore over Prisma: typed reads, single-statement writes, leases fenced by their token.
import type { EventTypes, Held, Lease, RegistrationStore, SaveOptions } from '../registration/ports.ts'
import type { AuditEntry, NewRegistration, ProductEvent, Registration } from '../registration/registration.ts'
import { createHeldRegistrations } from './held-registrations.ts'
import type { Database, PrismaClient } from './prisma-client.ts'
import {
  acquireStatement, claimDueStatement, openStatement, renewStatement, reserveStatement, saveStatement, type LeaseTimes
} from './registration-statements.ts'
import { auditJson, credentialsJson, eventsJson, newRegistrationJson, registrationJson } from './row-json.ts'
import { reservedRegistration, toRegistration } from './rows.ts'
import { withinQuota } from './registration-quota.ts'
import { guarded } from './store-errors.ts'

export interface StoreTimes extends LeaseTimes {
  redeliveryWindowMs: number
}

interface LeasedRow { id: string, lease_token: bigint }
/** The token as text, or as Prisma reads it in a transaction. */
interface ReservedRow { id: string, lease_token: string | bigint | null, delivered_ms_ago: number | null }

const withCredentials = { include: { credentials: { orderBy: { createdAt: 'asc' } } } } as const

/** @param monotonicMs the process's monotonic clock, in milliseconds */
export function createRegistrationStore (database: Pick<Database, 'prisma' | 'run'>, times: StoreTimes, monotonicMs: () => number): RegistrationStore {
  const { prisma, run } = database
  // Taken before the database was asked, so that our idea of the lease's end is never later than PostgreSQL's.
  const leaseFrom = (startedAtMs: number, registrationId: string, token: bigint): Lease =>
    ({ registrationId, token, expiresAtMs: startedAtMs + times.leaseMs })

  const findHeld = createHeldRegistrations(run, monotonicMs)

  async function held (startedAtMs: number, rows: LeasedRow[]): Promise<Held[]> {
    if (rows.length === 0) return []
    const records = await prisma.registration.findMany({ where: { id: { in: rows.map(row => row.id) } }, ...withCredentials })
    const tokens = new Map(rows.map(row => [row.id, row.lease_token]))
    return records.map(record => ({
      registration: toRegistration(record),
      lease: leaseFrom(startedAtMs, record.id, tokens.get(record.id) as bigint)
    }))
  }

  return {
    reserve: (entry: NewRegistration, audit: readonly AuditEntry[], closedId = null) => guarded(async () => {
      const startedAtMs = monotonicMs()
      const row = await withinQuota(database, entry, closedId, async run => (await run<ReservedRow>(
        reserveStatement(entry, newRegistrationJson(entry), auditJson(audit), closedId, times.redeliveryWindowMs, times)))[0])
      if (row === 'caller' || row === 'policy') return { kind: 'refused', quota: row }
      if (row === undefined && !await isServed(prisma, entry)) return { kind: 'unserved' }
      if (row === undefined || row.lease_token === null) return { kind: 'open', openId: row?.id ?? null, deliveredMsAgo: row?.delivered_ms_ago ?? null }
      const lease = leaseFrom(startedAtMs, entry.id, BigInt(row.lease_token))
      return { kind: 'reserved', held: { registration: reservedRegistration(entry), lease } }
    }),

    find: (id: string) => guarded(async () =>
      orNull(await prisma.registration.findUnique({ where: { id }, ...withCredentials }))),

    findOpen: (entry, closedId = null) => guarded(async () => {
      const [row] = await run<ReservedRow>(openStatement(entry, closedId))
      return row === undefined ? null : { kind: 'open', openId: row.id, deliveredMsAgo: row.delivered_ms_ago }
    }),

    findByClientId: (providerId: string, clientId: string) => guarded(async () =>
      orNull(await prisma.registration.findUnique({ where: { providerId_clientId: { providerId, clientId } }, ...withCredentials }))),

    findHeld: (providerId: string, clientId: string, managementDigest: Uint8Array) => findHeld({ providerId, clientId, managementDigest }),

    acquire: (id: string) => guarded(async () => {
      const startedAtMs = monotonicMs()
      const rows = await prisma.$queryRaw<LeasedRow[]>(acquireStatement(id, times))
      return (await held(startedAtMs, rows))[0] ?? null
    }),

    claimDue: (limit: number) => guarded(async () => {
      const startedAtMs = monotonicMs()
      return await held(startedAtMs, await prisma.$queryRaw<LeasedRow[]>(claimDueStatement(limit, times)))
    }),

    renew: (lease: Lease) => guarded(async () => {
      const startedAtMs = monotonicMs()
      const count = await prisma.$executeRaw(renewStatement(lease.registrationId, lease.token, times))
      return count === 0 ? null : leaseFrom(startedAtMs, lease.registrationId, lease.token)
    }),

    save: ({ registration, lease }: Held, options: SaveOptions) => guarded(async () => {
      const rows = await run<{ held_id: string }>(saveStatement({
        id: lease.registrationId,
        token: lease.token,
        registration: registrationJson(registration, options.managementToken),
        credentials: credentialsJson(options.credentials ?? []),
        events: eventsJson(options.events ?? []),
        audit: auditJson(options.audit ?? []),
        disposition: options.lease.kind,
        dueInMs: options.lease.kind === 'keep' ? null : options.lease.dueInMs,
        voidsAnswers: options.voidsAnswers ?? null
      }, times.redeliveryWindowMs, times))
      return rows.length === 1
    }),

    replaceManagementToken: (registrationId: string, digest: Uint8Array) => guarded(async () => await prisma.$executeRaw`
      UPDATE registration SET previous_management_digest = management_digest, management_digest = ${digest}
      WHERE id = ${registrationId}::uuid AND state = 'active' AND management_digest IS NOT NULL` === 1),

    endPreviousManagementToken: (registrationId: string, currentDigest: Uint8Array) => guarded(async () => {
      await prisma.$executeRaw`
        UPDATE registration SET previous_management_digest = NULL
        WHERE id = ${registrationId}::uuid AND management_digest = ${currentDigest} AND previous_management_digest IS NOT NULL`
    }),

    renewShared: (registrationId: string) => guarded(async () => await prisma.$executeRaw`
      UPDATE registration SET renewed_at = now() WHERE id = ${registrationId}::uuid AND state = 'active' AND sharing_key IS NOT NULL` === 1),

    newestEvent: (registrationId: string, productId: string | null, types: EventTypes) => guarded(async (): Promise<ProductEvent | null> =>
      await prisma.registrationEvent.findFirst({
        where: { registrationId, productId, ...('only' in types ? { type: types.only } : { type: { not: types.except } }) },
        orderBy: [{ receivedAt: 'desc' }, { id: 'desc' }],
        select: { id: true, type: true, applicationId: true, productId: true, audience: true, digest: true, receivedAt: true }
      }))
  }
}

async function isServed (prisma: PrismaClient, { providerId, strategyId, policyId }: NewRegistration): Promise<boolean> {
  const [strategies, policies] = await Promise.all([
    prisma.authStrategy.count({ where: { id: strategyId, provider: { id: providerId, deletedAt: null } } }),
    policyId === null ? 1 : prisma.policy.count({ where: { id: policyId } })
  ])
  return strategies > 0 && policies > 0
}

function orNull (row: Parameters<typeof toRegistration>[0] | null): Registration | null {
  return row === null ? null : toRegistration(row)
}
