// Many registrations at once, as finished sagas leave them: three of four registered by the standard, with a sealed secret that the
// bench's keyring opens and a registration access token; one of four by Konnect, whose sealed secret was erased when it was delivered.
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import type { EnvelopeVault } from '../../src/vault/envelope-vault.ts'

const BATCH = 10_000
const STEP_MS = 5_000
/** Nothing here is too young to be judged by a reconciliation. */
const YOUNGEST_MS = 2 * 3_600_000
const SAMPLES = 200

/** Whose the rows are; they are there already. */
export interface Owners {
  providerId: string
  strategyId: string
  policyId: string
  konnectCallerId: string
  tokenCallerId: string
}

/** A client that is read with its token. */
export interface ReadableClient {
  clientId: string
  token: string
}

interface Row {
  n: number
  id: string
  surface: 'register' | 'konnect'
  objectId: string
  clientId: string
  principalId: string
  digest: Buffer | null
  createdAt: Date
}

interface CredentialRow {
  id: string
  registrationId: string
  keyId: string
  version: number | null
  kid: string | null
  wrappedKey: Buffer | null
  ciphertext: Buffer | null
  verifier: Buffer
  pepperId: string
}

/** Fills an empty database in which the broker has been started once. Resolves to clients spread over all of it. */
export async function fillWithRegistrations (
  url: string, count: number, owners: Owners, vault: EnvelopeVault, progress: (text: string) => void
): Promise<ReadableClient[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const readable: ReadableClient[] = []
  const newestMs = Date.now() - YOUNGEST_MS
  try {
    await client.query(forLoading)
    const { rows: indexes } = await client.query<{ name: string, definition: string }>(secondaryIndexes)
    for (const { name } of indexes) await client.query(`DROP INDEX ${name}`)
    let writing: Promise<unknown> = Promise.resolve()
    for (let done = 0; done < count; done += BATCH) {
      const last = Math.min(done + BATCH, count)
      const rows = Array.from({ length: last - done }, (_, index) => rowOf(done + index + 1, newestMs - (count - done - index) * STEP_MS))
      const credentials = await Promise.all(rows.map(async row => await credentialOf(row, vault)))
      for (const { n, clientId, surface } of rows) {
        if (surface === 'register' && isLiving(n, count) && readable.length * (count / SAMPLES) < n) readable.push({ clientId, token: tokenOf(n) })
      }
      // The next rows are made while these are written.
      await writing
      writing = insert(client, rows, credentials, owners, count).then(() => progress(`loaded ${last} of ${count}`))
      writing.catch(() => {})
    }
    await writing
    for (const { definition } of indexes) await client.query(definition)
    progress(`made ${indexes.length} indexes again`)
    await client.query('VACUUM ANALYZE')
    return readable
  } finally {
    await client.end()
  }
}

// As stateOf in the statement has it: the same few drifted at any size, so that a filter for them finds as many.
function isLiving (n: number, count: number): boolean {
  return n % Math.ceil(count / 10) !== 0 && n % 50 !== 0
}

function tokenOf (n: number): string {
  return `dcr_rat_${createHash('sha256').update(`token ${n}`).digest('base64url')}`
}

function rowOf (n: number, createdMs: number): Row {
  const surface = n % 4 === 0 ? 'konnect' : 'register'
  return {
    n,
    id: uuidv7({ msecs: createdMs }),
    surface,
    objectId: randomUUID(),
    clientId: randomUUID(),
    principalId: randomUUID(),
    digest: surface === 'konnect' ? null : createHash('sha256').update(tokenOf(n)).digest(),
    createdAt: new Date(createdMs)
  }
}

async function credentialOf ({ id: registrationId, surface, clientId, createdAt }: Row, vault: EnvelopeVault): Promise<CredentialRow> {
  const id = uuidv7({ msecs: createdAt.getTime() })
  // Of the length that Entra gives out.
  const secret = randomBytes(30).toString('base64url')
  const sealed = surface === 'konnect' ? null : await vault.seal(secret, { table: 'credential', rowId: id, column: 'secret' })
  const { pepperId, digest } = vault.verifierOf(clientId, secret)
  return {
    id,
    registrationId,
    keyId: randomUUID(),
    version: sealed?.version ?? null,
    kid: sealed?.kid ?? null,
    wrappedKey: sealed === null ? null : Buffer.from(sealed.wrappedKey),
    ciphertext: sealed === null ? null : Buffer.from(sealed.ciphertext),
    verifier: Buffer.from(digest),
    pepperId
  }
}

async function insert (client: pg.Client, rows: readonly Row[], credentials: readonly CredentialRow[], owners: Owners, count: number): Promise<void> {
  const { providerId, strategyId, policyId, konnectCallerId, tokenCallerId } = owners
  const column = <Name extends keyof Row>(name: Name) => rows.map(row => row[name])
  const sealed = <Name extends keyof CredentialRow>(name: Name) => credentials.map(credential => credential[name])
  await client.query('BEGIN')
  await client.query({
    name: 'registrations',
    text: registrations,
    values: [providerId, strategyId, policyId, konnectCallerId, tokenCallerId, Math.ceil(count / 10),
      column('n'), column('id'), column('surface'), column('objectId'), column('clientId'), column('principalId'), column('digest'), column('createdAt')]
  })
  await client.query({
    name: 'credentials',
    text: credentialRows,
    values: [sealed('id'), sealed('registrationId'), sealed('keyId'), sealed('version'), sealed('kid'), sealed('wrappedKey'), sealed('ciphertext'),
      sealed('verifier'), sealed('pepperId'), column('createdAt')]
  })
  await client.query({ name: 'audit', text: audit, values: [providerId, column('id'), column('createdAt'), credentials.map(() => randomUUID())] })
  await client.query('COMMIT')
}

