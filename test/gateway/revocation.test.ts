// What was taken away is refused within a second on every replica, though Entra goes on accepting it; what was given is accepted at once.
import pg from 'pg'
import t from 'tap'
import type { Test } from 'tap'
import { konnectApplication } from '../support/broker.ts'
import { createGatewayStore } from '../../src/store/gateway-store.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { eventually } from '../support/eventually.ts'
import { basic, bearer, startTwoGateways, V1_STRATEGY, V2_STRATEGY, type TestGateway } from '../support/gateway.ts'

/** The promise is a second; what a busy machine adds is its own. */
const WITHIN_MS = 1_500

const statusOn = async (gateway: TestGateway, headers: Record<string, string>) => (await gateway.verify(headers)).status

async function acceptedOnBoth (t: Test, gateways: readonly TestGateway[], headers: Record<string, string>, what: string): Promise<void> {
  // A strategy that was made at one replica is known at the other within a second.
  for (const gateway of gateways) await eventually(`${what} is accepted`, async () => await statusOn(gateway, headers) === 200, 3_000)
  t.pass(`${what} is accepted on both replicas`)
}

async function refusedOnBoth (t: Test, gateways: readonly TestGateway[], headers: Record<string, string>, what: string): Promise<void> {
  const changedAtMs = performance.now()
  for (const gateway of gateways) {
    await eventually(`${what} is refused`, async () => await statusOn(gateway, headers) === 401, WITHIN_MS)
    for (let time = 0; time < 3; time++) t.equal(await statusOn(gateway, headers), 401, `${what} stays refused`)
  }
  t.comment(`${what}: refused on both after ${Math.round(performance.now() - changedAtMs)} ms`)
}

t.test('a client that was deleted is refused on both replicas, by its secret and by its token, while Entra still gives tokens', async t => {
  const gateways = await startTwoGateways(t)
  const [one, other] = gateways
  for (const [deleter, strategy] of [[one, V1_STRATEGY], [other, V2_STRATEGY]] as const) {
    const client = await one.registerClient(strategy)
    const token = strategy === V1_STRATEGY ? await one.tokenV1(client) : await one.tokenV2(client)
    await acceptedOnBoth(t, gateways, basic(client), 'the secret')
    await acceptedOnBoth(t, gateways, bearer(token), 'the token')
    t.equal((await deleter.konnect('DELETE', `/${client.clientId}`)).status, 204)
    await refusedOnBoth(t, gateways, basic(client), 'the secret of a deleted client')
    await refusedOnBoth(t, gateways, bearer(token), 'the token of a deleted client')
    t.equal((await one.introspect(token)).body.active, false)
    t.ok(strategy === V1_STRATEGY ? await one.tokenV1(client) : await one.tokenV2(client), 'Entra goes on giving tokens')
  }
})

t.test('a client that an operator disables is refused, and accepted at once when he enables it', async t => {
  const gateways = await startTwoGateways(t)
  const [one] = gateways
  const client = await one.registerClient(V1_STRATEGY)
  const token = await one.tokenV1(client)
  const { body: { data: [{ id }] } } = await one.operations('GET', '/registrations')
  await acceptedOnBoth(t, gateways, basic(client), 'the secret')
  await acceptedOnBoth(t, gateways, bearer(token), 'the token')
  t.equal((await one.operations('POST', `/registrations/${id}/disable`)).status, 200)
  await refusedOnBoth(t, gateways, basic(client), 'the secret of a disabled client')
  await refusedOnBoth(t, gateways, bearer(token), 'its token')
  t.equal((await one.operations('POST', `/registrations/${id}/enable`)).status, 200)
  for (const gateway of gateways) t.equal(await statusOn(gateway, bearer(token)), 200)
})

t.test('a rotated secret: the new one is accepted at once, the old one refused on both replicas while Entra still takes it', async t => {
  const gateways = await startTwoGateways(t)
  const [one] = gateways
  const client = await one.registerClient(V1_STRATEGY)
  await acceptedOnBoth(t, gateways, basic(client), 'the first secret')
  const { status, body } = await one.konnect('POST', `/${client.clientId}/new-secret`)
  t.equal(status, 200)
  const renewed = { ...client, clientSecret: body.client_secret as string }
  for (const gateway of gateways) t.equal(await statusOn(gateway, basic(renewed)), 200)
  await refusedOnBoth(t, gateways, basic(client), 'the old secret')
  t.ok(await one.tokenV1(client), 'Entra still takes it')
})

t.test('a further secret is accepted at once, and refused once it was removed', async t => {
  const gateways = await startTwoGateways(t)
  const [one] = gateways
  const client = await one.registerClient(V1_STRATEGY)
  await acceptedOnBoth(t, gateways, basic(client), 'the first secret')
  const { body } = await one.konnect('POST', `/${client.clientId}/secrets`)
  const second = { ...client, clientSecret: body.client_secret as string }
  for (const gateway of gateways) t.equal(await statusOn(gateway, basic(second)), 200)
  t.equal((await one.konnect('DELETE', `/${client.clientId}/secrets/${body.secret_id}`)).status, 204)
  await refusedOnBoth(t, gateways, basic(second), 'the removed secret')
  for (const gateway of gateways) t.equal(await statusOn(gateway, basic(client)), 200)
})

