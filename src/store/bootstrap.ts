// What must be in the database before the first request: the installation, the environment's provider with its default
// strategy, and the environment's callers. Safe to run on every start of every replica.
import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import { isV2Issuer } from '../administration/provider-place.ts'
import { DEFAULT_PROVIDER_NAME } from '../administration/provider-records.ts'
import { DEFAULT_POLICY_NAME } from '../registration/policy.ts'
import type { CallerKind } from '../registration/registration.ts'
import { Prisma } from './generated/client.ts'
import { keepCurrentVersions } from './policy-store.ts'
import type { RunStatement } from './statements.ts'
import { guarded } from './store-errors.ts'

export interface EnvironmentProvider {
  tenantId: string
  initialClientId: string
  /** The v1 issuer: what Konnect's strategy names. */
  issuer: string
}

/** A key of the environment, as digests only. */
export interface EnvironmentCaller {
  kind: CallerKind
  name: string
  scopes: string[]
  boundToProvider: boolean
  /** Of kind and key together, so that no two kinds share one; under every pepper in the keyring, the active one first. */
  digests: ReadonlyArray<{ pepperId: string, digest: Uint8Array }>
}

export interface Bootstrap {
  installationId: string
  providerId: string
  /** The provider has been taken into the database: what the environment says of it counts no more. */
  ignoresEnvironment: boolean
  /** Caller ids in the order of the keys given; null for a key that was revoked here: its tombstone wins over the environment. */
  callerIds: Array<string | null>
}

/** The database belongs to something else than the settings say. */
export class BootstrapError extends Error {
  constructor (message: string) {
    super(message)
    this.name = 'BootstrapError'
  }
}

/** The rows that every provider has from its first moment on. */
export function foundationOf (providerId: string, issuer: string, origin: 'environment' | 'database') {
  const version = isV2Issuer(issuer) ? 2 : 1
  return {
    // The seed page's form for v1 tokens, with the claim `appid`.
    strategy: {
      id: uuidv7(),
      providerId,
      name: 'default',
      origin,
      isDefault: true,
      issuer,
      credentialClaim: [version === 1 ? 'appid' : 'azp'],
      scopes: [],
      authMethods: ['client_credentials', 'bearer'],
      tokenVersion: version
    },
    // Open registrations belong to somebody too: one caller per provider, whom no key opens.
    anonymousCaller: {
      id: uuidv7(),
      kind: 'anonymous' satisfies CallerKind,
      name: 'open registration',
      origin: 'broker',
      keyDigest: createHash('sha256').update(`anonymous:${providerId}`).digest(),
      // Under no pepper that exists: its digest recognises nothing.
      pepperId: 'none',
      scopes: ['register'],
      providerId
    }
  }
}

export async function bootstrap (run: RunStatement, provider: EnvironmentProvider, callers: readonly EnvironmentCaller[]): Promise<Bootstrap> {
  return await guarded(async () => {
    const installationId = await ensureInstallation(run)
    const { id: providerId, origin } = await ensureProvider(run, provider)
    await ensureStrategy(run, foundationOf(providerId, provider.issuer, 'environment').strategy)
    await ensureDefaultPolicy(run)
    await keepCurrentVersions(run)
    await ensureAnonymousCallers(run)
    const callerIds: Array<string | null> = []
    for (const caller of callers) callerIds.push(await ensureCaller(run, providerId, caller))
    return { installationId, providerId, ignoresEnvironment: origin === 'database', callerIds }
  })
}

async function ensureInstallation (run: RunStatement): Promise<string> {
  // A second row can't exist (installation_single_row): of two replicas that start together one wins, both read the winner's.
  await run(Prisma.sql`INSERT INTO installation (id) VALUES (${uuidv7()}::uuid) ON CONFLICT DO NOTHING`)
  return there(await run<{ id: string }>(Prisma.sql`SELECT id FROM installation`)).id
}

async function ensureProvider (run: RunStatement, wanted: EnvironmentProvider): Promise<{ id: string, origin: string }> {
  const { tenantId, initialClientId, issuer } = wanted
  await run(Prisma.sql`
    INSERT INTO provider (id, name, origin, tenant_id, initial_client_id, issuer)
    VALUES (${uuidv7()}::uuid, ${DEFAULT_PROVIDER_NAME}, 'environment', ${tenantId}, ${initialClientId}, ${issuer}) ON CONFLICT DO NOTHING`)
  const row = there(await run<{ id: string, origin: string, issuer: string, tenantId: string }>(Prisma.sql`
    SELECT id, origin, issuer, tenant_id AS "tenantId" FROM provider WHERE name = ${DEFAULT_PROVIDER_NAME}`))
  if (row.origin === 'database') return row
  if (row.tenantId !== tenantId) {
    const { count } = there(await run<{ count: number }>(Prisma.sql`SELECT count(*)::int AS count FROM registration WHERE provider_id = ${row.id}::uuid`))
    // Another tenant knows none of these clients: their rows would be undone or drift one by one.
    if (count > 0) {
      throw new BootstrapError(`This database holds ${count} registrations of tenant ${row.tenantId}, but AZURE_TENANT_ID is ${tenantId}. Use another database, or the tenant they belong to.`)
    }
  }
  if (row.issuer !== issuer) {
    await run(Prisma.sql`
      UPDATE auth_strategy s SET issuer = ${issuer}, updated_at = now()
      FROM provider p WHERE p.id = ${row.id}::uuid AND p.origin = 'environment' AND s.provider_id = p.id AND s.issuer = ${row.issuer}`)
  }
  // Somebody may take it into the database meanwhile.
  await run(Prisma.sql`
    UPDATE provider SET tenant_id = ${tenantId}, initial_client_id = ${initialClientId}, issuer = ${issuer}, updated_at = now()
    WHERE id = ${row.id}::uuid AND origin = 'environment'`)
  return row
}

