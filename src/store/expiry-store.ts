// Expiry of clients: which policy's time is over, disabled first and deleted after the grace. Capped by the caller, one statement each.
import type { ExpiryStore } from '../registration/ports.ts'
import { disableStatement, endStatement, isFree, note } from './ending-statements.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import type { LeaseTimes } from './registration-statements.ts'
import { guarded } from './store-errors.ts'

const DAY = Prisma.sql`interval '1 day'`

/** Age counts from the last registration or update by the owner. */
const age = Prisma.sql`coalesce(r.renewed_at, r.activated_at)`

/**
 * By age, or by use: a client expires for want of use only when its provider has declared a source of use, and that source has
 * reported the whole time, counted from its declaration at the earliest, without seeing the client.
 */
const isExpired = Prisma.sql`CASE p.rules->'expiry'->>'countedFrom'
  WHEN 'use' THEN v.usage_source IS NOT NULL AND v.usage_reported_at <= now()
    AND greatest(${age}, r.last_used_at, v.usage_declared_at) + (p.rules->'expiry'->>'afterDays')::float8 * ${DAY} <= v.usage_reported_at
  ELSE ${age} + (p.rules->'expiry'->>'afterDays')::float8 * ${DAY} <= now() END`

export function createExpiryStore (prisma: PrismaClient, times: LeaseTimes): ExpiryStore {
  return {
    disableExpired: (limit: number) => guarded(async () => await prisma.$executeRaw(disableStatement(Prisma.sql`
      SELECT r.id FROM registration r JOIN policy p ON p.id = r.policy_id JOIN provider v ON v.id = r.provider_id
      WHERE r.state = 'active' AND v.deleted_at IS NULL AND jsonb_typeof(p.rules->'expiry') = 'object' AND ${isExpired} AND ${isFree(times)}
      ORDER BY ${age} LIMIT ${limit} FOR UPDATE OF r SKIP LOCKED`, 'expiry', note('registration.expired', 'disabled')))),

    endExpired: (limit: number) => guarded(async () => await prisma.$executeRaw(endStatement(Prisma.sql`
      SELECT r.id FROM registration r JOIN policy p ON p.id = r.policy_id JOIN provider v ON v.id = r.provider_id
      WHERE r.state = 'disabled' AND v.deleted_at IS NULL AND r.disabled_by = 'expiry'
        AND r.disabled_at + (p.rules->'expiry'->>'graceDays')::float8 * ${DAY} <= now() AND ${isFree(times)}
      ORDER BY r.disabled_at LIMIT ${limit} FOR UPDATE OF r SKIP LOCKED`, note('registration.expiry_deleting', 'ended'))))
  }
}
