// Expiry of clients: which policy's time is over, disabled first and deleted after the grace. Capped by the caller, one statement each.
import type { ExpiryStore } from '../registration/ports.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import type { LeaseTimes } from './registration-statements.ts'
import { guarded } from './store-errors.ts'

const DAY = Prisma.sql`interval '1 day'`

/** Age counts from the last registration or update by the owner. */
const age = Prisma.sql`coalesce(r.renewed_at, r.activated_at)`

/** Nobody holds the row, and no call of its last holder can still be under way. */
const isFree = ({ attemptTimeoutMs }: LeaseTimes) =>
  Prisma.sql`(r.lease_until IS NULL OR r.lease_until + ${attemptTimeoutMs}::float8 * interval '1 millisecond' < now())`

/**
 * By age, or by use: a client expires for want of use only when its provider has declared a source of use, and that source has
 * reported the whole time, counted from its declaration at the earliest, without seeing the client.
 */
const isExpired = Prisma.sql`CASE p.rules->'expiry'->>'countedFrom'
  WHEN 'use' THEN v.usage_source IS NOT NULL AND v.usage_reported_at <= now()
    AND greatest(${age}, r.last_used_at, v.usage_declared_at) + (p.rules->'expiry'->>'afterDays')::float8 * ${DAY} <= v.usage_reported_at
  ELSE ${age} + (p.rules->'expiry'->>'afterDays')::float8 * ${DAY} <= now() END`

const note = (action: string, source: string) => Prisma.sql`
  INSERT INTO audit_event (id, at, actor, action, outcome, registration_id, provider_id, request_id, detail)
  SELECT gen_random_uuid(), now(), 'broker', ${action}, 'succeeded', id, provider_id, NULL, jsonb_build_object('client_id', client_id)
  FROM ${Prisma.raw(source)}`

export function createExpiryStore (prisma: PrismaClient, times: LeaseTimes): ExpiryStore {
  return {
    disableExpired: (limit: number) => guarded(async () => await prisma.$executeRaw`
      WITH expired AS (
        SELECT r.id FROM registration r JOIN policy p ON p.id = r.policy_id JOIN provider v ON v.id = r.provider_id
        WHERE r.state = 'active' AND v.deleted_at IS NULL AND jsonb_typeof(p.rules->'expiry') = 'object' AND ${isExpired} AND ${isFree(times)}
        ORDER BY ${age} LIMIT ${limit} FOR UPDATE OF r SKIP LOCKED
      ), disabled AS (
        UPDATE registration r SET state = 'disabled', lease_token = r.lease_token + 1, account_enabled = false, desired_revision = r.desired_revision + 1, sharing_key = NULL,
          disabled_at = now(), disabled_by = 'expiry', due_at = now(), updated_at = now()
        FROM expired e WHERE r.id = e.id RETURNING r.id, r.provider_id, r.client_id
      ) ${note('registration.expired', 'disabled')}`),

    endExpired: (limit: number) => guarded(async () => await prisma.$executeRaw`
      WITH over AS (
        SELECT r.id FROM registration r JOIN policy p ON p.id = r.policy_id JOIN provider v ON v.id = r.provider_id
        WHERE r.state = 'disabled' AND v.deleted_at IS NULL AND r.disabled_by = 'expiry'
          AND r.disabled_at + (p.rules->'expiry'->>'graceDays')::float8 * ${DAY} <= now() AND ${isFree(times)}
        ORDER BY r.disabled_at LIMIT ${limit} FOR UPDATE OF r SKIP LOCKED
      ), ended AS (
        UPDATE registration r SET state = 'deleting', lease_token = r.lease_token + 1, due_at = now(), updated_at = now()
        FROM over o WHERE r.id = o.id RETURNING r.id, r.provider_id, r.client_id
      ) ${note('registration.expiry_deleting', 'ended')}`)
  }
}
