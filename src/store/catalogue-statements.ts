// What the catalogue reads, and how it learns that anything of it has changed.
import type { ProviderCredentialKind } from '../administration/provider-records.ts'
import type { PolicyRules } from '../registration/policy.ts'
import type { AuthStrategy, Caller, Provider, ScopeMapping } from '../registration/registration.ts'
import type { GatewayStrategyRow } from './gateway-strategy.ts'
import { Prisma } from './generated/client.ts'
import type { RunStatement } from './statements.ts'

// Kinds whose keys come with every request are kept, and what has no key to look up. Tokens for registering may be many, and callers with
// tokens of Entra too: they are looked up when they call.
const isKept = Prisma.sql`
  revoked_at IS NULL AND coalesce(expires_at > now(), true)
  AND (origin = 'environment' OR kind = 'anonymous' OR (origin = 'database' AND kind IN ('konnect', 'operator', 'gateway')))`

/** How a provider is reached, beside what the core knows of it. */
export interface StoredProvider extends Provider {
  initialClientId: string
  /** Null: the environment's. */
  authorityHost: string | null
  graphBaseUrl: string | null
  /** The active one; null: the environment's, or none. */
  credential: { id: string, kind: ProviderCredentialKind, clientId: string } | null
}

export interface CatalogueRows {
  /** Differs whenever a row of the catalogue differs, whichever column it is. */
  state: string
  installationId: string | null
  providers: StoredProvider[]
  strategies: Array<AuthStrategy & GatewayStrategyRow>
  /** `keyDigest`: of a key that the broker has made, in hex; null for others. */
  callers: Array<Caller & { keyDigest: string | null }>
  policies: Array<{ id: string, name: string, rules: Partial<PolicyRules> }>
  scopes: Array<ScopeMapping & { providerId: string }>
}

// Columns that change without changing what the catalogue says.
const restless = ['writes_spent_until', 'paused_until', 'usage_reported_at', 'last_used_at']

const digestOf = (table: string, condition = Prisma.sql`true`) => Prisma.sql`
  (SELECT count(*) || ':' || coalesce(md5(string_agg(md5((to_jsonb(t) - ${restless}::text[])::text), '' ORDER BY t.id)), '')
   FROM ${Prisma.raw(table)} t WHERE ${condition})`

const state = Prisma.sql`
  concat_ws('/', ${Prisma.join([
    digestOf('installation'), digestOf('provider'), digestOf('provider_credential'), digestOf('auth_strategy'), digestOf('policy'),
    digestOf('scope_mapping'), digestOf('caller', isKept)
  ])}) AS state`

/** One statement over small tables. */
export async function readCatalogueState (run: RunStatement): Promise<string> {
  return soleRow(await run<{ state: string }>(Prisma.sql`SELECT ${state}`)).state
}

const listOf = (select: Prisma.Sql) => Prisma.sql`(SELECT coalesce(json_agg(t), '[]') FROM (${select}) t)`

/**
 * All of it in one statement, and so as it was at one moment: no credential goes to the tenant of another, and what is made with a
 * provider is there. Expiry is on PostgreSQL's clock.
 */
export async function readCatalogue (run: RunStatement): Promise<CatalogueRows> {
  return soleRow(await run<CatalogueRows>(Prisma.sql`
    SELECT ${state},
      (SELECT id::text FROM installation) AS "installationId",
      ${listOf(Prisma.sql`
        SELECT id, name, tenant_id AS "tenantId", issuer, origin, initial_client_id AS "initialClientId",
          authority_host AS "authorityHost", graph_base_url AS "graphBaseUrl",
          (SELECT json_build_object('id', c.id, 'kind', c.kind, 'clientId', c.client_id)
           FROM provider_credential c WHERE c.provider_id = p.id AND c.state = 'active') AS credential
        FROM provider p WHERE deleted_at IS NULL ORDER BY created_at, id`)} AS providers,
      ${listOf(Prisma.sql`
        SELECT id, provider_id AS "providerId", name, konnect_auth_strategy_id AS "konnectAuthStrategyId", is_default AS "isDefault",
          token_version AS "tokenVersion", resource_app_id AS "resourceAppId", issuer, credential_claim AS "credentialClaim", audience,
          auth_methods AS "authMethods", extra_config AS "extraConfig", check_secrets_at_entra AS "checkSecretsAtEntra"
        FROM auth_strategy WHERE deleted_at IS NULL`)} AS strategies,
      ${listOf(Prisma.sql`
        SELECT id, kind, name, provider_id AS "providerId", scopes, policy_id AS "policyId", max_registrations AS "maxRegistrations",
          CASE WHEN origin = 'database' THEN encode(key_digest, 'hex') END AS "keyDigest"
        FROM caller WHERE ${isKept}`)} AS callers,
      ${listOf(Prisma.sql`SELECT id, name, rules FROM policy`)} AS policies,
      ${listOf(Prisma.sql`
        SELECT provider_id AS "providerId", name, resource_app_id AS "resourceAppId", permission_id AS "permissionId", type, granted
        FROM scope_mapping`)} AS scopes`))
}

function soleRow<Row> ([row]: Row[]): Row {
  if (row === undefined) throw new Error('The database does not say what the catalogue is')
  return row
}
