// ReconciliationStore over Prisma: one run of a provider at a time, what it sees, and what it finds. A statement that a run writes is fenced by its token.
import { v7 as uuidv7 } from 'uuid'
import type { DryRun, Finding, KnownRow, LivingRow, ReconciliationStore, Run, StoredFinding } from '../reconciliation/port.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/** Behind it are all ids. */
const FIRST = '00000000-0000-0000-0000-000000000000'
const FORGOTTEN_AT_ONCE = 10_000

const milliseconds = (ms: number) => Prisma.sql`${ms}::float8 * interval '1 millisecond'`

interface RunRow {
  token: bigint
  started_at: Date
  looked_at: Date | null
  held_at: Date | null
  released_at: Date | null
  adopted_cursor: string | null
  newest_row_at: Date | null
}

/** As the report shows them and the acts work through them. */
export const findingColumns = Prisma.raw(`f.kind, f.client_id::text AS "clientId", f.object_id::text AS "objectId", f.registration_id::text AS "registrationId",
  f.display_name AS "displayName", f.appeared_at AS "appearedAt", f.count, f.first_seen_at AS "firstSeenAt", f.last_seen_at AS "lastSeenAt", f.looks`)

const livingColumns = Prisma.raw('r.id::text AS "registrationId", r.client_id::text AS "clientId", r.object_id::text AS "objectId", r.display_name AS "displayName"')

/** A run that has lost its provider writes nothing. */
const isRunning = ({ providerId, token }: Run) =>
  Prisma.sql`EXISTS (SELECT FROM reconciliation c WHERE c.provider_id = ${providerId}::uuid AND c.run_token = ${token}::int8)`