t.test('whoever changes a row by hand is heeded, too: a statement of an operator, or of another release', async t => {
  const gateways = await startTwoGateways(t)
  const [one] = gateways
  const client = await one.registerClient(V1_STRATEGY)
  await acceptedOnBoth(t, gateways, basic(client), 'the secret')
  await one.database.query('UPDATE registration SET state = $1 WHERE client_id = $2', ['drifted', client.clientId])
  await refusedOnBoth(t, gateways, basic(client), 'the secret of a drifted client')
})

t.test('whoever takes a row away by hand is heeded, too', async t => {
  const gateways = await startTwoGateways(t)
  const [one] = gateways
  const client = await one.registerClient(V1_STRATEGY)
  const token = await one.tokenV1(client)
  const product = '3d1f8a52-6c0e-4d0b-9a63-0c5b7e2f9d11'
  await one.konnect('POST', `/${client.clientId}/event-hook`, {
    ...konnectApplication(), event_type: 'add_registration', client_id: client.clientId, application_id: 'app-1', application_name: 'Orders app', api_product_version_id: product
  })
  const forProduct = { ...bearer(token), 'x-product-id': product }
  for (const shown of [basic(client), bearer(token), forProduct]) await acceptedOnBoth(t, gateways, shown, 'it')
  const id = (await one.database.query<{ id: string }>('SELECT id FROM registration WHERE client_id = $1', [client.clientId])).rows[0]?.id
  await one.database.query('DELETE FROM registration_event WHERE registration_id = $1', [id])
  for (const gateway of gateways) await eventually('the product is gone', async () => await statusOn(gateway, forProduct) === 403, WITHIN_MS)
  await one.database.query('DELETE FROM credential WHERE registration_id = $1', [id])
  await refusedOnBoth(t, gateways, basic(client), 'the secret')
  t.equal(await statusOn(one, bearer(token)), 200)
  await one.database.query('DELETE FROM registration WHERE id = $1', [id])
  await refusedOnBoth(t, gateways, bearer(token), 'the token')
})

t.test('a change is noted whatever the search path of its session: pg_restore empties it', async t => {
  const [one] = await startTwoGateways(t)
  const client = await one.registerClient(V1_STRATEGY)
  const connection = new pg.Client({ connectionString: one.database.url })
  await connection.connect()
  t.teardown(() => connection.end())
  await connection.query("SET search_path = ''")
  t.equal((await connection.query("UPDATE public.registration SET state = 'disabled' WHERE client_id = $1", [client.clientId])).rowCount, 1)
})

t.test('a change whose transaction was open for long, while others came and went, is told when it commits', async t => {
  const [one] = await startTwoGateways(t)
  const [slow, quick] = [await one.registerClient(V1_STRATEGY), await one.registerClient(V1_STRATEGY)]
  for (const client of [slow, quick]) t.equal(await statusOn(one, basic(client)), 200)
  const connection = new pg.Client({ connectionString: one.database.url })
  await connection.connect()
  t.teardown(() => connection.end())
  await connection.query('BEGIN')
  await connection.query('UPDATE registration SET state = $1 WHERE client_id = $2', ['disabled', slow.clientId])
  await one.database.query('UPDATE registration SET state = $1 WHERE client_id = $2', ['disabled', quick.clientId])
  await eventually('the later one, which has committed, is refused', async () => await statusOn(one, basic(quick)) === 401, WITHIN_MS)
  t.equal(await statusOn(one, basic(slow)), 200, 'nothing has happened to the other yet')
  await connection.query('COMMIT')
  await eventually('the earlier one is refused', async () => await statusOn(one, basic(slow)) === 401, WITHIN_MS)
})

t.test('a change is told once, also while another transaction stays open, and that one\'s when it commits', async t => {
  const [one] = await startTwoGateways(t)
  const [slow, quick] = [await one.registerClient(V1_STRATEGY), await one.registerClient(V1_STRATEGY)]
  const database = openDatabase({ connectionString: one.database.url })
  t.teardown(() => database.close())
  const store = createGatewayStore(database.run, () => performance.now())
  const connection = new pg.Client({ connectionString: one.database.url })
  await connection.connect()
  t.teardown(() => connection.end())
  let { upTo: moment } = await store.changesSince(null)
  const told = async () => {
    const { upTo, clientIds } = await store.changesSince(moment)
    moment = upTo
    return clientIds
  }
  await connection.query('BEGIN')
  await connection.query('UPDATE registration SET state = $1 WHERE client_id = $2', ['disabled', slow.clientId])
  t.strictSame(await told(), [])
  await one.database.query('UPDATE registration SET state = $1 WHERE client_id = $2', ['disabled', quick.clientId])
  t.strictSame(await told(), [quick.clientId])
  t.strictSame(await told(), [])
  await connection.query('COMMIT')
  t.strictSame(await told(), [slow.clientId])
  t.strictSame(await told(), [])
})
