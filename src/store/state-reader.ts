// The state of the installation, counted in PostgreSQL. Every statement is answered from an index, also with a million registrations.
import type { InstallationState, StateReader } from '../administration/state-port.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

const WITHIN_DAYS = [1, 7, 30] as const

export function createStateReader (prisma: PrismaClient): StateReader {
  return {
    async read () {
      // One after the other: a scrape takes one connection from the requests, not four.
      const registrations = await guarded(() => countByState(prisma))
      const work = await guarded(() => readWork(prisma))
      const expiringSecrets = await guarded(() => countExpiring(prisma))
      const ownCredentials = await guarded(() => prisma.$queryRaw<Array<InstallationState['ownCredentials'][number]>>`
        SELECT p.name AS provider, c.expires_at AS "expiresAt"
        FROM provider_credential c JOIN provider p ON p.id = c.provider_id
        WHERE c.state = 'active' AND c.expires_at IS NOT NULL AND p.deleted_at IS NULL`)
      const reconciliation = await guarded(() => readReconciliation(prisma))
      return { registrations, work, reconciliation, expiringSecrets, ownCredentials }
    }
  }
}

async function countByState (prisma: PrismaClient): Promise<InstallationState['registrations']> {
  return await prisma.$queryRaw<Array<InstallationState['registrations'][number]>>`
    SELECT p.name AS provider, r.state, r.count
    FROM (SELECT provider_id, state, count(*)::int AS count FROM registration GROUP BY provider_id, state) r
    JOIN provider p ON p.id = r.provider_id`
}

// A row that somebody works on is due after the end of its lease.
async function readWork (prisma: PrismaClient): Promise<InstallationState['work']> {
  return await prisma.$queryRaw<Array<InstallationState['work'][number]>>`
    SELECT p.name AS provider,
      coalesce(due.failing, 0)::int AS failing,
      greatest(0, coalesce(extract(epoch FROM now() - due.oldest), 0))::float8 AS "oldestDueSeconds",
      greatest(0, coalesce(extract(epoch FROM now() - unfinished.oldest), 0))::float8 AS "oldestUnfinishedSeconds"
    FROM provider p
    LEFT JOIN (
      SELECT provider_id, count(*) FILTER (WHERE attempts > 0) AS failing,
        min(due_at) FILTER (WHERE due_at < now()) AS oldest
      FROM registration WHERE due_at IS NOT NULL GROUP BY provider_id
    ) due ON due.provider_id = p.id
    LEFT JOIN (
      SELECT provider_id, min(created_at) AS oldest FROM registration
      WHERE state IN ('reserved', 'application_created', 'principal_created', 'secret_issued', 'undoing') GROUP BY provider_id
    ) unfinished ON unfinished.provider_id = p.id
    WHERE p.deleted_at IS NULL`
}

async function readReconciliation (prisma: PrismaClient): Promise<InstallationState['reconciliation']> {
  return await prisma.$queryRaw<Array<InstallationState['reconciliation'][number]>>`
    SELECT p.name AS provider, c.held_at IS NOT NULL AS "isHeld", c.looked_at AS "lookedAt",
      coalesce((SELECT sum((f->>'applications')::int) FROM jsonb_array_elements(c.report->'foreign') f), 0)::int AS foreign,
      coalesce((SELECT jsonb_agg(jsonb_build_object('kind', k.kind, 'count', k.count)) FROM (
        SELECT kind, count(*)::int AS count FROM reconciliation_finding WHERE provider_id = p.id GROUP BY kind
      ) k), '[]') AS findings
    FROM reconciliation c JOIN provider p ON p.id = c.provider_id WHERE p.deleted_at IS NULL`
}

async function countExpiring (prisma: PrismaClient): Promise<InstallationState['expiringSecrets']> {
  const [row] = await prisma.$queryRaw<Array<{ day: number, week: number, month: number }>>`
    SELECT count(*) FILTER (WHERE expires_at <= now() + interval '1 day')::int AS day,
      count(*) FILTER (WHERE expires_at <= now() + interval '7 days')::int AS week,
      count(*)::int AS month
    FROM credential WHERE state = 'active' AND expires_at > now() AND expires_at <= now() + interval '30 days'`
  const counts = [row?.day ?? 0, row?.week ?? 0, row?.month ?? 0]
  return WITHIN_DAYS.map((withinDays, index) => ({ withinDays, count: counts[index] ?? 0 }))
}
