// What a holder of a registration access token is shown is read by a statement of its own: it finds what every other read finds.
import { randomBytes, randomUUID } from 'node:crypto'
import t from 'tap'
import { openStore, type OpenStore } from './open-store.ts'

const digestOf = (registration: { managementDigest: Uint8Array | null } | null) => registration?.managementDigest ?? new Uint8Array(32)

/** @returns its ids, after every column of it has been filled */
async function registered ({ reserve, database }: OpenStore) {
  const { registration: { id, providerId } } = await reserve()
  const clientId = randomUUID()
  await database.query(`
    UPDATE registration SET state = 'active', client_id = $2::uuid, object_id = $3, principal_id = $4, management_digest = $5, application_id = 'of Konnect',
      konnect = '{"portalId": "p"}', description = 'described', tags = '{a,b}', web_redirect_uris = '{https://a.example/cb}',
      spa_redirect_uris = '{https://b.example/cb}',
      public_redirect_uris = '{http://localhost/cb}', entra_settings = '{"logoutUrl": "https://a.example/out"}', labels = '{"team": "a"}', owner = 'somebody',
      last_fault = 'none', sharing_key = id::text, disabled_by = 'operator', stray_check_at = now(), purge_at = now(), activated_at = now(), renewed_at = now(),
      last_used_at = now(), seen_at = now(), disabled_at = now(), ended_at = now(), adopted_at = now(), sweeps = 2, attempts = 3, verification = true
    WHERE id = $1`, [id, clientId, randomUUID(), randomUUID(), randomBytes(32)])
  await database.query(`
    UPDATE credential SET state = 'active', key_id = $2, hint = 'abc', expires_at = now(), seal_version = 1, seal_kid = 'k1',
      seal_wrapped_key = '\\x01', seal_ciphertext = '\\x02',
      verifier = '\\x03', pepper_id = 'p1', erase_at = now(), proved_at = now(), revoke_after = now()
    WHERE registration_id = $1`, [id, randomUUID()])
  return { id, providerId, clientId }
}

t.test('the holder of a token finds the whole record, with all its credentials', async t => {
  const opened = await openStore(t)
  const { store, database } = opened
  const full = await registered(opened)
  await database.query(`
    INSERT INTO credential (id, registration_id, state, created_at) VALUES ($1, $2, 'pending', now() + interval '1 minute')`, [randomUUID(), full.id])
  const bare = await registered(opened)
  await database.query('DELETE FROM credential WHERE registration_id = $1', [bare.id])
  const one = await registered(opened)

  const stored = await Promise.all([full, bare, one].map(({ id }) => store.find(id)))
  t.strictSame(stored.map(registration => registration?.credentials.length), [2, 0, 1])
  const found = await Promise.all([full, bare, one].map(({ providerId, clientId }, index) =>
    store.findHeld(providerId, clientId, digestOf(stored[index] ?? null))))
  // A clone: bytes are bytes, in a Buffer or not.
  t.strictSame(structuredClone(found), stored)

  await database.query(`
    INSERT INTO credential (id, registration_id, state) SELECT gen_random_uuid(), $1, CASE WHEN n % 2 = 0 THEN 'revoked' ELSE 'lost' END FROM generate_series(1, 500) n`, [full.id])
  const again = await store.findHeld(full.providerId, full.clientId, digestOf(stored[0] ?? null))
  t.strictSame(structuredClone(again), stored[0], 'without the five hundred that are over')

  t.equal(await store.findHeld(full.providerId, full.clientId, digestOf(stored[1] ?? null)), null, 'the token of another')
  t.equal(await store.findHeld(randomUUID(), full.clientId, digestOf(stored[0] ?? null)), null, 'at another provider')
})

t.test('the token before the current one finds it too, while it is kept', async t => {
  const opened = await openStore(t)
  const { store, database } = opened
  const { id, providerId, clientId } = await registered(opened)
  const before = digestOf(await store.find(id))
  t.equal(await store.replaceManagementToken(id, randomBytes(32)), true)
  t.match(await store.findHeld(providerId, clientId, before), { id, previousManagementDigest: before })
  await database.query('UPDATE registration SET previous_management_digest = NULL')
  t.equal(await store.findHeld(providerId, clientId, before), null)
})

t.test('two who ask at the same time have a record each', async t => {
  const opened = await openStore(t)
  const { id, providerId, clientId } = await registered(opened)
  const digest = digestOf(await opened.store.find(id))
  const [one, other] = await Promise.all([1, 2].map(() => opened.store.findHeld(providerId, clientId, digest)))
  t.strictSame(one, other)
  t.not(one, other)
})
