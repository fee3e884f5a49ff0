// Callers that are looked up when they call.
import { createHash, randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { bootstrap } from '../../src/store/bootstrap.ts'
import { createCallerStore } from '../../src/store/caller-store.ts'
import { createCatalogue } from '../../src/store/catalogue.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createTestDatabase } from '../support/postgres.ts'

t.jobs = 3

const tenantId = '01a20951-0000-4000-8000-000000000001'
const appId = '01a20951-0000-4000-8000-00000000000a'
const digestOf = (text: string) => createHash('sha256').update(text).digest()

async function setUp (t: Test) {
  const database = await createTestDatabase(t)
  const { prisma, run, close } = openDatabase({ connectionString: database.url })
  t.teardown(close)
  const provider = { tenantId, initialClientId: tenantId, issuer: `https://sts.windows.net/${tenantId}/` }
  const { providerId } = await bootstrap(run, provider, [])
  const clock = { ms: 0 }
  return {
    query: database.query,
    providerId,
    clock,
    catalogue: createCatalogue(run),
    store: createCallerStore({ prisma, run }, () => clock.ms),
    async addToken (token: string, changes: Record<string, unknown> = {}) {
      const id = randomUUID()
      await prisma.caller.create({
        data: { id, kind: 'initial_access_token', name: token, origin: 'database', keyDigest: digestOf(token), scopes: ['register'], providerId, ...changes }
      })
      return id
    }
  }
}

t.test('a token is found by its digest with everything that bounds it, until it is revoked', async t => {
  const { store, addToken, query, providerId } = await setUp(t)
  const id = await addToken('one', { maxRegistrations: 3 })
  t.strictSame(await store.findCallerByDigest(digestOf('one')), {
    id, kind: 'initial_access_token', name: 'one', providerId, scopes: ['register'], policyId: null, maxRegistrations: 3
  })
  t.equal(await store.findCallerByDigest(digestOf('two')), null)
  await query('UPDATE caller SET revoked_at = now() WHERE id = $1', [id])
  t.equal(await store.findCallerByDigest(digestOf('one')), null, 'at once')
})

t.test('a token ends at its time on the clock of PostgreSQL', async t => {
  const { store, addToken, query } = await setUp(t)
  const id = await addToken('one')
  await query("UPDATE caller SET expires_at = now() + interval '1 minute' WHERE id = $1", [id])
  t.match(await store.findCallerByDigest(digestOf('one')), { id })
  await query('UPDATE caller SET expires_at = now() WHERE id = $1', [id])
  t.equal(await store.findCallerByDigest(digestOf('one')), null)
})

t.test('the digest of a configured key, and that of a service, is no token\'s', async t => {
  const { store, addToken, providerId } = await setUp(t)
  await addToken('peppered', { pepperId: 'p1' })
  t.equal(await store.findCallerByDigest(digestOf('peppered')), null)
  t.type(await store.ensureServiceCaller(providerId, appId), Object)
  t.equal(await store.findCallerByDigest(digestOf(`service:${providerId}:${appId}`)), null)
})

t.test('a service is one caller however often and however parallel it comes, and none once it is revoked', async t => {
  const { store, query, providerId } = await setUp(t)
  const found = await Promise.all([appId, appId.toUpperCase(), appId, appId].map(async each => await store.ensureServiceCaller(providerId, each)))
  t.equal(new Set(found.map(caller => caller?.id)).size, 1)
  const id = found[0]?.id
  t.strictSame(found[0], { id, kind: 'service', name: `entra:${appId}`, providerId, scopes: ['register', 'read'], policyId: null, maxRegistrations: null })
  await query('UPDATE caller SET revoked_at = now() WHERE id = $1', [id])
  t.equal(await store.ensureServiceCaller(providerId, appId), null)
  t.equal((await query("SELECT FROM caller WHERE kind = 'service'")).rowCount, 1)
})

t.test('the last use of a caller is written at most once a minute', async t => {
  const { store, addToken, query, clock } = await setUp(t)
  const id = await addToken('one')
  const lastUse = async () => (await query<{ at: Date | null }>('SELECT last_used_at AS at FROM caller WHERE id = $1', [id])).rows[0]?.at ?? null
  t.equal(await lastUse(), null)
  store.noteUse(id)
  await store.settled()
  t.type(await lastUse(), Date)

  await query("UPDATE caller SET last_used_at = '2026-01-01' WHERE id = $1", [id])
  clock.ms += 59_000
  store.noteUse(id)
  await store.settled()
  t.strictSame((await lastUse())?.getUTCMonth(), 0, 'less than a minute later')
  clock.ms += 1_000
  store.noteUse(id)
  await store.settled()
  t.ok(Date.now() - Number(await lastUse()) < 3_600_000, 'a minute later')

  const written = await lastUse()
  clock.ms += 60_000
  store.noteUse(id)
  await store.settled()
  t.strictSame(await lastUse(), written, 'another replica has just written it')
})

t.test('a use that can\'t be written disturbs nobody', async t => {
  const { store } = await setUp(t)
  store.noteUse('no id at all')
  await t.resolves(store.settled())
})

t.test('the catalogue is read again when something in it is different, whatever it is, and only then', async t => {
  const { catalogue, query, providerId, addToken, store } = await setUp(t)
  await catalogue.load()
  /** A provider is another object after another reading. */
  const isReadAgainAfter = async (...statement: Parameters<typeof query>) => {
    const before = catalogue.provider(providerId)
    await query(...statement)
    await catalogue.refresh()
    return catalogue.provider(providerId) !== before
  }
  const digest = digestOf('a key')
  const id = await addToken('a key', { kind: 'konnect' })
  t.equal(catalogue.callerOfKey('konnect', digest), null)
  t.equal(await isReadAgainAfter('SELECT 1'), true, 'a key was made')
  t.match(catalogue.callerOfKey('konnect', digest), { id, scopes: ['register'] })
  t.equal(catalogue.callerOfKey('operator', digest), null, 'of one kind only')

  t.equal(await isReadAgainAfter('SELECT 1'), false)
  store.noteUse(id)
  await store.settled()
  t.equal(await isReadAgainAfter('UPDATE provider SET writes_spent_until = now(), usage_reported_at = now()'), false, 'what changes all the time')
  await addToken('a token')
  t.equal(await isReadAgainAfter('SELECT 1'), false, 'what is looked up when it is shown')

  t.equal(await isReadAgainAfter("UPDATE provider SET labels = '{\"a\": \"b\"}'"), true, 'also what nobody reads yet')
  t.equal(await isReadAgainAfter("UPDATE policy SET rules = '{\"max_clients\": 1}'"), true)
  t.equal(await isReadAgainAfter('UPDATE caller SET expires_at = now() WHERE id = $1', [id]), true)
  t.equal(catalogue.callerOfKey('konnect', digest), null, 'over on the clock of PostgreSQL')
  t.equal(await isReadAgainAfter('UPDATE caller SET expires_at = NULL WHERE id = $1', [id]), true)
  t.equal(await isReadAgainAfter('UPDATE caller SET revoked_at = now() WHERE id = $1', [id]), true)
  t.equal(catalogue.callerOfKey('konnect', digest), null, 'revoked')
})
