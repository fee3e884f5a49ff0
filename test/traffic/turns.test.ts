// The tenant's budget of writes: shared by all replicas, fair between callers, and honest to who has to come back.
import t, { type Test } from 'tap'
import type { WriteBudget } from '../../src/registration/traffic/write-queue.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createTrafficStore } from '../../src/store/traffic-store.ts'
import { KONNECT_KEY, konnectApplication, request, SECOND_KONNECT_KEY, startTestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import type { TestDatabase } from '../support/postgres.ts'

const GRAPH = { path: '/v1.0/' }

async function storeOf (t: Test, database: TestDatabase, budget: WriteBudget) {
  const { prisma, close } = openDatabase({ connectionString: database.url, maxConnections: 2 })
  t.teardown(close)
  return createTrafficStore(prisma, budget)
}

t.test('slices of one budget follow each other, whichever replica takes them', async t => {
  const { database } = await startTestBroker(t)
  const { rows } = await database.query<{ id: string }>('SELECT id FROM provider')
  const providerId = rows[0]?.id as string
  // Three writes at 0.03 a second are 100 s; a reserve of three is let through.
  const budget = { writesPerSecond: 0.03, burst: 3, concurrency: 64 }
  const begin: number[] = []
  for (let replica = 0; replica < 3; replica++) {
    const store = await storeOf(t, database, budget)
    begin.push(Math.round((await store.takeWrites(providerId, 3)).beginInMs / 10_000))
  }
  t.strictSame(begin, [0, 0, 10], 'in tens of seconds')

  const store = await storeOf(t, database, budget)
  await store.pauseProvider(providerId, 400_000)
  t.strictSame([...(await store.pauses()).keys()], [providerId])
  t.equal(Math.round((await store.takeWrites(providerId, 3)).beginInMs / 10_000), 40, 'a pause leaves no reserve behind')
})

t.test('what has no room before the deadline is a 503 that begins nothing and says when there is', async t => {
  const { konnect, database, simulator } = await startTestBroker(t, { environment: { GRAPH_WRITES_PER_SECOND: '18', GRAPH_WRITE_BURST: '3' } })
  await database.query('UPDATE provider SET writes_spent_until = now() + interval \'1 hour\'')
  const waiting = konnect('POST', '', konnectApplication({ client_name: 'the first learns it' }))
  await t.resolves(eventually('the broker knows', async () => {
    const answer = await konnect('POST', '', konnectApplication({ client_name: 'the second' }))
    return answer.status === 503 && Number(answer.headers.get('retry-after')) > 3_000
  }))
  const started = performance.now()
  const answer = await konnect('POST', '', konnectApplication({ client_name: 'the third' }))
  t.match(answer, { status: 503, body: { error: 'temporarily_unavailable' } })
  t.ok(performance.now() - started < 6_000, 'at once, not at the deadline')
  t.match(await waiting, { status: 503 })
  t.equal(simulator.control.journal.entries(GRAPH).length, 0)
  const { rows } = await database.query('SELECT id FROM registration WHERE client_name = \'the third\'')
  t.equal(rows.length, 0)
})

t.test('the writes of registrations that come together are all charged', async t => {
  const { konnect, database } = await startTestBroker(t, { environment: { GRAPH_WRITES_PER_SECOND: '1000', GRAPH_WRITE_BURST: '3000', REQUEST_DEADLINE_MS: '30000' } })
  const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => konnect('POST', '', konnectApplication({ client_name: `client ${index}` }))))
  t.ok(answers.every(({ status }) => status === 201))
  const { rows } = await database.query<{ spent: number }>(
    'SELECT extract(epoch FROM writes_spent_until - (SELECT min(created_at) FROM registration))::float8 * 1000 AS spent FROM provider')
  t.ok(Number(rows[0]?.spent) >= 180, 'all 180 writes were charged')
})

