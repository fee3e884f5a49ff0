// Key rotation under continuous traffic on two replicas: no request fails, no ciphertext changes, and the old key goes.
import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { runHere } from '../cli/run-cli.ts'
import { konnectApplication, OPERATOR_KEY, request, startTestBroker, type Answer, type TestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'

/** For what happens within seconds, on a machine that has other things to do. */
const SOON_MS = 120_000

interface SealedRow { id: string, kid: string, ciphertext: string }

const webDocument = (name: string) => ({ client_name: name, redirect_uris: ['https://orders.example.com/callback'], grant_types: ['authorization_code'], scope: 'openid' })

/** Registers, reads, rotates and deletes over a broker, one request after the other, until it is stopped. Resolves to what failed. */
function startTraffic ({ konnect, register, manage }: TestBroker, name: string): { count: () => number, stop: () => Promise<string[]> } {
  const failures: string[] = []
  const stopping = new AbortController()
  let requests = 0
  const expect = (what: string, status: number, answer: Answer): Answer => {
    requests += 1
    if (answer.status !== status) failures.push(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer
  }
  async function work (): Promise<void> {
    const standing = expect('register', 201, await register(webDocument(`${name} standing`))).body
    for (let round = 0; !stopping.signal.aborted && failures.length === 0; round++) {
      const { client_id: id } = expect('create', 201, await konnect('POST', '', konnectApplication({ client_name: `${name} ${round}` }))).body
      expect('new-secret', 200, await konnect('POST', `/${id}/new-secret`))
      expect('delete', 204, await konnect('DELETE', `/${id}`))
      const { body } = expect('read', 200, await manage('GET', standing.registration_client_uri, standing.registration_access_token))
      if (body.client_secret !== standing.client_secret) failures.push('read: another secret')
      expect('register', 201, await register(webDocument(`${name} ${round}`)))
    }
  }
  const working = work().catch((error: unknown) => { failures.push(String(error)) })
  return {
    count: () => requests,
    async stop () {
      stopping.abort()
      await working
      return failures
    }
  }
}

t.test('F29 a key is rotated under traffic on two replicas: nothing fails, no ciphertext changes, the old key is retired and taken away', async t => {
  const environment = { REQUEST_DEADLINE_MS: '60000', LEASE_MS: '120000', LOG_LEVEL: 'info' }
  const first = await startTestBroker(t, { environment })
  const { simulator, database, settings: { keyringFile } } = first
  const second = await startTestBroker(t, { simulator, database, environment: { ...environment, ENCRYPTION_KEYRING_FILE: keyringFile } })
  const keysApi = async (broker: TestBroker, method: string, path = '') =>
    await request(`${broker.operationsUrl}/v2/encryption-keys${path}`, method, undefined, { authorization: `Bearer ${OPERATOR_KEY}` })
  const sealed = async () => {
    const { rows } = await database.query<SealedRow>("SELECT id::text, seal_kid AS kid, encode(seal_ciphertext, 'hex') AS ciphertext FROM credential WHERE seal_kid IS NOT NULL")
    return new Map(rows.map(row => [row.id, row]))
  }
  const traffic = [startTraffic(first, 'first'), startTraffic(second, 'second')]
  const trafficGoesOn = async () => {
    const before = traffic.map(({ count }) => count())
    await eventually('each replica has answered ten more requests', () => traffic.every(({ count }, index) => count() >= (before[index] ?? 0) + 10), SOON_MS)
  }
  await trafficGoesOn()

  // The new file takes the place of the old one, as a deployment would do it.
  const path = join(dirname(keyringFile), 'new.json')
  const generated = await runHere(['keys', 'generate', path, '--from', keyringFile, '--json'])
  const { kid } = JSON.parse(generated.stdout) as { kid: string }
  const { active: old } = JSON.parse(await readFile(keyringFile, 'utf8')) as { active: string }
  await rename(path, keyringFile)
  await eventually('the new key is on both replicas', async () => (await keysApi(first, 'POST', `/${kid}/activate`)).status === 200, SOON_MS)
  await eventually('both replicas seal under it', async () => {
    const { body } = await keysApi(second, 'GET')
    return body.meta.replicas.length === 2 && body.meta.replicas.every((replica: { active_kid: string }) => replica.active_kid === kid)
  }, SOON_MS)
  await trafficGoesOn()

  const before = await sealed()
  t.ok([...before.values()].some(row => row.kid === old) && [...before.values()].some(row => row.kid === kid), 'both keys have sealed something')
  await eventually('everything is under the new key', async () => {
    const { status, body } = await keysApi(second, 'POST', '/rewrap')
    t.equal(status, 200)
    t.equal(body.failed, 0)
    return body.remaining === 0
  }, SOON_MS)
  const after = await sealed()
  const kept = [...before.values()].filter(row => after.has(row.id))
  t.ok(kept.some(row => row.kid === old))
  t.strictSame(kept.map(({ id }) => after.get(id)), kept.map(row => ({ ...row, kid })), 'the key is another one, the ciphertext is not')

  t.match((await keysApi(first, 'POST', `/${old}/retire`)).body, { status: 409, detail: /can be retired in/ })
  await database.query("UPDATE encryption_key SET replaced_at = replaced_at - interval '16 minutes'")
  await eventually('the old key is retired', async () => (await keysApi(first, 'POST', `/${old}/retire`)).status === 200, SOON_MS)
  await trafficGoesOn()
  for (const { stop } of traffic) t.strictSame(await stop(), [])
  t.match((await keysApi(first, 'GET')).body.data, [
    { kid: old, state: 'retired', sealed_values: 0 }, { kid, state: 'active', in_keyring: true, missing_on: [] }
  ])

  // What is left needs the new key only.
  const registered = await first.register(webDocument('after'))
  const content = JSON.parse(await readFile(keyringFile, 'utf8')) as { active: string, keys: Record<string, { k: string, state: string }> }
  const without = join(dirname(keyringFile), 'without.json')
  await writeFile(without, JSON.stringify({ ...content, active: kid, keys: { [kid]: { ...content.keys[kid], state: 'active' } } }), { mode: 0o600 })
  const third = await startTestBroker(t, { simulator, database, environment: { ...environment, ENCRYPTION_KEYRING_FILE: without } })
  const { body } = await third.manage('GET', registered.body.registration_client_uri, registered.body.registration_access_token)
  t.equal(body.client_secret, registered.body.client_secret)
})