export function createReconciliationStore (prisma: PrismaClient): ReconciliationStore {
  return {
    begin: (providerId, { leaseMs, isDry, notWithinMs }) => guarded(async (): Promise<Run | null> => {
      await prisma.$executeRaw`INSERT INTO reconciliation (provider_id) VALUES (${providerId}::uuid) ON CONFLICT DO NOTHING`
      const [row] = await prisma.$queryRaw<RunRow[]>`
        UPDATE reconciliation SET run_token = run_token + 1, started_at = CASE WHEN ${isDry} THEN started_at ELSE now() END, running_until = now() + ${milliseconds(leaseMs)}
        WHERE provider_id = ${providerId}::uuid AND (running_until IS NULL OR running_until < now())
          AND (started_at IS NULL OR ${notWithinMs}::float8 = 0 OR started_at + ${milliseconds(notWithinMs)} < now())
        RETURNING run_token AS token, now() AS started_at, looked_at, held_at, released_at, adopted_cursor::text, (SELECT max(created_at) FROM registration) AS newest_row_at`
      if (row === undefined) return null
      // Of a run that was killed.
      await forgetSights(prisma, providerId, row.token - 1n)
      return {
        providerId,
        token: row.token,
        startedAt: row.started_at,
        isDry,
        newestRowAt: row.newest_row_at,
        lookedAt: row.looked_at,
        isHeld: row.held_at !== null,
        releasedAt: row.released_at,
        adoptedCursor: row.adopted_cursor
      }
    }),

    renew: ({ providerId, token }, leaseMs) => guarded(async () => await prisma.$executeRaw`
      UPDATE reconciliation SET running_until = now() + ${milliseconds(leaseMs)} WHERE provider_id = ${providerId}::uuid AND run_token = ${token}` === 1),

    knownRows: (providerId, registrationIds, clientIds) => guarded(async () => {
      if (registrationIds.length === 0) return []
      return await prisma.$queryRaw<KnownRow[]>`
        SELECT r.id::text, r.provider_id::text AS "providerId", r.state, r.client_id::text AS "clientId", r.object_id::text AS "objectId", r.adopted_at IS NOT NULL AS "isAdopted", r.sweeps,
          r.purge_at IS NOT NULL AS "isPurgeDue",
          coalesce((SELECT jsonb_agg(jsonb_build_object('id', k.id, 'state', k.state, 'keyId', k.key_id)) FROM credential k WHERE k.registration_id = r.id), '[]') AS credentials
        FROM registration r
        WHERE r.id = ANY(${[...registrationIds]}::uuid[]) OR (r.provider_id = ${providerId}::uuid AND r.client_id = ANY(${[...clientIds]}::uuid[]))`
    }),

    see: (run, registrationIds) => guarded(async () => {
      if (registrationIds.length === 0) return
      await prisma.$executeRaw`
        INSERT INTO reconciliation_sight (provider_id, run_token, registration_id)
        SELECT ${run.providerId}::uuid, ${run.token}, id FROM unnest(${[...registrationIds]}::uuid[]) id WHERE ${isRunning(run)} ON CONFLICT DO NOTHING`
    }),

    // Slice by slice: one statement over a million rows would run into its time-out, and a plan for any `after` must not begin at the first row.
    unseenRows: ({ providerId, token }, before, after, limit) => guarded(async () => {
      const [slice] = await prisma.$queryRaw<[{ looked: number, last: string | null, rows: LivingRow[] }]>`
        WITH slice AS MATERIALIZED (
          SELECT r.id, r.client_id, r.object_id, r.display_name,
            r.state IN ('active', 'disabled') AND r.adopted_at IS NULL AND r.object_id IS NOT NULL AND r.client_id IS NOT NULL AND r.activated_at < ${before} AS counts
          FROM registration r WHERE r.provider_id = ${providerId}::uuid AND r.id > ${after ?? FIRST}::uuid ORDER BY r.id LIMIT ${limit}
        )
        SELECT (SELECT count(*)::int FROM slice) AS looked, (SELECT r.id::text FROM slice r ORDER BY r.id DESC LIMIT 1) AS last,
          coalesce((
            SELECT jsonb_agg(jsonb_build_object('registrationId', r.id, 'clientId', r.client_id, 'objectId', r.object_id, 'displayName', r.display_name) ORDER BY r.id)
            FROM slice r WHERE r.counts
              -- Counted, row by row: NOT EXISTS becomes a join, for which all that was seen is read again with each slice.
              AND 0 = (SELECT count(*) FROM reconciliation_sight s WHERE s.provider_id = ${providerId}::uuid AND s.run_token = ${token} AND s.registration_id = r.id)
          ), '[]') AS rows`
      return { rows: slice.rows, next: slice.looked < limit ? null : slice.last }
    }),

    adoptedRows: (providerId, after, limit) => guarded(async () => await prisma.$queryRaw<LivingRow[]>`
      SELECT ${livingColumns} FROM registration r
      WHERE r.provider_id = ${providerId}::uuid AND r.state IN ('active', 'disabled') AND r.adopted_at IS NOT NULL AND r.object_id IS NOT NULL AND r.client_id IS NOT NULL
        AND r.id > ${after ?? FIRST}::uuid
      ORDER BY r.id LIMIT ${limit}`),

    note: (run, findings) => guarded(async () => {
      await prisma.$executeRaw`
        INSERT INTO reconciliation_finding (id, provider_id, kind, client_id, object_id, registration_id, display_name, appeared_at, count, run_token)
        SELECT n.id, ${run.providerId}::uuid, n.kind, n.client_id, n.object_id, n.registration_id, n.display_name, n.appeared_at, n.count, ${run.token}
        FROM jsonb_populate_recordset(NULL::reconciliation_finding, ${findingsJson(findings)}::jsonb) n WHERE ${isRunning(run)}
        ON CONFLICT (provider_id, kind, client_id) DO UPDATE SET
          object_id = excluded.object_id, registration_id = excluded.registration_id, display_name = excluded.display_name, appeared_at = excluded.appeared_at,
          count = excluded.count, last_seen_at = now(), looks = reconciliation_finding.looks + 1, run_token = excluded.run_token`
    }),

    findings: (providerId, kind, after, limit) => guarded(async () => await prisma.$queryRaw<StoredFinding[]>`
      SELECT ${findingColumns} FROM reconciliation_finding f
      WHERE f.provider_id = ${providerId}::uuid AND f.kind = ${kind} AND (${after}::uuid IS NULL OR f.client_id > ${after}::uuid)
        -- What this run has not seen again is over.
        AND f.run_token = (SELECT c.run_token FROM reconciliation c WHERE c.provider_id = f.provider_id)
      ORDER BY f.client_id LIMIT ${limit}`),

    findingsOf: (providerId, kind, clientIds) => guarded(async () => await prisma.$queryRaw<StoredFinding[]>`
      SELECT ${findingColumns} FROM reconciliation_finding f
      WHERE f.provider_id = ${providerId}::uuid AND f.kind = ${kind} AND f.client_id = ANY(${[...clientIds]}::uuid[])`),

    settle: (providerId, kind, clientId) => guarded(async () => {
      await prisma.$executeRaw`DELETE FROM reconciliation_finding WHERE provider_id = ${providerId}::uuid AND kind = ${kind} AND client_id = ${clientId}::uuid`
    }),

    hold: (run, clientId) => guarded(async () => {
      await prisma.$executeRaw`
        WITH held AS (
          UPDATE reconciliation SET held_at = now(), held_for = ${clientId}::uuid
          WHERE provider_id = ${run.providerId}::uuid AND run_token = ${run.token} AND held_at IS NULL RETURNING provider_id
        )
        INSERT INTO audit_event (id, at, actor, action, outcome, provider_id, detail)
        SELECT ${uuidv7()}::uuid, now(), 'broker', 'reconciliation.held', 'succeeded', provider_id, jsonb_build_object('client_id', ${clientId}::text) FROM held`
    }),

    finish: (run, report, adoptedCursor) => guarded(async () => {
      await prisma.$executeRaw`
        WITH finished AS (
          UPDATE reconciliation SET running_until = NULL, looked_at = started_at, finished_at = now(), fault = NULL, report = ${JSON.stringify(report)}::jsonb,
            adopted_cursor = ${adoptedCursor}::uuid
          WHERE provider_id = ${run.providerId}::uuid AND run_token = ${run.token} RETURNING provider_id
        )
        DELETE FROM reconciliation_finding f USING finished c WHERE f.provider_id = c.provider_id AND f.run_token < ${run.token} AND NOT ${isOfAdopted}`
      await forgetSights(prisma, run.providerId, run.token)
    }),

    fail: (run, fault) => guarded(async () => { await end(prisma, run, Prisma.sql`fault = ${fault}, dry_run = CASE WHEN ${run.isDry} THEN NULL ELSE dry_run END`) }),

    finishDry: (run, dryRun: DryRun) => guarded(async () => { await end(prisma, run, Prisma.sql`dry_run = ${JSON.stringify(dryRun)}::jsonb`) })
  }
}

