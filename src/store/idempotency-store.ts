// IdempotencyStore over Prisma: each method one statement, times on PostgreSQL's clock.
import type { FoundRecord, IdempotencyStore, NewRecord, Turn } from '../idempotency/idempotency-port.ts'
import type { RegistrationState } from '../registration/registration.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

const interval = (ms: number) => Prisma.sql`(${ms}::float8 * interval '1 millisecond')`
const isTurn = ({ id, attempt }: Turn) => Prisma.sql`id = ${id}::uuid AND attempt = ${attempt}`
const unsealed = Prisma.sql`seal_version = NULL, seal_kid = NULL, seal_wrapped_key = NULL, seal_ciphertext = NULL`

interface Row {
  isOpen: boolean
  id: string | null
  attempt: number
  payloadDigest: Uint8Array
  pepperId: string
  state: FoundRecord['state']
  isLapsed: boolean
  resourceId: string | null
  registrationState: RegistrationState | null
  answeredState: RegistrationState | null
  isUndelivered: boolean
  status: number | null
  sealVersion: number | null
  sealKid: string | null
  sealWrappedKey: Uint8Array | null
  sealCiphertext: Uint8Array | null
}

export function createIdempotencyStore (prisma: PrismaClient): IdempotencyStore {
  return {
    open: record => guarded(async () => {
      const [row] = await prisma.$queryRaw<Row[]>(openStatement(record))
      if (row?.isOpen === true) return null
      return row === undefined || row.id === null ? 'busy' : toFound({ ...row, id: row.id })
    }),

    takeOver: (found, resourceId, leaseMs) => guarded(async () => await prisma.$executeRaw`
      UPDATE idempotency_record SET state = 'in_flight', attempt = attempt + 1, lease_until = now() + ${interval(leaseMs)},
        resource_id = ${resourceId}::uuid, resource_state = NULL, status = NULL, ${unsealed}
      WHERE ${isTurn(found)} AND state = ${found.state} AND (lease_until IS NULL OR lease_until <= now())` === 1),

    keep: (turn, { status, sealed }, resourceId, retentionMs) => guarded(async () => await prisma.$executeRaw`
      UPDATE idempotency_record SET state = 'answered', status = ${status}, lease_until = NULL, resource_id = ${resourceId}::uuid,
        resource_state = (SELECT r.state FROM registration r WHERE r.id = ${resourceId}::uuid), expires_at = now() + ${interval(retentionMs)},
        seal_version = ${sealed.version}, seal_kid = ${sealed.kid}, seal_wrapped_key = ${sealed.wrappedKey}, seal_ciphertext = ${sealed.ciphertext}
      WHERE ${isTurn(turn)} AND state = 'in_flight'` === 1),

    letGo: turn => guarded(async () => {
      await prisma.$executeRaw`UPDATE idempotency_record SET lease_until = now() WHERE ${isTurn(turn)} AND state = 'in_flight'`
    }),

    forget: turn => guarded(async () => {
      await prisma.$executeRaw`DELETE FROM idempotency_record WHERE ${isTurn(turn)} AND state = 'in_flight'`
    }),

    eraseExpired: limit => guarded(async () => await prisma.$executeRaw`
      DELETE FROM idempotency_record WHERE id IN (
        SELECT id FROM idempotency_record WHERE expires_at <= now() ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED)`)
  }
}

/** What stands for a resource that was changed or ended is not given again: a part of the change's own statement. */
export const voidAnswers = (resource: Prisma.Sql, except: string | null = null) => Prisma.sql`
  UPDATE idempotency_record SET state = 'void', lease_until = NULL, ${unsealed}
  WHERE resource_id = ${resource} AND state <> 'void' AND id IS DISTINCT FROM ${except}::uuid`

/** The same, in the transaction of the change. */
export function voidAnswersAbout (transaction: Pick<PrismaClient, '$executeRaw'>, resourceId: string): Prisma.PrismaPromise<number> {
  return transaction.$executeRaw(voidAnswers(Prisma.sql`${resourceId}::uuid`))
}

/** With a provider ends what belongs to it: the answers about all of it are void, in the transaction of its deletion. */
export function voidAnswersWithin (transaction: Pick<PrismaClient, '$executeRaw'>, providerId: string): Prisma.PrismaPromise<number> {
  const owned = ['caller', 'auth_strategy', 'provider_credential', 'registration']
    .map(table => Prisma.sql`SELECT id FROM ${Prisma.raw(table)} WHERE provider_id = ${providerId}::uuid`)
  return transaction.$executeRaw(voidAnswers(Prisma.sql`ANY (${Prisma.join(owned, ' UNION ALL ')})`))
}

// A record whose time is over and that is not erased yet begins anew in its place, with another id.
function openStatement (record: NewRecord): Prisma.Sql {
  const { id, callerId, operation, keyDigest, payload, resourceId, leaseMs, retentionMs } = record
  return Prisma.sql`
    WITH opened AS (
      INSERT INTO idempotency_record AS k (
        id, caller_id, operation, key_digest, payload_digest, pepper_id, state, attempt, resource_id, lease_until, created_at, expires_at)
      VALUES (
        ${id}::uuid, ${callerId}::uuid, ${operation}, ${keyDigest}, ${payload.digest}, ${payload.pepperId}, 'in_flight', 1, ${resourceId}::uuid,
        now() + ${interval(leaseMs)}, now(), now() + ${interval(retentionMs)})
      ON CONFLICT (caller_id, operation, key_digest) DO UPDATE SET
        id = excluded.id, payload_digest = excluded.payload_digest, pepper_id = excluded.pepper_id, state = 'in_flight', attempt = 1,
        resource_id = excluded.resource_id, resource_state = NULL, status = NULL, ${unsealed},
        lease_until = excluded.lease_until, created_at = excluded.created_at, expires_at = excluded.expires_at
      WHERE k.expires_at <= now()
      RETURNING id
    )
    SELECT o.id IS NOT NULL AS "isOpen", k.id::text, k.attempt, k.payload_digest AS "payloadDigest", k.pepper_id AS "pepperId", k.state,
      coalesce(k.lease_until <= now(), true) AS "isLapsed", k.resource_id::text AS "resourceId", r.state AS "registrationState",
      k.resource_state AS "answeredState", r.redeliver_until IS NOT NULL AS "isUndelivered", k.status, k.seal_version AS "sealVersion",
      k.seal_kid AS "sealKid", k.seal_wrapped_key AS "sealWrappedKey", k.seal_ciphertext AS "sealCiphertext"
    FROM (SELECT) one LEFT JOIN opened o ON true
      LEFT JOIN idempotency_record k ON o.id IS NULL AND k.caller_id = ${callerId}::uuid AND k.operation = ${operation} AND k.key_digest = ${keyDigest}
      LEFT JOIN registration r ON r.id = k.resource_id`
}

function toFound (row: Row & { id: string }): FoundRecord {
  const { id, attempt, payloadDigest, pepperId, state, isLapsed, resourceId, registrationState, answeredState, isUndelivered } = row
  const { status, sealVersion, sealKid, sealWrappedKey, sealCiphertext } = row
  const isAnswered = status !== null && sealVersion !== null && sealKid !== null && sealWrappedKey !== null && sealCiphertext !== null
  return {
    id,
    attempt,
    payload: { pepperId, digest: payloadDigest },
    state,
    isLapsed,
    resourceId,
    registrationState,
    answeredState,
    isUndelivered,
    answer: isAnswered ? { status, sealed: { version: sealVersion, kid: sealKid, wrappedKey: sealWrappedKey, ciphertext: sealCiphertext } } : null
  }
}
