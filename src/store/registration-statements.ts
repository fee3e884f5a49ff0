// The writes of the registration store, each one SQL statement and so one commit: a statement with a CTE costs a fraction of a batch transaction.
// Times are PostgreSQL's: leases and due times of all replicas are on one clock.
import type { NewRegistration } from '../registration/registration.ts'
import { Prisma } from './generated/client.ts'
import { voidAnswers } from './idempotency-store.ts'

/** Lease and attempt times in milliseconds, as the statements need them. */
export interface LeaseTimes {
  leaseMs: number
  /** After the end of a lease nobody takes the row for this long: a Graph call of its holder may still be under way. */
  attemptTimeoutMs: number
}

const interval = (ms: number | Prisma.Sql) => Prisma.sql`(${ms}::float8 * interval '1 millisecond')`

/** A row is free when nobody holds it and no call of its last holder can still be under way. */
const isFree = (times: LeaseTimes) => Prisma.sql`(r.lease_until IS NULL OR r.lease_until + ${interval(times.attemptTimeoutMs)} < now())`

const takeLease = (times: LeaseTimes) => Prisma.sql`
  lease_token = r.lease_token + 1,
  lease_until = now() + ${interval(times.leaseMs)},
  due_at = now() + ${interval(times.leaseMs + times.attemptTimeoutMs)}`

/** Audit of a statement: written once for each row of `source`, which is one or none. */
export const insertAudit = (source: string, audit: string) => Prisma.sql`
  INSERT INTO audit_event (id, at, actor, action, outcome, registration_id, provider_id, request_id, source_address, detail)
  SELECT a.id, a.at, a.actor, a.action, a.outcome, a.registration_id, a.provider_id, a.request_id, a.source_address, a.detail
  FROM ${Prisma.raw(source)}, jsonb_populate_recordset(NULL::audit_event, ${audit}::jsonb) a
  ON CONFLICT (id) DO NOTHING`

const isSameValue = Prisma.sql`credential.seal_ciphertext = excluded.seal_ciphertext`

// A shared client answers for as long as it lives, delivered or not.
const deliveredMsAgo = (sharingKey: Prisma.Sql) => Prisma.sql`
  CASE WHEN r.sharing_key = ${sharingKey} THEN NULL ELSE extract(epoch FROM now() - r.delivered_at)::float8 * 1000 END`

/** The registration of this caller that a request is answered by; none: a new one may be made. */
export function openStatement (
  { callerId, fingerprint, sharingKey }: { callerId: string, fingerprint: string | null, sharingKey: string | null }, closedId: string | null
): Prisma.Sql {
  return Prisma.sql`
    SELECT r.id::text, NULL::int8 AS lease_token, ${deliveredMsAgo(Prisma.sql`${sharingKey}::text`)} AS delivered_ms_ago FROM registration r
    WHERE r.caller_id = ${callerId}::uuid
      AND ((r.open_fingerprint = ${fingerprint} AND r.id IS DISTINCT FROM ${closedId}::uuid) OR r.sharing_key = ${sharingKey})`
}

