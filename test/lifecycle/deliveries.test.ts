// What becomes of an answer: repeated while nobody has received it, undone when nobody ever did, kept when nobody knows.
import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { violations } from '../faults/invariants.ts'
import { konnectApplication, KONNECT_KEY, startTestBroker, type TestBroker } from '../support/broker.ts'
import { ourApplications, ourObjectCount } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { QUICK, SHORT_WINDOW } from './times.ts'

t.jobs = 3

t.test('twenty identical requests at once make one application and get twenty equal answers', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { simulator: { lag: { latencyMs: 500 } } })
  const answers = await Promise.all(Array.from({ length: 20 }, async () => await konnect('POST', '', konnectApplication())))
  t.same(new Set(answers.map(({ status }) => status)), new Set([201]))
  t.equal(new Set(answers.map(({ body }) => JSON.stringify(body))).size, 1)
  t.equal(ourApplications(simulator).length, 1)
  t.same(await violations({ simulator, database }), [])
})

t.test('a repeat after a delivered answer is a second application', async t => {
  const { konnect, simulator } = await startTestBroker(t, { environment: QUICK })
  const first = await konnect('POST', '', konnectApplication())
  const second = await konnect('POST', '', konnectApplication())
  t.same([first.status, second.status], [201, 201])
  t.not(first.body.client_id, second.body.client_id)
  t.equal(ourApplications(simulator).length, 2)
})

t.test('the same application of another developer is another application, also at the same moment', async t => {
  const { konnect, simulator } = await startTestBroker(t, { environment: QUICK, simulator: { lag: { latencyMs: 100 } } })
  const answers = await Promise.all(['one', 'other'].map(async id => await konnect('POST', '', konnectApplication({ developer_id: id }))))
  t.equal(new Set(answers.map(({ body }) => body.client_id)).size, 2)
  t.equal(ourApplications(simulator).length, 2)
})

t.test('an answer whose caller hung up is given to the repeat', async t => {
  const broker = await startTestBroker(t, { environment: QUICK, simulator: { lag: { latencyMs: 100 } } })
  await hangUp(broker)
  await eventually('it is known that the answer was not delivered', async () => await deliveryIs(broker, 'not_delivered'))
  const { rows } = await broker.database.query<{ client_id: string }>('SELECT client_id FROM registration')
  const { status, body } = await broker.konnect('POST', '', konnectApplication())
  t.equal(status, 201)
  t.equal(body.client_id, rows[0]?.client_id)
  await eventually('it is delivered', async () => await deliveryIs(broker, 'delivered'))
  t.equal(ourApplications(broker.simulator).length, 1)
})

t.test('an answer that nobody received is undone at the end of the window', async t => {
  const broker = await startTestBroker(t, { environment: SHORT_WINDOW, simulator: { lag: { latencyMs: 100 } } })
  await hangUp(broker)
  await eventually('the application is there', () => ourApplications(broker.simulator).length === 1)
  await eventually('it is undone', async () =>
    (await broker.database.query("SELECT FROM registration WHERE state = 'undone' AND delivery = 'not_delivered' AND purge_at IS NULL")).rowCount === 1)
  t.equal(ourObjectCount(broker.simulator), 0)
})

t.test('an answer of which nobody knows whether it was received is kept and marked unknown', async t => {
  const broker = await startTestBroker(t, { environment: SHORT_WINDOW })
  t.equal((await broker.konnect('POST', '', konnectApplication())).status, 201)
  // As a process that dies between answer and mark leaves it.
  await eventually('it is marked', async () => await deliveryIs(broker, 'delivered'))
  await broker.database.query("UPDATE registration SET delivery = 'pending', redeliver_until = now()")
  await eventually('the window is closed', async () => await deliveryIs(broker, 'unknown'))
  t.equal(ourApplications(broker.simulator).length, 1)
  t.same(await violations(broker), [])
})

t.test('a delivered answer survives the window, and its sealed copy does not', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: SHORT_WINDOW })
  const { body } = await konnect('POST', '', konnectApplication())
  const sealed = async () => (await database.query('SELECT FROM credential WHERE seal_ciphertext IS NOT NULL')).rowCount
  t.equal(await sealed(), 1)
  await eventually('the sealed copy is erased', async () => await sealed() === 0)
  t.equal(ourApplications(simulator)[0]?.appId, body.client_id)
  const { status } = await konnect('POST', `/${body.client_id}/new-secret`)
  t.equal(status, 200, 'a client without a sealed copy can be rotated')
})

t.test('a 503 that nobody repeats is finished, then undone at the end of the window', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: SHORT_WINDOW })
  const id = simulator.control.faults.add({ match: { method: 'POST', path: '/addPassword$', times: 'always' }, action: { type: 'status', status: 503 } })
  t.equal((await konnect('POST', '', konnectApplication())).status, 503)
  simulator.control.faults.clear(id)
  await eventually('it is undone', async () => (await database.query("SELECT FROM registration WHERE state = 'undone' AND purge_at IS NULL")).rowCount === 1, 30_000)
  t.equal(ourObjectCount(simulator), 0)
})

async function deliveryIs ({ database }: TestBroker, delivery: string): Promise<boolean> {
  const { rowCount } = await database.query('SELECT FROM registration WHERE delivery = $1', [delivery])
  return rowCount === 1
}

/** Sends a whole create and closes the connection when Entra is at work for it. */
async function hangUp ({ url, simulator }: TestBroker): Promise<void> {
  const { hostname, port } = new URL(url)
  const body = JSON.stringify(konnectApplication())
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(`POST /konnect HTTP/1.1\r\nhost: ${hostname}\r\nx-api-key: ${KONNECT_KEY}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  await eventually('Entra is at work', () => simulator.control.journal.entries({ method: 'PATCH' }).length > 0)
  socket.destroy()
}