t.test('a flood of one caller does not hold up another', async t => {
  const { url, konnect, database } = await startTestBroker(t, { environment: { GRAPH_WRITES_PER_SECOND: '30', GRAPH_WRITE_BURST: '3' } })
  const send = (key: string, name: string) => request(`${url}/konnect`, 'POST', konnectApplication({ client_name: name }), { 'x-api-key': key })
  let unanswered = 90
  const flood = Array.from({ length: 90 }, async (_, index) => await send(KONNECT_KEY, `flood ${index}`).finally(() => { unanswered -= 1 }))
  await t.resolves(eventually('the flood is in the queue', async () => {
    const { rows } = await database.query<{ count: number }>('SELECT count(*)::int FROM registration')
    return (rows[0]?.count ?? 0) >= 20
  }))
  const started = performance.now()
  t.equal((await send(SECOND_KONNECT_KEY, 'another')).status, 201)
  const tookMs = performance.now() - started
  t.ok(unanswered > 20, `${unanswered} of the flood still wait`)
  const statuses = (await Promise.all(flood)).map(({ status }) => status)
  t.ok(tookMs < 7_000, `${Math.round(tookMs)} ms: not behind seven seconds of the flood`)
  t.ok(statuses.filter(status => status === 201).length > 20, 'and the flood is served all the same')
  t.equal((await konnect('GET', '/unknown')).status, 404)
})

t.test('who comes back when he is told is served', async t => {
  const { konnect } = await startTestBroker(t, {
    environment: { GRAPH_WRITES_PER_SECOND: '36', GRAPH_WRITE_BURST: '3', REQUEST_DEADLINE_MS: '4000' }
  })
  let refusals = 0
  const register = async (name: string): Promise<number> => {
    for (;;) {
      const answer = await konnect('POST', '', konnectApplication({ client_name: name }))
      if (answer.status !== 503) return answer.status
      refusals += 1
      await new Promise(resolve => setTimeout(resolve, Number(answer.headers.get('retry-after')) * 1_000))
    }
  }
  const started = performance.now()
  const statuses = await Promise.all(Array.from({ length: 60 }, (_, index) => register(`client ${index}`)))
  const tookMs = performance.now() - started
  t.ok(statuses.every(status => status === 201), statuses.join())
  t.ok(tookMs >= 4_500, 'the budget was kept: 180 writes at 36 a second')
  t.ok(tookMs < 45_000, `${Math.round(tookMs)} ms`)
  t.ok(refusals > 0 && refusals < 120, `${refusals} refusals`)
})

t.test('a repeat of a request that is under way needs no room of its own', async t => {
  const { konnect, database, simulator } = await startTestBroker(t, { environment: { GRAPH_WRITES_PER_SECOND: '3', GRAPH_WRITE_BURST: '3' } })
  simulator.control.lag({ latencyMs: 500 })
  const answers = await Promise.all(Array.from({ length: 20 }, () => konnect('POST', '', konnectApplication())))
  t.strictSame(new Set(answers.map(({ status, body }) => `${status} ${body.client_id}`)).size, 1)
  const { rows } = await database.query<{ count: number }>('SELECT count(*)::int FROM registration')
  t.equal(rows[0]?.count, 1)
})

t.test('an event that asks nothing of Graph costs no budget', async t => {
  const { konnect, database } = await startTestBroker(t, { environment: { GRAPH_WRITES_PER_SECOND: '18' } })
  const { body } = await konnect('POST', '', konnectApplication())
  const spent = async () => (await database.query('SELECT writes_spent_until FROM provider')).rows
  const before = await spent()
  t.equal((await konnect('POST', `/${body.client_id}/event-hook`, { event_type: 'add_registration', api_id: 'x' })).status, 200)
  t.strictSame(await spent(), before)
})

t.test('of more than can be done at once some are done in time, and all are answered', async t => {
  const { konnect, simulator } = await startTestBroker(t, {
    environment: { GRAPH_CONCURRENCY: '8', REQUEST_DEADLINE_MS: '8000' }
  })
  simulator.control.lag({ latencyMs: 200 })
  const started = performance.now()
  const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => konnect('POST', '', konnectApplication({ client_name: `client ${index}` }))))
  const tookMs = performance.now() - started
  const count = (wanted: number): number => answers.filter(({ status }) => status === wanted).length
  t.equal(count(201) + count(503), 200)
  // Eight at once, two thirds of a second each; without places all of them would be half done.
  t.ok(count(201) >= 20, `${count(201)} were done`)
  t.ok(count(503) >= 20, `${count(503)} have to come back`)
  t.ok(tookMs < 30_000, `${Math.round(tookMs)} ms`)
})
