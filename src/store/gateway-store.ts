// What gateways ask of the database: clients by their id, what has changed, and when clients were last used.
import type { ClientChanges, GatewayClient, GatewayStore } from '../gateway/port.ts'
import type { Verifier } from '../registration/ports.ts'
import type { ClientMetadata, KonnectContext } from '../registration/registration.ts'
import { createGatheredReads } from './gathered-reads.ts'
import { Prisma } from './generated/client.ts'
import type { RunStatement } from './statements.ts'
import { guarded } from './store-errors.ts'
import { createUnknownLately } from './unknown-lately.ts'

/** More of them at once are not told one by one. */
const MOST_TOLD = 1_000
/** Nobody asks for changes of more than a minute ago. */
const REMEMBERED = Prisma.sql`interval '1 hour'`
/** How long Entra may take a secret that was removed there: minutes, with a wide margin. */
const REVOKED_LATELY = Prisma.sql`interval '1 day'`
/** As long as a source of use may be silent about a replica that has not written yet. */
const REPORT_MARGIN = Prisma.sql`interval '1 minute'`
/** The name under which a provider declares that gateways report its clients' use. */
export const GATEWAY_USAGE_SOURCE = 'gateway'

interface ClientRow {
  id: string
  providerId: string
  strategyId: string
  clientId: string
  clientName: string
  state: string
  isAdopted: boolean
  metadata: ClientMetadata
  labels: Record<string, string>
  konnect: KonnectContext | null
  applicationId: string | null
  secrets: Array<{ is_active: boolean, verifier: string, pepper_id: string, expires_at: string | null }> | null
  events: Array<{ type: string, product_id: string | null, received_at: string }> | null
}

const clientsStatement = (clientIds: readonly string[]) => Prisma.sql`
  SELECT r.id, r.provider_id AS "providerId", r.strategy_id AS "strategyId", r.client_id AS "clientId", r.client_name AS "clientName", r.state,
    r.adopted_at IS NOT NULL AS "isAdopted", r.metadata, r.labels, r.konnect, r.application_id AS "applicationId", s.secrets, e.events
  FROM registration r
  LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
      'is_active', c.state = 'active', 'verifier', encode(c.verifier, 'hex'), 'pepper_id', c.pepper_id, 'expires_at', c.expires_at)) AS secrets
    FROM credential c
    WHERE c.registration_id = r.id AND c.verifier IS NOT NULL
      AND (c.state = 'active' OR (r.adopted_at IS NOT NULL AND (c.state <> 'revoked' OR c.updated_at > now() - ${REVOKED_LATELY})))
  ) s ON true
  LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('type', l.type, 'product_id', l.product_id, 'received_at', l.received_at) ORDER BY l.received_at, l.id) AS events
    FROM (
      -- Of each product the latest word counts.
      SELECT DISTINCT ON (v.product_id) v.id, v.type, v.product_id, v.received_at FROM registration_event v
      WHERE v.registration_id = r.id AND v.product_id IS NOT NULL AND v.type IN ('add_registration', 'remove_registration')
      ORDER BY v.product_id, v.received_at DESC, v.id DESC
    ) l
  ) e ON true
  WHERE r.client_id IN (SELECT unnest(${clientIds}::uuid[]))`

export function createGatewayStore (run: RunStatement, monotonicMs: () => number): GatewayStore {
  const unknown = createUnknownLately(monotonicMs)
  const reads = createGatheredReads<string, GatewayClient[]>({
    nameOf: clientId => clientId,
    read: clientIds => guarded(async () => byClientId(await run<ClientRow>(clientsStatement(clientIds)))),
    monotonicMs
  })

  return {
    async findClients (clientId) {
      if (unknown.has(clientId)) return []
      const found = await reads.find(clientId)
      if (found === null) unknown.add(clientId)
      return found ?? []
    },

    changesSince: moment => guarded(async (): Promise<ClientChanges> => {
      // What transactions have written that were open at that moment or have begun since; each is told once, however long another stays open
      // (pg_dump's don't count, but those of other databases do). Moments that this snapshot does not know are of another time, before a restore.
      const [row] = await run<{ upTo: string, isPast: boolean, clientIds: string[] }>(Prisma.sql`
        SELECT s::text AS "upTo", coalesce(pg_snapshot_xmin(${moment}::pg_snapshot) <= pg_snapshot_xmax(s), false) AS "isPast", ARRAY(
          SELECT DISTINCT client_id::text FROM client_change
          WHERE txid >= pg_snapshot_xmin(${moment}::pg_snapshot)::text::bigint AND txid < pg_snapshot_xmax(s)::text::bigint
            AND NOT pg_visible_in_snapshot(txid::text::xid8, ${moment}::pg_snapshot) LIMIT ${MOST_TOLD + 1}
        ) AS "clientIds"
        FROM pg_current_snapshot() s`)
      if (row === undefined) throw new Error('The database does not say what has changed')
      return { upTo: row.upTo, clientIds: row.isPast && row.clientIds.length <= MOST_TOLD ? row.clientIds : null }
    }),

    recordUses: uses => guarded(async () => {
      await run(Prisma.sql`
        WITH used AS (
          -- In one order at every replica, so that none waits for another that waits for it.
          SELECT r.id, least(u.at, now()) AS at FROM unnest(${[...uses.keys()]}::uuid[], ${[...uses.values()]}::timestamptz[]) u(id, at)
          JOIN registration r ON r.id = u.id AND (r.last_used_at IS NULL OR r.last_used_at < u.at)
          ORDER BY r.id FOR NO KEY UPDATE OF r
        ), noted AS (
          UPDATE registration r SET last_used_at = greatest(r.last_used_at, used.at) FROM used WHERE r.id = used.id
        )
        UPDATE provider SET usage_reported_at = greatest(usage_reported_at, now() - ${REPORT_MARGIN})
        WHERE usage_source = ${GATEWAY_USAGE_SOURCE} AND deleted_at IS NULL
          -- Every replica reports; one is enough.
          AND (usage_reported_at IS NULL OR usage_reported_at < now() - 2 * ${REPORT_MARGIN})`)
    }),

    forgetChanges: () => guarded(async () => {
      const forgotten = await run(Prisma.sql`DELETE FROM client_change WHERE at < now() - ${REMEMBERED} RETURNING 1`)
      return forgotten.length
    })
  }
}

function byClientId (rows: readonly ClientRow[]): Map<string, GatewayClient[]> {
  const found = new Map<string, GatewayClient[]>()
  for (const row of rows) found.set(row.clientId, [...found.get(row.clientId) ?? [], toGatewayClient(row)])
  return found
}

function toGatewayClient (row: ClientRow): GatewayClient {
  return {
    registrationId: row.id,
    providerId: row.providerId,
    strategyId: row.strategyId,
    clientId: row.clientId,
    clientName: row.clientName,
    isActive: row.state === 'active',
    isAdopted: row.isAdopted,
    scopes: row.metadata.scopes,
    labels: row.labels,
    applicationId: row.applicationId,
    developerId: row.konnect?.developerId ?? null,
    products: (row.events ?? []).flatMap(({ type, product_id: product }) => type === 'add_registration' && product !== null ? [product] : []),
    secrets: (row.secrets ?? []).map(({ is_active: isActive, verifier, pepper_id: pepperId, expires_at: expiresAt }) => ({
      isActive,
      verifier: { pepperId, digest: Buffer.from(verifier, 'hex') } satisfies Verifier,
      expiresAt: expiresAt === null ? null : new Date(expiresAt)
    }))
  }
}