/** A fingerprint stays with its row when the answer has been delivered: for requests that began before. */
export function reserveStatement (
  { providerId, strategyId, credentialId }: Pick<NewRegistration, 'providerId' | 'strategyId' | 'credentialId'>,
  registration: string, audit: string, closedId: string | null, windowMs: number, times: LeaseTimes
): Prisma.Sql {
  return Prisma.sql`
    WITH closed AS (
      UPDATE registration r SET open_fingerprint = NULL WHERE r.id = ${closedId}::uuid AND r.delivered_at IS NOT NULL RETURNING r.id
    ), reserved AS (
      INSERT INTO registration (
        id, provider_id, strategy_id, caller_id, policy_id, surface, state, metadata, client_name, display_name, description, tags, access_token_version,
        web_redirect_uris, public_redirect_uris, spa_redirect_uris, entra_settings, konnect, verification, open_fingerprint, management_digest,
        sharing_key, labels, owner, redeliver_until,
        lease_token, lease_until, due_at, created_at, updated_at)
      SELECT
        n.id, n.provider_id, n.strategy_id, n.caller_id, n.policy_id, n.surface, 'reserved', n.metadata, n.client_name, n.display_name, n.description, n.tags, n.access_token_version,
        n.web_redirect_uris, n.public_redirect_uris, n.spa_redirect_uris, n.entra_settings, n.konnect, n.verification, n.open_fingerprint, n.management_digest,
        n.sharing_key, n.labels, n.owner, now() + ${interval(windowMs)},
        1, now() + ${interval(times.leaseMs)}, now() + ${interval(times.leaseMs + times.attemptTimeoutMs)}, n.created_at, now()
      FROM jsonb_populate_record(NULL::registration, ${registration}::jsonb) n, (
        -- A deletion of what we refer to waits for us, or we for it.
        SELECT FROM provider p, auth_strategy s
        WHERE p.id = ${providerId}::uuid AND p.deleted_at IS NULL AND s.id = ${strategyId}::uuid FOR KEY SHARE
      ) living
      -- Asks for what was closed, so that the fingerprint is free before it is taken.
      WHERE (SELECT count(*) FROM closed) >= 0
        AND (n.policy_id IS NULL OR EXISTS (SELECT FROM policy WHERE id = n.policy_id FOR KEY SHARE))
      ON CONFLICT DO NOTHING
      RETURNING id, created_at
    ), added AS (
      INSERT INTO credential (id, registration_id, state, created_at) 
      SELECT ${credentialId}::uuid, id, 'pending', created_at FROM reserved WHERE ${credentialId}::uuid IS NOT NULL
    ), noted AS (${insertAudit('reserved', audit)})
    SELECT r.id::text, 1::int8 AS lease_token, NULL::float8 AS delivered_ms_ago FROM reserved r
    UNION ALL
    SELECT r.id::text, NULL, ${deliveredMsAgo(Prisma.sql`n.sharing_key`)}
    FROM registration r, jsonb_populate_record(NULL::registration, ${registration}::jsonb) n
    WHERE (r.id = n.id OR (r.caller_id = n.caller_id
      AND ((r.open_fingerprint = n.open_fingerprint AND r.id IS DISTINCT FROM ${closedId}::uuid) OR r.sharing_key = n.sharing_key)))
      AND NOT EXISTS (SELECT FROM reserved)`
}

export function acquireStatement (id: string, times: LeaseTimes): Prisma.Sql {
  return Prisma.sql`
    UPDATE registration r SET ${takeLease(times)}
    WHERE r.id = ${id}::uuid AND ${isFree(times)}
    RETURNING r.id::text, r.lease_token`
}

// Whoever claims a registration in the making knows that its answer never left: only the holder of the lease could have sent it.
export function claimDueStatement (limit: number, times: LeaseTimes): Prisma.Sql {
  return Prisma.sql`
    UPDATE registration r SET ${takeLease(times)},
      delivery = CASE
        WHEN r.delivery = 'pending' AND r.state IN ('reserved', 'application_created', 'principal_created', 'secret_issued') THEN 'not_delivered'
        ELSE r.delivery END
    FROM (
      SELECT r.id FROM registration r
      WHERE r.due_at <= now() AND ${isFree(times)}
      ORDER BY r.due_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ) due
    WHERE r.id = due.id
    RETURNING r.id::text, r.lease_token`
}

export function renewStatement (id: string, token: bigint, times: LeaseTimes): Prisma.Sql {
  return Prisma.sql`
    UPDATE registration r SET
      lease_until = now() + ${interval(times.leaseMs)},
      due_at = now() + ${interval(times.leaseMs + times.attemptTimeoutMs)}
    WHERE r.id = ${id}::uuid AND r.lease_token = ${token}`
}

export interface SaveParameters {
  id: string
  token: bigint
  registration: string
  credentials: string
  events: string
  audit: string
  disposition: 'keep' | 'release' | 'abandon'
  dueInMs: number | null
  voidsAnswers: { except: string | null } | null
}

