// AuditChainStore over Prisma: which events come next, their seals, and reading both back.
import type { AuditChainStore, AuditSeal, OverduePosition, UnsealedEvents } from '../administration/audit-port.ts'
import { Prisma } from './generated/client.ts'
import type { AuditEventModel, AuditSealModel } from './generated/models.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/** Of the advisory lock that makes one sealer of all replicas ("audt"). */
const SEALER_LOCK = 0x61756474
/** Rows of one look through what is older than an hour. */
const OVERDUE_ROWS = 5_000
const BEGINNING: OverduePosition = { at: new Date(0), id: '00000000-0000-0000-0000-000000000000' }

type Transaction = Pick<PrismaClient, '$queryRaw' | '$executeRaw'>
type EventRow = Omit<AuditEventModel, 'txid'>
/** With its event's place among the transactions; null: the event is gone. */
type LastSeal = Pick<AuditSealModel, 'seq' | 'eventId' | 'mac' | 'pepperId'> & { txid: bigint | null }
interface OverdueRow { at: Date, id: string, is_sealed: boolean }

const eventColumns = Prisma.raw(`e.id::text, e.at, e.actor, e.action, e.outcome, e.registration_id::text AS "registrationId",
  e.provider_id::text AS "providerId", e.request_id AS "requestId", e.source_address AS "sourceAddress", e.detail`)
const isUnsealed = Prisma.sql`NOT EXISTS (SELECT FROM audit_seal s WHERE s.event_id = e.id)`

export function createAuditChainStore (prisma: PrismaClient): AuditChainStore {
  return {
    extend: (limit, overdue, extend) => guarded(async () => await prisma.$transaction(async transaction => {
      const [lock] = await transaction.$queryRaw<Array<{ mine: boolean }>>`SELECT pg_try_advisory_xact_lock(${SEALER_LOCK}::bigint) AS mine`
      if (lock?.mine !== true) return null
      const last = await lastSeal(transaction)
      const next = await nextEvents(transaction, last, limit, overdue)
      const seals = next.events.length === 0 ? [] : extend(last === null ? null : toSeal(last), next.events)
      if (seals.length > 0) await insertSeals(transaction, seals)
      return { seals, overdue: next.overdue }
    })),

    read: (afterSeq, limit) => guarded(async () => {
      const seals = await prisma.auditSeal.findMany({ where: { seq: { gt: afterSeq } }, orderBy: { seq: 'asc' }, take: limit })
      const rows = await prisma.auditEvent.findMany({ where: { id: { in: seals.map(seal => seal.eventId) } }, omit: { txid: true } })
      const events = new Map(rows.map(row => [row.id, row]))
      return seals.map(seal => ({ seal: toSeal(seal), event: events.get(seal.eventId) ?? null }))
    }),

    lastSeq: () => guarded(async () => Number((await prisma.auditSeal.aggregate({ _max: { seq: true } }))._max.seq ?? 0n)),

    countOverdue: limit => guarded(async () => {
      // The newest first: what an old chain has sealed long ago is not looked through to the end.
      const [row] = await prisma.$queryRaw<Array<{ count: number }>>`
        SELECT count(*)::int AS count FROM (
          SELECT e.id FROM audit_event e WHERE e.at < now() - interval '1 hour' ORDER BY e.at DESC LIMIT ${limit}
        ) e WHERE ${isUnsealed}`
      return row?.count ?? 0
    })
  }
}

/**
 * What every transaction before has ended for: an event of a lower number can't appear any more. Behind the last sealed one that
 * is everything, with one exception: in a new cluster, after a restore, transaction ids start again. So what is older than an hour
 * is looked through, too, once in a life of the process and then as it gets older.
 */
async function nextEvents (transaction: Transaction, last: LastSeal | null, limit: number, overdue: OverduePosition | null): Promise<UnsealedEvents> {
  const place = last?.txid === null ? await newestPlace(transaction) : last
  const behind = place === null || place.txid === null ? Prisma.sql`true` : Prisma.sql`(e.txid, e.id) > (${place.txid}, ${place.eventId}::uuid)`
  const events = await transaction.$queryRaw<EventRow[]>`
    SELECT ${eventColumns} FROM audit_event e
    WHERE ${behind} AND e.txid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint AND ${isUnsealed}
    ORDER BY e.txid, e.id LIMIT ${limit}`
  if (events.length > 0) return { events, overdue }
  const from = overdue ?? BEGINNING
  const rows = await transaction.$queryRaw<OverdueRow[]>`
    SELECT e.at, e.id::text, NOT ${isUnsealed} AS is_sealed FROM audit_event e
    WHERE e.at >= ${from.at} AND (e.at, e.id) > (${from.at}, ${from.id}::uuid) AND e.at < now() - interval '1 hour'
    ORDER BY e.at, e.id LIMIT ${OVERDUE_ROWS}`
  const open = rows.filter(row => !row.is_sealed).slice(0, limit).map(row => row.id)
  if (open.length === 0) return { events: [], overdue: rows.at(-1) ?? overdue }
  // The position stays: the next look begins with what is left of these.
  return {
    events: await transaction.$queryRaw<EventRow[]>`
      SELECT ${eventColumns} FROM audit_event e WHERE e.id = ANY(${open}::uuid[]) ORDER BY e.txid, e.id`,
    overdue
  }
}

async function lastSeal (transaction: Transaction): Promise<LastSeal | null> {
  const [last] = await transaction.$queryRaw<LastSeal[]>`
    SELECT s.seq, s.event_id::text AS "eventId", s.mac, s.pepper_id AS "pepperId", e.txid
    FROM audit_seal s LEFT JOIN audit_event e ON e.id = s.event_id ORDER BY s.seq DESC LIMIT 1`
  return last ?? null
}

/** Somebody who deletes the last event must not stop the sealer. */
async function newestPlace (transaction: Transaction): Promise<Pick<LastSeal, 'txid' | 'eventId'> | null> {
  const [newest] = await transaction.$queryRaw<Array<{ txid: bigint, eventId: string }>>`
    SELECT e.txid, e.id::text AS "eventId" FROM audit_seal s JOIN audit_event e ON e.id = s.event_id ORDER BY s.seq DESC LIMIT 1`
  return newest ?? null
}

async function insertSeals (transaction: Transaction, seals: readonly AuditSeal[]): Promise<void> {
  const rows = JSON.stringify(seals.map(({ seq, eventId, mac, pepperId }) =>
    ({ seq, event_id: eventId, mac: `\\x${Buffer.from(mac).toString('hex')}`, pepper_id: pepperId })))
  await transaction.$executeRaw`
    INSERT INTO audit_seal (seq, event_id, mac, pepper_id)
    SELECT s.seq, s.event_id, s.mac, s.pepper_id FROM jsonb_populate_recordset(NULL::audit_seal, ${rows}::jsonb) s`
}

function toSeal ({ seq, eventId, mac, pepperId }: Omit<LastSeal, 'txid'>): AuditSeal {
  return { seq: Number(seq), eventId, mac, pepperId }
}
