// What becomes of a registration or an update whose answer was lost, and of one that Entra does not take (promises 1, 2 and 5).
import t, { type Test } from 'tap'
import { startTestBroker, type Answer, type TestBroker } from '../support/broker.ts'
import { ourApplications, ourObjectCount, ourPasswords } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { isOAuthFailure } from './failure.ts'
import { endWindows, hangUp, isKnownAsLost } from './hang-up.ts'
import { applicationOf, nativeClient, ownedBy, startPreparedBroker, tokenOutcome, webClient } from './prepared-broker.ts'

const BRISK = { REQUEST_DEADLINE_MS: '4000', ATTEMPT_TIMEOUT_MS: '1000', LEASE_MS: '6500', RESUME_SCAN_MS: '100' }
const keyed = (key: string) => ({ 'idempotency-key': key })
const graphDown = { match: { path: '^/v1\\.0', times: 'always' }, action: { type: 'status', status: 503 } } as const

t.jobs = 2

t.test('lost answers', async t => {
  const broker = await startPreparedBroker(t, { simulator: { lag: { latencyMs: 60 } }, policies: { once: { discloseSecret: false } } })
  const { register, manage, simulator, database, mint } = broker

  t.test('a repeat with the same key gets the same client, with a token and a secret that work', async t => {
    const document = webClient({ client_name: 'Repeated' })
    await hangUp(broker, document, keyed('one'))
    await isKnownAsLost(broker, 1)
    const client = ownedBy(await register(document, undefined, keyed('one')))
    t.equal(ourApplications(simulator).filter(({ displayName }) => displayName === 'Repeated').length, 1)
    t.equal(await tokenOutcome(simulator, client), 'ok')
    const read = ownedBy(await manage('GET', client.uri, client.token))
    t.strictSame(read.body, client.body)
    t.equal((await manage('PUT', client.uri, client.token, { ...document, client_id: client.id })).status, 200)
    t.equal(ourPasswords(applicationOf(simulator, client.id)).length, 1)
  })

  t.test('another key, another caller or no key makes another client, another document under the key none', async t => {
    const document = nativeClient({ client_name: 'Not repeated' })
    const { token } = await mint()
    await hangUp(broker, document, keyed('two'))
    await isKnownAsLost(broker, 1)
    const others = [
      await register(document, undefined, keyed('three')),
      await register(document, token, keyed('two')),
      await register(document)
    ].map(ownedBy)
    const same = ownedBy(await register({ ...document, unknown_member: null }, undefined, keyed('four')))
    isOAuthFailure(t, await register({ ...document, client_uri: 'https://example.com' }, undefined, keyed('two')), 422, 'invalid_request')
    const lost = ownedBy(await register(document, undefined, keyed('two')))
    t.equal(new Set([...others, same, lost].map(({ id }) => id)).size, 5)
    const { rows } = await database.query("SELECT count(*)::int AS count FROM registration WHERE client_name = 'Not repeated'")
    t.same(rows, [{ count: 5 }], 'the lost one among them')
  })

  t.test('a repeat is not counted again', async t => {
    const { token } = await mint({ maxRegistrations: 1 })
    const document = nativeClient({ client_name: 'Counted once' })
    await hangUp(broker, document, { ...keyed('seven'), authorization: `Bearer ${token}` })
    await isKnownAsLost(broker, 1)
    t.equal((await register(document, token, keyed('seven'))).status, 201)
    isOAuthFailure(t, await register(document, token, keyed('eight')), 403, 'access_denied')
  })

  t.test('a repeat gets the secret that the policy shows once, for nobody has seen it', async t => {
    const { token } = await mint({ policyName: 'once' })
    const document = webClient({ client_name: 'Shown once' })
    await hangUp(broker, document, { ...keyed('shown'), authorization: `Bearer ${token}` })
    await isKnownAsLost(broker, 1)
    t.equal(await tokenOutcome(simulator, ownedBy(await register(document, token, keyed('shown')))), 'ok')
  })

  t.test('a repeat after Entra has refused for good is tried anew', async t => {
    simulator.control.faults.add({
      match: { method: 'PATCH', path: '/applications' },
      action: { type: 'status', status: 403, body: { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges' } } }
    })
    const document = nativeClient({ client_name: 'Refused once' })
    isOAuthFailure(t, await register(document, undefined, keyed('nine')), 502, 'server_error')
    const client = ownedBy(await register(document, undefined, keyed('nine')))
    t.ok(applicationOf(simulator, client.id))
    t.equal((await manage('GET', client.uri, client.token)).status, 200)
  })

  t.test('a key that is none is 400', async t => {
    isOAuthFailure(t, await register(nativeClient(), undefined, keyed('k'.repeat(256))), 400, 'invalid_request')
  })
})

t.test('while Graph is down a registration is 503 with Retry-After; what nobody asks for again is gone, and a repeat is the same client', async t => {
  const broker = await startTestBroker(t, { environment: BRISK })
  const { register, simulator, database } = broker
  const fault = simulator.control.faults.add(graphDown)
  const answers = await Promise.all([register(webClient({ client_name: 'Given up' })), register(webClient({ client_name: 'Asked again' }), undefined, keyed('one'))])
  for (const answer of answers) isOverloaded(t, answer)
  simulator.control.faults.clear(fault)
  await eventually('both are finished in the background', async () => (await database.query("SELECT FROM registration WHERE state = 'active'")).rowCount === 2, 30_000)
  const client = ownedBy(await register(webClient({ client_name: 'Asked again' }), undefined, keyed('one')))
  t.equal(await tokenOutcome(simulator, client), 'ok')
  await eventually('it is delivered', async () => (await database.query("SELECT FROM registration WHERE delivery = 'delivered'")).rowCount === 1)
  await endWindows(broker)
  await eventually('the other is undone', async () => (await database.query("SELECT FROM registration WHERE state = 'undone' AND purge_at IS NULL")).rowCount === 1)
  t.same(ourApplications(simulator).map(({ appId }) => appId), [client.id])
})

t.test('while Graph is down', async t => {
  const broker = await startTestBroker(t, { environment: BRISK })
  const { register, manage, simulator } = broker
  const [changed, ended] = [ownedBy(await register(webClient())), ownedBy(await register(webClient()))]
  const document = webClient({ client_name: 'Changed', client_id: changed.id })
  const fault = simulator.control.faults.add(graphDown)
  const [put, del] = await Promise.all([manage('PUT', changed.uri, changed.token, document), manage('DELETE', ended.uri, ended.token)])
  isOverloaded(t, put)
  isOverloaded(t, del)
  isOAuthFailure(t, await manage('GET', ended.uri, ended.token), 401, 'invalid_token', 'a client that ends is gone at once')
  t.equal((await manage('GET', changed.uri, changed.token)).status, 200, 'GET needs no Graph')
  simulator.control.faults.clear(fault)

  await t.test('an update is repeated with the token that its client has', async t => {
    const answer = ownedBy(await manage('PUT', changed.uri, changed.token, document))
    t.equal(answer.body.client_name, 'Changed')
    t.equal(applicationOf(simulator, changed.id).displayName, 'Changed')
    t.equal((await manage('GET', changed.uri, answer.token)).status, 200)
  })

  await t.test('an end happens in the background', async t => {
    await eventually('Entra has deleted it', () => applicationOf(simulator, ended.id) === undefined)
    t.equal(ourApplications(simulator).length, 1)
  })
})

t.test('an update that Entra refuses for good is 502, and the client is what it was', async t => {
  const { register, manage, simulator } = await startTestBroker(t)
  const client = ownedBy(await register(webClient()))
  simulator.control.faults.add({
    match: { method: 'PATCH', path: '/applications' },
    action: { type: 'status', status: 400, body: { error: { code: 'Request_BadRequest', message: 'Invalid value specified for property' } } }
  })
  isOAuthFailure(t, await manage('PUT', client.uri, client.token, { ...webClient({ client_name: 'Refused' }), client_id: client.id }), 502, 'server_error')
  t.strictSame((await manage('GET', client.uri, client.token)).body, client.body)
  t.equal(applicationOf(simulator, client.id).displayName, 'Orders')
})

t.test('a secret that Entra will not issue', async t => {
  const { register, manage, simulator } = await startTestBroker(t, { environment: BRISK })

  await t.test('for the moment is 503, and the repeat of the update has one that works', async t => {
    const client = ownedBy(await register(webClient({ token_endpoint_auth_method: 'none' })))
    const document = { ...webClient(), client_id: client.id }
    const fault = simulator.control.faults.add({ match: { method: 'POST', path: '/addPassword$', times: 'always' }, action: { type: 'status', status: 503 } })
    isOverloaded(t, await manage('PUT', client.uri, client.token, document))
    simulator.control.faults.clear(fault)
    const replaced = ownedBy(await manage('PUT', client.uri, client.token, document))
    t.equal(await tokenOutcome(simulator, replaced), 'ok')
    await eventually('it has no other password', () => ourPasswords(applicationOf(simulator, client.id)).length === 1)
    t.equal(await tokenOutcome(simulator, replaced), 'ok')
  })

  await t.test('for good is 502, and the client stays the public one that it was', async t => {
    const client = ownedBy(await register(webClient({ token_endpoint_auth_method: 'none' })))
    simulator.control.policy({ passwordsForbidden: true })
    isOAuthFailure(t, await manage('PUT', client.uri, client.token, { ...webClient(), client_id: client.id }), 502, 'server_error')
    const { status, body } = await manage('GET', client.uri, client.token)
    t.strictSame([status, body], [200, client.body])
    const { web, publicClient } = applicationOf(simulator, client.id)
    t.same([web.redirectUris, publicClient.redirectUris], [[], ['https://orders.example.com/callback']])
  })
})

t.test('a renewal near the end that Entra refuses for good takes nothing away, and the answer says what became of the update', async t => {
  const { register, manage, simulator, database } = await startTestBroker(t)
  const client = ownedBy(await register(webClient()))
  await database.query("UPDATE credential SET expires_at = now() + interval '9 days'")
  simulator.control.policy({ passwordsForbidden: true })
  const { status } = await manage('PUT', client.uri, client.token, { ...webClient({ client_name: 'Renamed' }), client_id: client.id })
  const name = status === 200 ? 'Renamed' : 'Orders'
  t.ok(status === 200 || status === 502, `answered ${status}`)
  const read = await manage('GET', client.uri, client.token)
  t.match(read, { status: 200, body: { client_name: name, client_secret: client.secret } })
  t.equal(applicationOf(simulator, client.id).displayName, name)
  t.equal(await tokenOutcome(simulator, client), 'ok')
})

const REFUSALS: Array<[what: string, spoil: (broker: TestBroker) => void, sentence: RegExp]> = [
  ['a permission of the broker', ({ simulator }) => {
    simulator.control.faults.add({
      match: { method: 'PATCH', path: '/applications' },
      action: { type: 'status', status: 403, body: { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges' } } }
    })
  }, /permission/],
  ['the quota of the directory', ({ simulator }) => { simulator.control.policy({ objectsPerCreator: 0 }) }, /quota/],
  ['a policy of the tenant', ({ simulator }) => { simulator.control.policy({ passwordsForbidden: true }) }, /policy of the Entra tenant/]
]

for (const [what, spoil, sentence] of REFUSALS) {
  t.test(`${what} in the way is 502, never the registrant's fault, and nothing is left`, async t => {
    const broker = await startTestBroker(t, { environment: { RESUME_SCAN_MS: '100' } })
    spoil(broker)
    const answer = await broker.register(webClient())
    isOAuthFailure(t, answer, 502, 'server_error')
    t.match(answer.body.error_description, sentence)
    await eventually('it is undone', async () => (await broker.database.query("SELECT FROM registration WHERE state = 'undone' AND purge_at IS NULL")).rowCount === 1)
    t.equal(ourObjectCount(broker.simulator), 0)
  })
}

function isOverloaded (t: Test, answer: Answer): void {
  isOAuthFailure(t, answer, 503, 'temporarily_unavailable')
  t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
}