/** Not every run looks for an adopted application. */
const isOfAdopted = Prisma.sql`(f.kind = 'application_missing' AND EXISTS (
  SELECT FROM registration r WHERE r.id = f.registration_id AND r.adopted_at IS NOT NULL AND r.state IN ('active', 'disabled')))`

async function end (prisma: PrismaClient, run: Run, change: Prisma.Sql): Promise<void> {
  await prisma.$executeRaw`
    UPDATE reconciliation SET running_until = NULL, ${change} WHERE provider_id = ${run.providerId}::uuid AND run_token = ${run.token}`
  await forgetSights(prisma, run.providerId, run.token)
}

/** The run has begun or ended already, and is not undone for this: what stays is forgotten by the next one. */
async function forgetSights (prisma: PrismaClient, providerId: string, token: bigint): Promise<void> {
  await deleteSights(prisma, providerId, token).catch(() => {})
}

/**
 * What runs up to this one have seen, so much at a time: a million rows in one statement would run into its time-out. In the order of
 * the key and behind the last one, or each statement would pass over all that the ones before have deleted. By their place in the table,
 * where a sight stays while it lives: by their keys PostgreSQL reads the whole table for each slice.
 */
async function deleteSights (prisma: PrismaClient, providerId: string, token: bigint): Promise<void> {
  let last: { run_token: bigint, registration_id: string } | undefined = { run_token: 0n, registration_id: FIRST }
  while (last !== undefined) {
    [last] = await prisma.$queryRaw<Array<typeof last>>`
      WITH gone AS (
        DELETE FROM reconciliation_sight WHERE ctid = ANY (ARRAY(
          SELECT ctid FROM reconciliation_sight
          WHERE provider_id = ${providerId}::uuid AND run_token <= ${token} AND (run_token, registration_id) > (${last.run_token}, ${last.registration_id}::uuid)
          ORDER BY run_token, registration_id LIMIT ${FORGOTTEN_AT_ONCE}
        )) RETURNING run_token, registration_id
      )
      SELECT run_token, registration_id::text FROM gone ORDER BY run_token DESC, gone.registration_id DESC LIMIT 1`
  }
}

function findingsJson (findings: readonly Finding[]): string {
  return JSON.stringify(findings.map(finding => ({
    id: uuidv7(),
    kind: finding.kind,
    client_id: finding.clientId,
    object_id: finding.objectId,
    registration_id: finding.registrationId,
    display_name: finding.displayName,
    appeared_at: finding.appearedAt,
    count: finding.count
  })))
}