type Foundation = ReturnType<typeof foundationOf>

async function ensureStrategy (run: RunStatement, strategy: Foundation['strategy']): Promise<void> {
  const { id, providerId, name, origin, isDefault, issuer, credentialClaim, scopes, authMethods, tokenVersion } = strategy
  // A second default strategy can't exist.
  await run(Prisma.sql`
    INSERT INTO auth_strategy (id, provider_id, name, origin, is_default, issuer, credential_claim, scopes, auth_methods, token_version)
    VALUES (${id}::uuid, ${providerId}::uuid, ${name}, ${origin}, ${isDefault}, ${issuer}, ${credentialClaim}::text[], ${scopes}::text[],
      ${authMethods}::text[], ${tokenVersion})
    ON CONFLICT DO NOTHING`)
}

async function ensureDefaultPolicy (run: RunStatement): Promise<void> {
  // No rules of its own: what a policy does not say is what the release says.
  await run(Prisma.sql`INSERT INTO policy (id, name, rules) VALUES (${uuidv7()}::uuid, ${DEFAULT_POLICY_NAME}, '{}') ON CONFLICT DO NOTHING`)
}

async function ensureAnonymousCallers (run: RunStatement): Promise<void> {
  const providers = await run<{ id: string, issuer: string }>(Prisma.sql`SELECT id, issuer FROM provider WHERE deleted_at IS NULL`)
  for (const { id, issuer } of providers) await insertCaller(run, foundationOf(id, issuer, 'environment').anonymousCaller)
}

async function ensureCaller (run: RunStatement, providerId: string, caller: EnvironmentCaller): Promise<string | null> {
  const known = await findCaller(run, caller)
  if (known !== null) {
    // A release may give the environment's keys a scope that they did not have.
    if (caller.scopes.some(scope => !known.scopes.includes(scope))) {
      await run(Prisma.sql`UPDATE caller SET scopes = ${caller.scopes}::text[] WHERE id = ${known.id}::uuid`)
    }
    return known.isRevoked ? null : known.id
  }
  const active = caller.digests[0]
  if (active === undefined) throw new Error('A caller needs a digest')
  const { kind, name, scopes, boundToProvider } = caller
  await insertCaller(run, {
    id: uuidv7(), kind, name, origin: 'environment', keyDigest: active.digest, pepperId: active.pepperId, scopes, providerId: boundToProvider ? providerId : null
  })
  // Another replica may have been faster; no row at all would revoke the key without anybody having said so.
  const made = await findCaller(run, caller)
  if (made === null) throw new BootstrapError(`The key ${caller.name} is known to this database as another kind of caller. Replace it by a new one.`)
  return made.isRevoked ? null : made.id
}

type NewCaller = Omit<Foundation['anonymousCaller'], 'keyDigest' | 'providerId'> & { keyDigest: Uint8Array, providerId: string | null }

async function insertCaller (run: RunStatement, { id, kind, name, origin, keyDigest, pepperId, scopes, providerId }: NewCaller): Promise<void> {
  await run(Prisma.sql`
    INSERT INTO caller (id, kind, name, origin, key_digest, pepper_id, scopes, provider_id)
    VALUES (${id}::uuid, ${kind}, ${name}, ${origin}, ${Buffer.from(keyDigest)}, ${pepperId}, ${scopes}::text[], ${providerId}::uuid)
    ON CONFLICT DO NOTHING`)
}

async function findCaller (run: RunStatement, { kind, digests }: EnvironmentCaller) {
  const [caller] = await run<{ id: string, scopes: string[], isRevoked: boolean }>(Prisma.sql`
    SELECT id, scopes, revoked_at IS NOT NULL AS "isRevoked" FROM caller
    WHERE kind = ${kind} AND key_digest = ANY(${digests.map(({ digest }) => Buffer.from(digest))}::bytea[])
    ORDER BY created_at LIMIT 1`)
  return caller ?? null
}

function there<Row> ([row]: Row[]): Row {
  if (row === undefined) throw new Error('The database does not have what has just been put there')
  return row
}
