// Clients that nobody uses: Verify clients that Konnect forgot, and clients that were never linked to anything. Capped, one statement each.
import type { IdleClients, IdleLimits } from '../reconciliation/port.ts'
import { endStatement, disableStatement, isFree, note } from './ending-statements.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import type { LeaseTimes } from './registration-statements.ts'
import { guarded } from './store-errors.ts'

const before = (ms: number) => Prisma.sql`now() - ${ms}::float8 * interval '1 millisecond'`

const isForgotten = ({ verificationMs }: IdleLimits) => Prisma.sql`
  r.verification AND r.state IN ('active', 'disabled') AND r.adopted_at IS NULL AND r.activated_at < ${before(verificationMs)}`

/**
 * Konnect tells of a link by an event hook, once. Where no hook of a caller has ever come, their absence says nothing; nor where a
 * restore has lost those that came: of clients that were adopted again (they have no context of Konnect's), or are older than the release.
 */
const isUnlinked = Prisma.sql`
  r.surface = 'konnect' AND NOT r.verification AND r.adopted_at IS NULL AND r.application_id IS NULL AND r.konnect IS NOT NULL
  AND NOT EXISTS (SELECT FROM reconciliation c WHERE c.provider_id = r.provider_id AND c.released_at > r.activated_at)
  AND NOT EXISTS (SELECT FROM registration_event e WHERE e.registration_id = r.id)
  AND EXISTS (SELECT FROM registration o JOIN registration_event e ON e.registration_id = o.id WHERE o.caller_id = r.caller_id)`

const isNeverLinked = ({ neverLinkedMs }: IdleLimits) => Prisma.sql`
  r.state = 'active' AND coalesce(r.renewed_at, r.activated_at) < ${before(neverLinkedMs)} AND ${isUnlinked}`

const isOverdue = ({ neverLinkedGraceMs }: IdleLimits) => Prisma.sql`
  r.state = 'disabled' AND r.disabled_by = 'never_linked' AND r.disabled_at < ${before(neverLinkedGraceMs)} AND ${isUnlinked}`

export function createIdleClients (prisma: PrismaClient, times: LeaseTimes): IdleClients {
  const chosen = (providerId: string, condition: Prisma.Sql, limit: number) => Prisma.sql`
    SELECT r.id FROM registration r WHERE r.provider_id = ${providerId}::uuid AND ${condition} AND ${isFree(times)} ORDER BY r.id LIMIT ${limit}`
  const locked = (providerId: string, condition: Prisma.Sql, limit: number) => Prisma.sql`${chosen(providerId, condition, limit)} FOR UPDATE OF r SKIP LOCKED`
  const countOf = async (providerId: string, condition: Prisma.Sql, limit: number): Promise<number> =>
    (await prisma.$queryRaw<unknown[]>(chosen(providerId, condition, limit))).length

  return {
    reapVerifications: (providerId, limits) => guarded(async () => limits.verificationMs === 0
      ? 0
      : await prisma.$executeRaw(endStatement(locked(providerId, isForgotten(limits), limits.limit), note('registration.verification_reaped', 'ended')))),

    disableNeverLinked: (providerId, limits) => guarded(async () => limits.neverLinkedMs === 0
      ? 0
      : await prisma.$executeRaw(disableStatement(locked(providerId, isNeverLinked(limits), limits.limit), 'never_linked', note('registration.never_linked', 'disabled')))),

    endNeverLinked: (providerId, limits) => guarded(async () => limits.neverLinkedMs === 0
      ? 0
      : await prisma.$executeRaw(endStatement(locked(providerId, isOverdue(limits), limits.limit), note('registration.never_linked_deleting', 'ended')))),

    count: (providerId, limits) => guarded(async () => ({
      reaped: limits.verificationMs === 0 ? 0 : await countOf(providerId, isForgotten(limits), limits.limit),
      disabled: limits.neverLinkedMs === 0 ? 0 : await countOf(providerId, isNeverLinked(limits), limits.limit),
      ended: limits.neverLinkedMs === 0 ? 0 : await countOf(providerId, isOverdue(limits), limits.limit)
    }))
  }
}
