// ReconciliationDesk over Prisma: reports, holds, and the rows that operators have made again. Each change is one commit with its audit.
import type { DryRun, ProviderReport, ReconciliationDesk, RunReport, StoredFinding } from '../reconciliation/port.ts'
import type { HoldStore } from '../registration/ports.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import { findingColumns } from './reconciliation-store.ts'
import { insertAudit } from './registration-statements.ts'
import { auditJson, credentialsJson, restoredRegistrationJson } from './row-json.ts'
import { guarded } from './store-errors.ts'

interface ReportRow extends Omit<ProviderReport, 'report' | 'dryRun' | 'findings'> {
  report: RunReport | null
  dryRun: (Omit<DryRun, 'at' | 'findings'> & { at: string, findings: Array<DryRun['findings'][number] & { appearedAt: string | null }> }) | null
}

export function createHoldStore (prisma: PrismaClient): HoldStore {
  return {
    isOnHold: (providerId: string) => guarded(async () =>
      await prisma.reconciliation.count({ where: { providerId, heldAt: { not: null } } }) > 0)
  }
}

export function createReconciliationDesk (prisma: PrismaClient): ReconciliationDesk {
  const visible = (only: string | null) => only === null ? Prisma.sql`true` : Prisma.sql`p.id = ${only}::uuid`

  return {
    ...createHoldStore(prisma),

    reports: (only, limit) => guarded(async () => {
      const rows = await prisma.$queryRaw<ReportRow[]>`
        SELECT p.id::text AS "providerId", p.name AS provider, coalesce(c.running_until > now(), false) AS "isRunning", c.started_at AS "startedAt", c.finished_at AS "finishedAt",
          (extract(epoch FROM c.finished_at - c.looked_at) * 1000)::float8 AS "durationMs", c.fault, c.held_at AS "heldAt", c.held_for::text AS "heldFor", c.report, c.dry_run AS "dryRun",
          (SELECT count(*)::int FROM reconciliation_finding f WHERE f.provider_id = p.id) AS "findingCount"
        FROM provider p LEFT JOIN reconciliation c ON c.provider_id = p.id WHERE p.deleted_at IS NULL AND ${visible(only)} ORDER BY p.name`
      const findings = limit === 0 ? [] : await readFindings(prisma, rows.map(({ providerId }) => providerId), limit)
      return rows.map(row => ({ ...row, dryRun: toDryRun(row.dryRun), findings: findings.filter(({ providerId }) => providerId === row.providerId) }))
    }),

    findUnknown: (clientId, only) => guarded(async () => {
      const [finding] = await prisma.$queryRaw<Array<StoredFinding & { providerId: string }>>`
        SELECT p.id::text AS "providerId", ${findingColumns} FROM reconciliation_finding f JOIN provider p ON p.id = f.provider_id
        WHERE f.kind = 'unknown_application' AND f.client_id = ${clientId}::uuid AND p.deleted_at IS NULL AND ${visible(only)} LIMIT 1`
      return finding ?? null
    }),

    release: (providerIds, { actor, requestId, sourceAddress = null }) => guarded(async () => {
      const rows = await prisma.$queryRaw<Array<{ name: string }>>`
        WITH released AS (
          UPDATE reconciliation SET held_at = NULL, held_for = NULL, released_at = now() WHERE provider_id = ANY(${[...providerIds]}::uuid[]) AND held_at IS NOT NULL
          RETURNING provider_id
        ), noted AS (
          INSERT INTO audit_event (id, at, actor, action, outcome, provider_id, request_id, source_address, detail)
          SELECT gen_random_uuid(), now(), ${actor}, 'reconciliation.released', 'succeeded', provider_id, ${requestId}, ${sourceAddress}, '{}' FROM released
        )
        SELECT p.name FROM released r JOIN provider p ON p.id = r.provider_id ORDER BY p.name`
      return rows.map(({ name }) => name)
    }),

    restore: (entry, audit) => guarded(async () => (await prisma.$queryRaw<unknown[]>`
      WITH finding AS (
        DELETE FROM reconciliation_finding WHERE kind = 'unknown_application' AND provider_id = ${entry.providerId}::uuid AND client_id = ${entry.clientId}::uuid
          AND NOT EXISTS (SELECT FROM registration r WHERE r.id = ${entry.id}::uuid OR (r.provider_id = ${entry.providerId}::uuid AND r.client_id = ${entry.clientId}::uuid))
        RETURNING registration_id
      ), restored AS (
        INSERT INTO registration (
          id, provider_id, strategy_id, caller_id, surface, state, metadata, client_name, display_name, description, tags, access_token_version,
          web_redirect_uris, public_redirect_uris, spa_redirect_uris, entra_settings, account_enabled, applied_enabled, object_id, client_id, principal_id,
          applied_revision, delivery, created_at, updated_at, activated_at, renewed_at, disabled_at, disabled_by)
        SELECT
          n.id, n.provider_id, n.strategy_id, n.caller_id, n.surface, CASE WHEN n.account_enabled THEN 'active' ELSE 'disabled' END, n.metadata, n.client_name, n.display_name,
          n.description, n.tags, n.access_token_version, n.web_redirect_uris, n.public_redirect_uris, n.spa_redirect_uris, n.entra_settings, n.account_enabled, n.account_enabled,
          n.object_id, n.client_id, n.principal_id, 1, 'delivered', n.created_at, now(), n.created_at, now(),
          CASE WHEN n.account_enabled THEN NULL ELSE now() END, CASE WHEN n.account_enabled THEN NULL ELSE 'operator' END
        FROM finding, jsonb_populate_record(NULL::registration, ${restoredRegistrationJson(entry)}::jsonb) n
        ON CONFLICT DO NOTHING RETURNING id
      ), known AS (
        INSERT INTO credential (id, registration_id, state, key_id, hint, expires_at, created_at)
        SELECT k.id, r.id, k.state, k.key_id, k.hint, k.expires_at, k.created_at
        FROM restored r, jsonb_populate_recordset(NULL::credential, ${credentialsJson(entry.credentials)}::jsonb) k ON CONFLICT DO NOTHING
      ), noted AS (${insertAudit('restored', auditJson([audit]))})
      SELECT id::text FROM restored`).length === 1),

    take: (providerId, clientId, audit) => guarded(async () => (await prisma.$queryRaw<unknown[]>`
      WITH taken AS (
        DELETE FROM reconciliation_finding WHERE kind = 'unknown_application' AND provider_id = ${providerId}::uuid AND client_id = ${clientId}::uuid
          AND NOT EXISTS (SELECT FROM registration r WHERE r.id = registration_id OR (r.provider_id = ${providerId}::uuid AND r.client_id = ${clientId}::uuid))
        RETURNING id
      ), noted AS (${insertAudit('taken', auditJson([audit]))})
      SELECT id::text FROM taken`).length === 1),

    noteDone: audit => guarded(async () => { await prisma.$executeRaw(insertAudit('(SELECT) AS one', auditJson([audit]))) }),

    callerOf: (id, providerId) => guarded(async () => await prisma.caller.findFirst({
      where: { id, revokedAt: null, OR: [{ providerId: null }, { providerId }], AND: { OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }] } },
      select: { id: true, kind: true }
    }))
  }
}

/** The newest of each provider. */
async function readFindings (prisma: PrismaClient, providerIds: string[], limit: number): Promise<Array<StoredFinding & { providerId: string }>> {
  return await prisma.$queryRaw`
    SELECT p.id::text AS "providerId", f.* FROM unnest(${providerIds}::uuid[]) p(id), LATERAL (
      SELECT ${findingColumns} FROM reconciliation_finding f WHERE f.provider_id = p.id ORDER BY f.first_seen_at DESC, f.id DESC LIMIT ${limit}
    ) f`
}

function toDryRun (stored: ReportRow['dryRun']): DryRun | null {
  if (stored === null) return null
  const findings = stored.findings.map(finding => ({ ...finding, appearedAt: finding.appearedAt === null ? null : new Date(finding.appearedAt) }))
  return { ...stored, at: new Date(stored.at), findings }
}
