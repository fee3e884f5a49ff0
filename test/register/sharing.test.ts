// Identical public registrations share one client, which nobody manages (decision 8).
import t from 'tap'
import { createDeliveryStore } from '../../src/store/delivery-store.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { graphAs } from '../lifecycle/graph.ts'
import { INITIAL_ACCESS_TOKEN } from '../support/broker.ts'
import { ourApplications, ourObjectCount } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { isOAuthFailure } from './failure.ts'
import { endWindows, hangUp, isKnownAsLost } from './hang-up.ts'
import { applicationOf, nativeClient, startPreparedBroker, webClient } from './prepared-broker.ts'

const SHARED = { policies: { default: { sharePublicClients: true } } }

t.jobs = 2

t.test('twenty identical registrations at once, each on a port of its own, make one client that each knows by its own address', async t => {
  const { register, simulator, database } = await startPreparedBroker(t, { ...SHARED, simulator: { lag: { latencyMs: 50 } } })
  const uris = Array.from({ length: 20 }, (_, index) => [`http://127.0.0.1:${40_000 + index}/callback`])
  const answers = await Promise.all(uris.map(async redirectUris => await register(nativeClient({ redirect_uris: redirectUris }))))
  t.same(new Set(answers.map(({ status }) => status)), new Set([201]))
  t.equal(new Set(answers.map(({ body }) => body.client_id)).size, 1)
  t.strictSame(answers.map(({ body }) => body.redirect_uris), uris)
  for (const { body, headers } of answers) {
    t.notOk('registration_access_token' in body || 'registration_client_uri' in body || 'client_secret' in body || headers.has('location'))
  }
  t.equal(ourApplications(simulator).length, 1)
  t.same(applicationOf(simulator, answers[0]?.body.client_id).publicClient.redirectUris.length, 1)
  t.equal((await database.query("SELECT FROM registration WHERE state = 'active'")).rowCount, 1)
})

