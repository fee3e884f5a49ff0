// What a start puts into the database, and whom the broker then recognises by the keys of its environment.
import t, { type Test } from 'tap'
import { createRecogniser, environmentCallers } from '../../src/environment-callers.ts'
import type { CallerKind } from '../../src/registration/registration.ts'
import { bootstrap } from '../../src/store/bootstrap.ts'
import { createCatalogue } from '../../src/store/catalogue.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createEnvelopeVault } from '../../src/vault/envelope-vault.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { keyringFile, keyringOf } from '../vault/keyring-fixture.ts'

t.jobs = 3

const KEY = 'a_key_that_is_moved_about'
const tenantId = '01a20951-0000-4000-8000-000000000001'
const provider = { tenantId, initialClientId: tenantId, issuer: `https://sts.windows.net/${tenantId}/` }

async function setUp (t: Test) {
  const database = await createTestDatabase(t)
  const { run, close } = openDatabase({ connectionString: database.url })
  t.teardown(close)
  const content = keyringFile({ k1: 'active' }, ['p1', 'p2'])
  return {
    run,
    query: database.query,
    /** Starts with these keys; resolves to how a presented key is recognised from then on. */
    async start (keys: { konnect?: string[], admin?: string[] }, activePepper = 'p1') {
      const vault = createEnvelopeVault(keyringOf({ ...content, peppers: { ...content.peppers, active: activePepper } }))
      const lists = { konnectApiKeys: keys.konnect ?? [], gatewayApiKeys: [], adminApiKeys: keys.admin ?? [], initialAccessTokens: [] }
      const callers = environmentCallers(lists, vault)
      const { callerIds } = await bootstrap(run, provider, callers)
      const catalogue = createCatalogue(run)
      await catalogue.load()
      const recognise = createRecogniser(callers, callerIds, vault, catalogue)
      return (kind: CallerKind, key = KEY) => recognise(kind, key)?.id ?? null
    }
  }
}

t.test('a key that is moved from one list to another is a caller of the other kind, and of that one only', async t => {
  const { start } = await setUp(t)
  const asKonnect = (await start({ konnect: [KEY] }))('konnect')
  t.type(asKonnect, 'string')

  const moved = await start({ admin: [KEY] })
  t.type(moved('operator'), 'string')
  t.not(moved('operator'), asKonnect)
  t.equal(moved('konnect'), null)

  const back = await start({ konnect: [KEY] })
  t.equal(back('konnect'), asKonnect, 'its registrations are its own again')
  t.equal(back('operator'), null)
})

t.test('a caller is the same after a restart, and after another pepper has become the active one', async t => {
  const { start, query } = await setUp(t)
  const first = (await start({ konnect: ['another_key_of_theirs', KEY] }))('konnect')
  t.equal((await start({ konnect: [KEY] }))('konnect'), first)
  t.equal((await start({ konnect: [KEY] }, 'p2'))('konnect'), first)
  t.equal((await query("SELECT FROM caller WHERE kind <> 'anonymous'")).rowCount, 2)
})

t.test('strategies that name the environment\'s issuer follow it to another cloud or tenant; others stay, and so do a database provider\'s', async t => {
  const { run, query } = await setUp(t)
  const { providerId } = await bootstrap(run, provider, [])
  const strategy = `INSERT INTO auth_strategy (id, provider_id, name, origin, issuer, credential_claim, scopes, auth_methods, token_version)
    VALUES (gen_random_uuid(), $1, $2, 'database', $3, '{appid}', '{}', '{bearer}', 1)`
  await query(strategy, [providerId, 'orders', provider.issuer])
  await query(strategy, [providerId, 'v2', 'https://login.microsoftonline.com/x/v2.0'])
  const issuers = async () => (await query<{ issuer: string }>('SELECT issuer FROM auth_strategy ORDER BY name')).rows.map(({ issuer }) => issuer)
  const inChina = `https://sts.chinacloudapi.cn/${tenantId}/`
  await bootstrap(run, { ...provider, issuer: inChina }, [])
  t.strictSame(await issuers(), [inChina, inChina, 'https://login.microsoftonline.com/x/v2.0'])
  await query("UPDATE provider SET origin = 'database'")
  await bootstrap(run, provider, [])
  t.strictSame(await issuers(), [inChina, inChina, 'https://login.microsoftonline.com/x/v2.0'])
})

t.test('a key that was revoked here stays revoked, whatever the environment says', async t => {
  const { start, query } = await setUp(t)
  await start({ konnect: [KEY], admin: ['an_operator_key'] })
  await query("UPDATE caller SET revoked_at = now() WHERE kind = 'konnect'")
  const recognise = await start({ konnect: [KEY], admin: ['an_operator_key'] })
  t.equal(recognise('konnect'), null)
  t.type(recognise('operator', 'an_operator_key'), 'string', 'the others are not')
})

t.test('a digest that belongs to another kind of caller is a fault that is said, not a key silently revoked', async t => {
  const { run } = await setUp(t)
  const digests = [{ pepperId: 'p1', digest: new Uint8Array(32) }]
  const caller = { name: 'KONNECT_API_KEYS[0]', scopes: [], boundToProvider: true, digests }
  await bootstrap(run, provider, [{ kind: 'konnect', ...caller }])
  await t.rejects(bootstrap(run, provider, [{ kind: 'operator', ...caller }]), { name: 'BootstrapError', message: /KONNECT_API_KEYS\[0\]/ })
})

t.test('replicas that start together agree on the installation, the provider and the callers', async t => {
  const { start, query } = await setUp(t)
  const replicas = await Promise.all([start({ konnect: [KEY] }), start({ konnect: [KEY] }), start({ konnect: [KEY] })])
  t.equal(new Set(replicas.map(recognise => recognise('konnect'))).size, 1)
  t.type(replicas[0]?.('konnect'), 'string')
  const count = async (table: string) => (await query(`SELECT FROM ${table}`)).rowCount
  for (const table of ['installation', 'provider', 'auth_strategy', 'policy']) t.equal(await count(table), 1, table)
  t.equal(await count('caller'), 2, 'the key, and who registers without one')
})