/** The fenced save: all or nothing, and nothing when the token is stale. */
export function saveStatement (save: SaveParameters, windowMs: number, times: LeaseTimes): Prisma.Sql {
  const { disposition, dueInMs } = save
  return Prisma.sql`
    WITH held AS (
      UPDATE registration r SET
        state = n.state, metadata = n.metadata, client_name = n.client_name, display_name = n.display_name, description = n.description, tags = n.tags,
        access_token_version = n.access_token_version, web_redirect_uris = n.web_redirect_uris, public_redirect_uris = n.public_redirect_uris,
        spa_redirect_uris = n.spa_redirect_uris, entra_settings = n.entra_settings, account_enabled = n.account_enabled,
        applied_enabled = n.applied_enabled, desired_revision = n.desired_revision, applied_revision = n.applied_revision,
        object_id = n.object_id, client_id = n.client_id, principal_id = n.principal_id, application_id = n.application_id,
        attempts = n.attempts, last_fault = n.last_fault, stray_check_at = n.stray_check_at, sweeps = n.sweeps, purge_at = n.purge_at,
        activated_at = n.activated_at, renewed_at = greatest(r.renewed_at, n.renewed_at), seen_at = n.seen_at, disabled_at = n.disabled_at, disabled_by = n.disabled_by, ended_at = n.ended_at,
        labels = n.labels, owner = n.owner, updated_at = now(),
        lease_until = CASE ${disposition} WHEN 'keep' THEN r.lease_until WHEN 'abandon' THEN now() END,
        due_at = CASE ${disposition}
          WHEN 'keep' THEN r.due_at
          WHEN 'abandon' THEN now() + greatest(${interval(times.attemptTimeoutMs)}, ${interval(dueInMs ?? 0)})
          ELSE now() + (${dueInMs}::float8 * interval '1 millisecond') END,
        -- The window counts from the moment there is something to deliver.
        redeliver_until = CASE
          WHEN r.redeliver_until IS NULL OR n.state IN ('deleting', 'deleted', 'undoing', 'undone') THEN NULL
          WHEN r.state <> 'active' AND n.state = 'active' THEN now() + ${interval(windowMs)}
          ELSE r.redeliver_until END,
        open_fingerprint = CASE WHEN n.state IN ('deleting', 'deleted', 'undoing', 'undone') THEN NULL ELSE r.open_fingerprint END,
        -- Tokens change outside the leases too: a save touches them only when it brings a new one, or ends the client.
        management_digest = CASE
          WHEN n.state IN ('deleted', 'undoing', 'undone') THEN NULL
          ELSE coalesce(n.management_digest, r.management_digest) END,
        previous_management_digest = CASE
          WHEN n.state IN ('deleted', 'undoing', 'undone') THEN NULL
          WHEN n.management_digest IS NOT NULL THEN n.previous_management_digest
          ELSE r.previous_management_digest END,
        -- A client that is on its way out, or gone from Entra, is shared with nobody else.
        sharing_key = CASE WHEN n.state IN ('deleting', 'deleted', 'undoing', 'undone', 'disabled', 'drifted') THEN NULL ELSE r.sharing_key END
      FROM jsonb_populate_record(NULL::registration, ${save.registration}::jsonb) n
      WHERE r.id = ${save.id}::uuid AND r.lease_token = ${save.token}
      RETURNING r.id AS held_id
    ), secrets AS (
      INSERT INTO credential (id, registration_id, state, key_id, hint, expires_at, seal_version, seal_kid, seal_wrapped_key, seal_ciphertext,
        verifier, pepper_id, erase_at, proved_at, revoke_after, created_at, updated_at)
      SELECT c.id, held_id, c.state, c.key_id, c.hint, c.expires_at, c.seal_version, c.seal_kid, c.seal_wrapped_key, c.seal_ciphertext,
        c.verifier, c.pepper_id, c.erase_at, c.proved_at, c.revoke_after, c.created_at, now()
      FROM held, jsonb_populate_recordset(NULL::credential, ${save.credentials}::jsonb) c
      ON CONFLICT (id) DO UPDATE SET state = excluded.state, key_id = excluded.key_id, hint = excluded.hint, expires_at = excluded.expires_at,
        seal_version = excluded.seal_version, seal_ciphertext = excluded.seal_ciphertext,
        -- A value that was rewrapped while this was under way stays under its new key.
        seal_kid = CASE WHEN ${isSameValue} THEN credential.seal_kid ELSE excluded.seal_kid END,
        seal_wrapped_key = CASE WHEN ${isSameValue} THEN credential.seal_wrapped_key ELSE excluded.seal_wrapped_key END,
        verifier = excluded.verifier, pepper_id = excluded.pepper_id, erase_at = excluded.erase_at,
        proved_at = excluded.proved_at, revoke_after = excluded.revoke_after, updated_at = excluded.updated_at
    ), happened AS (
      INSERT INTO registration_event (id, registration_id, type, application_id, product_id, audience, digest, received_at)
      -- The latest word about a product counts: what is written later was said later, whatever a replica's clock says.
      SELECT e.id, held_id, e.type, e.application_id, e.product_id, e.audience, e.digest, greatest(e.received_at,
        (SELECT max(v.received_at) + interval '1 millisecond' FROM registration_event v WHERE v.registration_id = held_id))
      FROM held, jsonb_populate_recordset(NULL::registration_event, ${save.events}::jsonb) e
      ON CONFLICT (id) DO NOTHING
    ), noted AS (${insertAudit('held', save.audit)})${voidedAnswers(save)}
    SELECT held_id::text FROM held`
}

// Whoever changes nothing that was answered pays nothing for it.
function voidedAnswers ({ voidsAnswers }: SaveParameters): Prisma.Sql {
  return voidsAnswers === null ? Prisma.empty : Prisma.sql`, voided AS (${voidAnswers(Prisma.sql`(SELECT held_id FROM held)`, voidsAnswers.except)})`
}
