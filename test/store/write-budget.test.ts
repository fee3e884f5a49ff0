import t from 'tap'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createRegistrationStore } from '../../src/store/registration-store.ts'
import { konnectApplication, startTestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'

t.test('operations charge the tenant\'s budget, whichever replica makes them', async t => {
  const { konnect, database } = await startTestBroker(t)
  await konnect('POST', '', konnectApplication())
  const { rows } = await database.query<{ id: string, writes_spent_until: Date | null }>('SELECT id, writes_spent_until FROM provider')
  t.equal(rows[0]?.writes_spent_until, null, 'an unlimited budget is not kept')

  // Three writes at 0.03 a second are 100 s; 5 s of unused budget are let through.
  const times = { leaseMs: 15_000, attemptTimeoutMs: 3_000, redeliveryWindowMs: 120_000, writesPerSecond: 0.03 }
  const waits: number[] = []
  for (let replica = 0; replica < 3; replica++) {
    const { prisma, close } = openDatabase({ connectionString: database.url, maxConnections: 2 })
    waits.push(Math.floor(await createRegistrationStore(prisma, times, () => performance.now()).spendWrites(rows[0]?.id as string) / 10_000))
    await close()
  }
  t.strictSame(waits, [0, 9, 19], 'in tens of seconds')
})

t.test('without budget before the deadline the answer is 503 and Graph is not asked', async t => {
  const { konnect, database, simulator } = await startTestBroker(t, { environment: { GRAPH_WRITES_PER_SECOND: '18' } })
  await database.query('UPDATE provider SET writes_spent_until = now() + interval \'1 hour\'')
  const answer = await konnect('POST', '', konnectApplication())
  t.match(answer, { status: 503, body: { error: 'temporarily_unavailable' } })
  t.ok(Number(answer.headers.get('retry-after')) > 3_000)
  t.equal(simulator.control.journal.entries({ path: '/v1.0/' }).length, 0)
})

t.test('a registration keeps its turn however often it is handed over: the queue drains', async t => {
  const { konnect, database } = await startTestBroker(t, {
    environment: { GRAPH_WRITES_PER_SECOND: '12', REQUEST_DEADLINE_MS: '1500', ATTEMPT_TIMEOUT_MS: '500', LEASE_MS: '6000', RESUME_SCAN_MS: '200' }
  })
  // Four a second and a burst of twenty: the last turn is about ten seconds away, far behind every deadline.
  const answers = await Promise.all(Array.from({ length: 60 }, (_, index) => konnect('POST', '', konnectApplication({ client_name: `client ${index}` }))))
  const statuses = new Set(answers.map(({ status }) => status))
  t.ok(statuses.has(503), 'some had to come back later')
  t.ok([...statuses].every(status => status === 201 || status === 503), [...statuses].join())
  await t.resolves(eventually('all are active', async () => {
    const { rows } = await database.query<{ count: number }>('SELECT count(*)::int FROM registration WHERE state <> \'active\'')
    return rows[0]?.count === 0
  }, 40_000))
})

t.test('an event that asks nothing of Graph costs no budget', async t => {
  const { konnect, database } = await startTestBroker(t, { environment: { GRAPH_WRITES_PER_SECOND: '18' } })
  const { body } = await konnect('POST', '', konnectApplication())
  const spent = async () => (await database.query('SELECT writes_spent_until FROM provider')).rows
  const before = await spent()
  t.equal((await konnect('POST', `/${body.client_id}/event-hook`, { event_type: 'add_registration', api_id: 'x' })).status, 200)
  t.strictSame(await spent(), before)
})