t.test('shared clients', async t => {
  const broker = await startPreparedBroker(t, {
    policies: { default: { sharePublicClients: true }, alone: { sharePublicClients: false } }, environment: { REGISTRATION_MODE: 'open' }
  })
  const { register, manage, simulator, mint, url, database } = broker

  t.test('neither registrant can read, change or end the client, with whatever token', async t => {
    const document = nativeClient({ client_name: 'Not yours' })
    const { token: initial } = await mint()
    const [one, other] = [await register(document, initial), await register(document, initial)]
    t.equal(one.body.client_id, other.body.client_id)
    const address = `${url}/register/${one.body.client_id}`
    const own = await register(webClient(), initial)
    for (const token of [initial, INITIAL_ACCESS_TOKEN, own.body.registration_access_token, `dcr_rat_${'A'.repeat(43)}`, 'null', 'undefined', null]) {
      for (const method of ['GET', 'PUT', 'DELETE']) {
        isOAuthFailure(t, await manage(method, address, token, method === 'PUT' ? { ...document, client_id: one.body.client_id } : undefined), 401, 'invalid_token')
      }
    }
    t.equal(applicationOf(simulator, one.body.client_id).displayName, 'Not yours')
    t.equal((await manage('GET', own.body.registration_client_uri, own.body.registration_access_token)).status, 200, 'positive control')
  })

  t.test('another caller has another client, and so has open registration', async t => {
    const document = nativeClient({ client_name: 'Per caller' })
    const tokens = [null, INITIAL_ACCESS_TOKEN, (await mint()).token, (await mint()).token]
    const ids = await Promise.all([...tokens, ...tokens].map(async token => (await register(document, token)).body.client_id))
    t.equal(new Set(ids).size, 4)
    t.same(ids.slice(0, 4), ids.slice(4))
  })

  t.test('another document is another client: a name, a path, a host of loopback, a platform', async t => {
    const document = nativeClient({ client_name: 'Differing' })
    const documents = [
      document, { ...document, client_name: 'Differing?' }, { ...document, redirect_uris: ['http://127.0.0.1/other'] },
      { ...document, redirect_uris: ['http://localhost/callback'] }, { ...document, scope: 'openid' }, { ...document, client_uri: 'https://example.com' }
    ]
    const ids = await Promise.all(documents.map(async each => (await register(each)).body.client_id))
    t.equal(new Set(ids).size, documents.length)
  })

  t.test('the order of members and list entries makes no other client', async t => {
    const grants = ['authorization_code', 'refresh_token']
    const one = await register({ client_name: 'In order', redirect_uris: ['http://localhost/a', 'http://localhost/b'], grant_types: grants, token_endpoint_auth_method: 'none' })
    const other = await register({ token_endpoint_auth_method: 'none', grant_types: [...grants].reverse(), redirect_uris: ['http://localhost:7/b', 'http://localhost:7/a'], client_name: 'In order' })
    t.equal(one.body.client_id, other.body.client_id)
    t.strictSame(other.body.redirect_uris, ['http://localhost:7/b', 'http://localhost:7/a'])
    t.strictSame(other.body.grant_types, [...grants].reverse())
  })

  t.test('a client with a secret is never shared, and where the policy does not say so none is', async t => {
    const [one, other] = [await register(webClient()), await register(webClient())]
    t.not(one.body.client_id, other.body.client_id)
    const { token } = await mint({ policyName: 'alone' })
    const alone = [await register(nativeClient(), token), await register(nativeClient(), token)]
    t.equal(new Set(alone.map(({ body }) => body.client_id)).size, 2)
    for (const { body } of alone) t.type(body.registration_access_token, 'string')
  })

  t.test('registering again renews the age of the client', async t => {
    const document = nativeClient({ client_name: 'Renewed' })
    const { body: { client_id: id } } = await register(document)
    await database.query("UPDATE registration SET activated_at = now() - interval '9 days', renewed_at = now() - interval '9 days' WHERE client_id = $1", [id])
    t.equal((await register(document)).body.client_id, id)
    t.equal((await database.query("SELECT FROM registration WHERE client_id = $1 AND renewed_at > now() - interval '1 minute'", [id])).rowCount, 1)
  })

  t.test('registrations of a shared client use up no quota', async t => {
    const { token } = await mint({ maxRegistrations: 1 })
    const document = nativeClient({ client_name: 'Counted once' })
    const answers = await Promise.all(Array.from({ length: 5 }, async () => await register(document, token)))
    t.same(new Set(answers.map(({ status }) => status)), new Set([201]))
    isOAuthFailure(t, await register(nativeClient({ client_name: 'Too many' }), token), 403, 'access_denied')
    t.equal((await register(document, token)).status, 201)
  })

  t.test('a registration that Entra refused does not stand in the way of the next', async t => {
    simulator.control.faults.add({
      match: { method: 'PATCH', path: '/applications' },
      action: { type: 'status', status: 403, body: { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges' } } }
    })
    const document = nativeClient({ client_name: 'Refused once' })
    isOAuthFailure(t, await register(document), 502, 'server_error')
    const { status, body } = await register(document)
    t.equal(status, 201)
    t.ok(applicationOf(simulator, body.client_id))
  })

  t.test('registration with an idempotency key shares as well', async t => {
    const document = nativeClient({ client_name: 'With a key' })
    const first = await register(document, INITIAL_ACCESS_TOKEN, { 'idempotency-key': 'one' })
    const second = await register(document, INITIAL_ACCESS_TOKEN, { 'idempotency-key': 'one' })
    const third = await register(document, INITIAL_ACCESS_TOKEN, { 'idempotency-key': 'two' })
    t.equal(new Set([first, second, third].map(({ body }) => body.client_id)).size, 1)
    for (const { body } of [first, second, third]) t.notOk('registration_access_token' in body)
  })
})

t.test('a client whose first registrant never got his answer stays for the second', async t => {
  const broker = await startPreparedBroker(t, { ...SHARED, environment: { RESUME_SCAN_MS: '100' }, simulator: { lag: { latencyMs: 100 } } })
  const { database, register, simulator } = broker
  await hangUp(broker, nativeClient())
  await isKnownAsLost(broker, 1)
  const { status, body } = await register(nativeClient())
  t.equal(status, 201)
  await eventually('it is delivered', async () => (await database.query("SELECT FROM registration WHERE delivery = 'delivered'")).rowCount === 1)
  await hangUp(broker, nativeClient({ client_name: 'Control' }))
  await isKnownAsLost(broker, 1)
  await endWindows(broker)
  await eventually('what nobody received is undone', async () => (await database.query("SELECT FROM registration WHERE state = 'undone'")).rowCount === 1)
  t.same(ourApplications(simulator).map(({ appId }) => appId), [body.client_id])
  t.equal((await register(nativeClient())).body.client_id, body.client_id)
})

t.test('a shared client that nobody ever received is undone, and the next registration makes a new one', async t => {
  const broker = await startPreparedBroker(t, { ...SHARED, environment: { RESUME_SCAN_MS: '100' }, simulator: { lag: { latencyMs: 100 } } })
  await hangUp(broker, nativeClient())
  await isKnownAsLost(broker, 1)
  await endWindows(broker)
  await eventually('it is undone', async () => (await broker.database.query("SELECT FROM registration WHERE state = 'undone' AND purge_at IS NULL")).rowCount === 1)
  t.equal(ourObjectCount(broker.simulator), 0)
  const { body } = await broker.register(nativeClient())
  t.same(ourApplications(broker.simulator).map(({ appId }) => appId), [body.client_id])
})

t.test('a shared client that was kept stays, whoever hangs up', async t => {
  const broker = await startPreparedBroker(t, SHARED)
  const { register, database } = broker
  const { body: { client_id: clientId } } = await register(nativeClient())
  // As if the process had died before the mark was written, and the window had closed.
  await eventually('it is delivered', async () => (await database.query("SELECT FROM registration WHERE delivery = 'delivered'")).rowCount === 1)
  const { rows: [row] } = await database.query<{ id: string }>("UPDATE registration SET delivery = 'unknown' RETURNING id")
  const { prisma, close } = openDatabase({ connectionString: database.url })
  t.teardown(close)
  const times = { leaseMs: 15_000, attemptTimeoutMs: 3_000, redeliveryWindowMs: 120_000 }
  await createDeliveryStore(prisma, times).markDeliveries(new Map([[row?.id ?? '', { outcome: 'not_delivered', ageMs: 0 }]]))
  t.match(await register(nativeClient()), { status: 201, body: { client_id: clientId } })
})

t.test('a shared client that was deleted in Entra is not handed out for ever', async t => {
  const { register, simulator, database } = await startPreparedBroker(t, SHARED)
  const first = await register(nativeClient())
  const { object_id: objectId } = (await database.query<{ object_id: string }>('SELECT object_id FROM registration')).rows[0] ?? { object_id: '' }
  const graph = await graphAs(simulator, simulator.broker)
  await graph('DELETE', `/applications/${objectId}`)
  await database.query("UPDATE registration SET activated_at = now() - interval '11 minutes', renewed_at = now()")
  const second = await register(nativeClient())
  t.equal(second.status, 201)
  t.not(second.body.client_id, first.body.client_id)
  t.match((await database.query('SELECT state FROM registration ORDER BY created_at')).rows, [{ state: 'drifted' }, { state: 'active' }])
})
