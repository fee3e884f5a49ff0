// Many registrations at once, as rows that a finished saga leaves: for benchmarks of lists, claims and repairs.
import { randomUUID } from 'node:crypto'
import pg from 'pg'

const BATCH = 20_000
/** One row of so many wants to be claimed. */
const DUE_EVERY = 20

/** Fills an empty, migrated database: one provider, one caller, `count` active clients with a credential each, a second apart. */
export async function fillWithRegistrations (url: string, count: number, progress: (done: number) => void): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const [provider, strategy, caller] = [randomUUID(), randomUUID(), randomUUID()]
    await client.query("INSERT INTO provider (id, name, origin, issuer, tenant_id, initial_client_id) VALUES ($1, 'default', 'environment', 'https://issuer.test', $2, $2)", [provider, randomUUID()])
    await client.query("INSERT INTO auth_strategy (id, provider_id, name, origin, is_default, issuer, token_version) VALUES ($1, $2, 'default', 'environment', true, 'https://issuer.test', 1)", [strategy, provider])
    await client.query("INSERT INTO caller (id, kind, name, origin, key_digest, provider_id) VALUES ($1, 'konnect', 'bench', 'environment', '\\x00', $2)", [caller, provider])
    for (let done = 0; done < count; done += BATCH) {
      const last = Math.min(done + BATCH, count)
      await client.query(registrations, [done + 1, last, provider, strategy, caller])
      progress(last)
    }
    await client.query(credentials)
    await client.query('VACUUM ANALYZE')
  } finally {
    await client.end()
  }
}

const registrations = `
  INSERT INTO registration (id, provider_id, strategy_id, caller_id, surface, state, metadata, client_name, display_name, tags, access_token_version,
    web_redirect_uris, public_redirect_uris, spa_redirect_uris, applied_revision, object_id, client_id, principal_id, delivery, due_at, created_at, activated_at)
  SELECT gen_random_uuid(), $3::uuid, $4::uuid, $5::uuid, 'konnect', 'active',
    jsonb_build_object('clientName', 'client ' || n, 'description', NULL, 'redirectUris', '["https://app.example.com/callback"]'::jsonb,
      'grantTypes', '["client_credentials"]'::jsonb, 'scopes', '[]'::jsonb, 'tokenEndpointAuthMethod', 'client_secret_post'),
    'client ' || n, 'client ' || n, '{dcr-broker}', 1, '{https://app.example.com/callback}', '{}', '{}', 1,
    gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'delivered',
    CASE WHEN n % ${DUE_EVERY} = 0 THEN now() - n * interval '1 millisecond' END, now() - n * interval '1 second', now()
  FROM generate_series($1::int, $2::int) n`

const credentials = `
  INSERT INTO credential (id, registration_id, state, key_id, hint, expires_at, proved_at, created_at)
  SELECT gen_random_uuid(), id, 'active', gen_random_uuid(), 'abc', now() + interval '2 years', now(), created_at FROM registration`
