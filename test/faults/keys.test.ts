// F29, F30: key-encryption keys while the broker serves, and keys that are not what the database was sealed with (promises 4 and 7).
// The rotation under traffic is in test/keys/rotation.test.ts, F31 in test/keys/encryption-keys.test.ts.
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createEncryptionKeys } from '../../src/administration/encryption-keys.ts'
import { commandLine } from '../../src/administration/operator.ts'
import { createEncryptionKeyStore } from '../../src/store/encryption-key-store.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { systemClock } from '../../src/system-clock.ts'
import { createEnvelopeVault } from '../../src/vault/envelope-vault.ts'
import { ownedBy, webClient, type Owned } from '../register/prepared-broker.ts'
import { request, OPERATOR_KEY, startTestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { freshKey, keyringFile, keyringOf, writeKeyring, type KeyringFile } from '../vault/keyring-fixture.ts'
import { isWell, startWatchedBroker, untilAnswered, type WatchedBroker } from './watched-broker.ts'

t.test('keys', async t => {
  const folder = t.testdir({})
  const inFile = async (name: string, keyring: KeyringFile) => {
    await writeKeyring(join(folder, name), keyring)
    return { environment: { ENCRYPTION_KEYRING_FILE: join(folder, name) } }
  }
  const content = keyringFile({ k1: 'active', k2: 'decrypt' })
  const first = await startWatchedBroker(t, await inFile('first.json', content))
  const { simulator, database } = first
  const others = { simulator, database }
  const states = Object.entries(content.keys).map(([kid, { k }]) => [kid, { k, state: kid === 'k2' ? 'active' as const : 'decrypt' as const }] as const)
  const swapped: KeyringFile = { ...content, active: 'k2', keys: Object.fromEntries(states) }
  const second = await startWatchedBroker(t, await inFile('second.json', swapped), first)
  const clients: Owned[] = []

  t.test('F29 two replicas whose files name different active keys read what the other has sealed', async t => {
    for (const broker of [first, second]) clients.push(ownedBy((await untilAnswered(() => broker.register(webClient()))).answer))
    const { rows } = await database.query('SELECT seal_kid FROM credential ORDER BY created_at')
    t.same(rows, [{ seal_kid: 'k1' }, { seal_kid: 'k2' }])
    await areReadable(t, [first, second], clients)
    await isWell(t, first)
  })

  t.test('F29 a rewrap that is killed half-way leaves everything readable, and the next one goes on', async t => {
    for (let count = 0; count < 4; count++) clients.push(ownedBy((await untilAnswered(() => first.register(webClient()))).answer))
    const keys = (method: string, path: string) => request(`${first.operationsUrl}/v2/encryption-keys${path}`, method, undefined, { authorization: `Bearer ${OPERATOR_KEY}` })
    await eventually('k2 is active', async () => (await keys('POST', '/k2/activate')).status === 200)
    const { prisma, close } = openDatabase({ connectionString: database.url })
    t.teardown(close)
    const store = createEncryptionKeyStore(prisma)
    const dying = createEncryptionKeys({
      ...store,
      async replaceWrapping (values) {
        await store.replaceWrapping(values.slice(0, 2))
        throw new Error('killed')
      }
    }, createEnvelopeVault(keyringOf(swapped)), systemClock)
    await eventually('both replicas know that k2 is active', async () =>
      (await keys('GET', '')).body.meta.replicas.every((replica: { active_kid: string }) => replica.active_kid === 'k2'))
    await t.rejects(dying.rewrap(commandLine), { message: 'killed' })
    const under = async (kid: string) => (await database.query('SELECT FROM credential WHERE seal_kid = $1', [kid])).rowCount
    t.same([await under('k1'), await under('k2')], [3, 3])
    await areReadable(t, [first, second], clients)
    t.match(await keys('POST', '/rewrap'), { status: 200, body: { failed: 0, remaining: 0 } })
    t.equal(await under('k1'), 0)
    await areReadable(t, [first, second], clients)
    await isWell(t, first)
  })

  t.test('F30 a replica whose file lacks a key that is in use does not start', async t => {
    const { k1 } = content.keys
    if (k1 === undefined) throw new Error('There is no k1')
    const lacking = { ...content, keys: { k1 } }
    await t.rejects(startTestBroker(t, { ...others, ...await inFile('lacking.json', lacking) }), { message: /keys that the keyring does not have.*k2/ })
  })

  t.test('F30 a replica whose file has other bytes under a known name does not start, and nothing was sealed under them', async t => {
    const foreign = { ...content, keys: { ...content.keys, k1: { k: freshKey(), state: 'active' as const } } }
    const { rows: before } = await database.query('SELECT kid, check_value FROM encryption_key ORDER BY kid')
    await t.rejects(startTestBroker(t, { ...others, ...await inFile('foreign.json', foreign) }), { message: /other bytes.*k1/ })
    t.same((await database.query('SELECT kid, check_value FROM encryption_key ORDER BY kid')).rows, before)
    await areReadable(t, [first, second], clients)
    await isWell(t, first)
  })
})

async function areReadable (t: Test, brokers: WatchedBroker[], clients: Owned[]): Promise<void> {
  for (const { manage } of brokers) {
    for (const { uri, token, secret } of clients) t.match(await manage('GET', uri, token), { status: 200, body: { client_secret: secret } })
  }
}
