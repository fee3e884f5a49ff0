// What the catalogue reads of callers, and how it learns that anything of it has changed.
import type { Caller } from '../registration/registration.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'

// Kinds whose keys come with every request are kept, and what has no key to look up. Tokens for registering may be many, and callers with
// tokens of Entra too: they are looked up when they call.
const isKept = Prisma.sql`
  revoked_at IS NULL AND coalesce(expires_at > now(), true)
  AND (origin = 'environment' OR kind = 'anonymous' OR (origin = 'database' AND kind IN ('konnect', 'operator', 'gateway')))`

/** `keyDigest`: of a key that the broker has made; null for others. */
export type LivingCaller = Caller & { keyDigest: Uint8Array | null }

/** Expiry is on PostgreSQL's clock. */
export async function readLivingCallers (prisma: PrismaClient): Promise<LivingCaller[]> {
  return await prisma.$queryRaw<LivingCaller[]>`
    SELECT id::text, kind, name, provider_id::text AS "providerId", scopes, policy_id::text AS "policyId", max_registrations AS "maxRegistrations",
      CASE WHEN origin = 'database' THEN key_digest END AS "keyDigest"
    FROM caller WHERE ${isKept}`
}

// Columns that change without changing what the catalogue says.
const restless = ['writes_spent_until', 'paused_until', 'usage_reported_at', 'last_used_at']

const digestOf = (table: string, condition = Prisma.sql`true`) => Prisma.sql`
  (SELECT count(*) || ':' || coalesce(md5(string_agg(md5((to_jsonb(t) - ${restless}::text[])::text), '' ORDER BY t.id)), '')
   FROM ${Prisma.raw(table)} t WHERE ${condition})`

/** Differs whenever a row of the catalogue differs, whichever column it is: one statement over small tables. */
export async function readCatalogueState (prisma: PrismaClient): Promise<string> {
  const [row] = await prisma.$queryRaw<Array<{ state: string }>>`
    SELECT concat_ws('/', ${Prisma.join([
      digestOf('installation'), digestOf('provider'), digestOf('provider_credential'), digestOf('auth_strategy'), digestOf('policy'),
      digestOf('scope_mapping'), digestOf('caller', isKept)
    ])}) AS state`
  if (row === undefined) throw new Error('The database does not say what the catalogue is')
  return row.state
}