// What the rows refer to is there: it need not be looked up a million times. Nor need the indexes grow row by row.
const forLoading = "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '256MB'"

const secondaryIndexes = `
  SELECT quote_ident(c.relname) AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid IN ('registration'::regclass, 'credential'::regclass, 'audit_event'::regclass) AND NOT i.indisprimary ORDER BY c.relname`

/** Of each hundred two have ended and one is switched off; one of twenty wants to be claimed; ten of all have drifted. */
const registrations = `
  WITH given AS (
    SELECT *, CASE WHEN n % $6::int = 0 THEN 'drifted' WHEN n % 50 = 0 THEN 'deleted' WHEN n % 99 = 0 THEN 'disabled' ELSE 'active' END AS state
    FROM unnest($7::int[], $8::uuid[], $9::text[], $10::uuid[], $11::uuid[], $12::uuid[], $13::bytea[], $14::timestamptz[])
      AS t (n, id, surface, object_id, client_id, principal_id, digest, created_at)
  )
  INSERT INTO registration (id, provider_id, strategy_id, caller_id, policy_id, surface, state, metadata, client_name, display_name, tags, access_token_version,
    web_redirect_uris, public_redirect_uris, spa_redirect_uris, entra_settings, account_enabled, applied_enabled, applied_revision, object_id, client_id, principal_id,
    konnect, management_digest, delivery, delivered_at, due_at, created_at, updated_at, activated_at, disabled_at, disabled_by, ended_at, labels, owner)
  SELECT id, $1::uuid, $2::uuid, CASE surface WHEN 'konnect' THEN $4::uuid ELSE $5::uuid END, CASE surface WHEN 'konnect' THEN NULL ELSE $3::uuid END, surface, state,
    jsonb_build_object('clientName', 'Client ' || n, 'description', 'One of many', 'redirectUris', jsonb_build_array('https://app-' || n || '.example.com/callback'),
      'grantTypes', '["authorization_code", "client_credentials"]'::jsonb, 'responseTypes', '["code"]'::jsonb, 'scopes', '["openid"]'::jsonb,
      'tokenEndpointAuthMethod', 'client_secret_basic', 'applicationType', 'web', 'platform', NULL, 'jwks', NULL, 'federatedIdentities', '[]'::jsonb,
      'members', jsonb_build_object('contacts', jsonb_build_array('team-' || n % 50 || '@example.com'))),
    'Client ' || n, 'Client ' || n, ARRAY['dcr-broker', 'dcr-inst:' || gen_random_uuid(), 'dcr-reg:' || id], 2,
    ARRAY['https://app-' || n || '.example.com/callback'], '{}', '{}',
    '{"homePageUrl": null, "termsOfServiceUrl": null, "privacyStatementUrl": null, "isFallbackPublicClient": false, "requiredResourceAccess": [], "grants": [], "certificates": [], "federatedIdentities": []}',
    state <> 'disabled', state <> 'disabled', 1, object_id, client_id, principal_id,
    CASE surface WHEN 'konnect' THEN jsonb_build_object('portalId', gen_random_uuid(), 'organizationId', gen_random_uuid(), 'developerId', gen_random_uuid(), 'authStrategyId', NULL, 'dcrProviderId', gen_random_uuid()) END,
    CASE WHEN state <> 'deleted' THEN digest END, 'delivered', created_at + interval '1 second',
    CASE WHEN n % 20 = 0 THEN now() - n * interval '1 millisecond' END, created_at, created_at, created_at,
    CASE state WHEN 'disabled' THEN now() END, CASE state WHEN 'disabled' THEN 'operator' END, CASE state WHEN 'deleted' THEN now() END,
    jsonb_build_object('team', 'team-' || n % 50, 'stage', CASE WHEN n % 3 = 0 THEN 'production' ELSE 'test' END), 'owner-' || n % 1000 || '@example.com'
  FROM given`

const credentialRows = `
  INSERT INTO credential (id, registration_id, state, key_id, hint, expires_at, seal_version, seal_kid, seal_wrapped_key, seal_ciphertext, verifier, pepper_id, erase_at, proved_at, created_at)
  SELECT id, registration_id, 'active', key_id, 'abc', created_at + interval '180 days', version, kid, wrapped_key, ciphertext, verifier, pepper_id,
    CASE WHEN kid IS NOT NULL THEN created_at + interval '180 days' END, created_at, created_at
  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[], $9::text[], $10::timestamptz[])
    AS t (id, registration_id, key_id, version, kid, wrapped_key, ciphertext, verifier, pepper_id, created_at)`

const audit = `
  INSERT INTO audit_event (id, at, actor, action, outcome, registration_id, provider_id, request_id, source_address, detail)
  SELECT event_id, at, 'bench', 'registration.activated', 'succeeded', registration_id, $1::uuid, event_id::text, '192.0.2.1', '{"surface": "register"}'
  FROM unnest($2::uuid[], $3::timestamptz[], $4::uuid[]) AS t (registration_id, at, event_id)`
