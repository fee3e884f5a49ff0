// AdoptionStore over Prisma: who may be adopted, and the row of who was. One statement a commit.
import type { AdoptedRegistration, AdoptionStore } from '../registration/ports.ts'
import type { AuditEntry } from '../registration/registration.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import { insertAudit } from './registration-statements.ts'
import { adoptedRegistrationJson, auditJson } from './row-json.ts'
import { guarded } from './store-errors.ts'

/** The permit, if all that the database knows allows the adoption. */
const permit = (providerId: string, clientId: string) => Prisma.sql`
  SELECT a.id FROM adoption_permit a JOIN provider p ON p.id = a.provider_id
  WHERE a.provider_id = ${providerId}::uuid AND a.client_id = ${clientId}::uuid AND p.adoption_enabled AND p.deleted_at IS NULL
    AND NOT EXISTS (SELECT FROM registration r WHERE r.client_id = a.client_id)
    AND NOT EXISTS (SELECT FROM provider b WHERE lower(b.initial_client_id) = a.client_id::text)
    AND NOT EXISTS (SELECT FROM provider_credential c WHERE lower(c.client_id) = a.client_id::text AND c.state <> 'removed')`

export function createAdoptionStore (prisma: PrismaClient): AdoptionStore {
  return {
    mayAdopt: (providerId: string, clientId: string) => guarded(async () =>
      (await prisma.$queryRaw<unknown[]>(permit(providerId, clientId))).length > 0),

    adopt: (entry: AdoptedRegistration, audit: readonly AuditEntry[]) => guarded(async () => {
      const rows = await prisma.$queryRaw<unknown[]>(adoptStatement(entry, auditJson(audit)))
      return rows.length > 0
    }),

    noteRefusal: (entry: AuditEntry) => guarded(async () => {
      await prisma.$executeRaw(insertAudit('(SELECT) AS one', auditJson([entry])))
    })
  }
}

// There is nothing to deliver and nothing to send: what was seen is what is wished for.
function adoptStatement (entry: AdoptedRegistration, audit: string): Prisma.Sql {
  return Prisma.sql`
    WITH permit AS (${permit(entry.providerId, entry.clientId)}), adopted AS (
      INSERT INTO registration (
        id, provider_id, strategy_id, caller_id, surface, state, metadata, client_name, display_name, description, tags, access_token_version,
        web_redirect_uris, public_redirect_uris, spa_redirect_uris, entra_settings, object_id, client_id, principal_id, applied_revision, delivery,
        created_at, updated_at, activated_at, adopted_at)
      SELECT
        n.id, n.provider_id, n.strategy_id, n.caller_id, 'konnect', 'active', n.metadata, n.client_name, n.display_name, n.description, n.tags, n.access_token_version,
        n.web_redirect_uris, n.public_redirect_uris, n.spa_redirect_uris, n.entra_settings, n.object_id, n.client_id, n.principal_id, 1, 'delivered',
        n.adopted_at, now(), n.adopted_at, n.adopted_at
      FROM permit, jsonb_populate_record(NULL::registration, ${adoptedRegistrationJson(entry)}::jsonb) n
      ON CONFLICT DO NOTHING
      RETURNING id
    ), used AS (
      UPDATE adoption_permit SET used_at = now() WHERE id IN (SELECT id FROM permit) AND EXISTS (SELECT FROM adopted)
    ), noted AS (${insertAudit('adopted', audit)})
    SELECT id::text FROM adopted`
}
