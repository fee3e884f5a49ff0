// How clients are switched off and ended by the broker itself: a choice of rows, the change, its audit, one commit. Entra follows as with any other wish.
import { Prisma } from './generated/client.ts'
import type { LeaseTimes } from './registration-statements.ts'

/** Nobody holds the row, and no call of its last holder can still be under way. */
export const isFree = ({ attemptTimeoutMs }: LeaseTimes) =>
  Prisma.sql`(r.lease_until IS NULL OR r.lease_until + ${attemptTimeoutMs}::float8 * interval '1 millisecond' < now())`

export const note = (action: string, source: 'disabled' | 'ended') => Prisma.sql`
  INSERT INTO audit_event (id, at, actor, action, outcome, registration_id, provider_id, request_id, detail)
  SELECT gen_random_uuid(), now(), 'broker', ${action}, 'succeeded', id, provider_id, NULL, jsonb_build_object('client_id', client_id)
  FROM ${Prisma.raw(source)}`

/** @param chosen a query with `id` that locks its rows */
export const disableStatement = (chosen: Prisma.Sql, by: 'expiry' | 'never_linked', audit: Prisma.Sql) => Prisma.sql`
  WITH chosen AS (${chosen}), disabled AS (
    UPDATE registration r SET state = 'disabled', lease_token = r.lease_token + 1, account_enabled = false, desired_revision = r.desired_revision + 1, sharing_key = NULL,
      disabled_at = now(), disabled_by = ${by}, due_at = now(), updated_at = now()
    FROM chosen c WHERE r.id = c.id RETURNING r.id, r.provider_id, r.client_id
  ) ${audit}`

/** @param chosen a query with `id` that locks its rows */
export const endStatement = (chosen: Prisma.Sql, audit: Prisma.Sql) => Prisma.sql`
  WITH chosen AS (${chosen}), ended AS (
    UPDATE registration r SET state = 'deleting', lease_token = r.lease_token + 1, due_at = now(), updated_at = now()
    FROM chosen c WHERE r.id = c.id RETURNING r.id, r.provider_id, r.client_id
  ) ${audit}`
