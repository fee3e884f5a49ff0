import t from 'tap'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createRegistrationStore } from '../../src/store/registration-store.ts'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

t.test('leases charge the tenant\'s budget, whichever replica takes them', async t => {
  const { konnect, database } = await startTestBroker(t)
  await konnect('POST', '', konnectApplication())
  t.match((await database.query('SELECT writes_spent_until FROM provider')).rows, [{ writes_spent_until: null }], 'an unlimited budget is not kept')

  const { rows } = await database.query<{ id: string }>('SELECT id FROM registration')
  // Three writes at 0.03 a second are 100 s; 5 s of unused budget are let through.
  const times = { leaseMs: 15_000, attemptTimeoutMs: 3_000, redeliveryWindowMs: 120_000, writesPerSecond: 0.03 }
  const waits: number[] = []
  for (let replica = 0; replica < 3; replica++) {
    const { prisma, close } = openDatabase({ connectionString: database.url, maxConnections: 2 })
    const store = createRegistrationStore(prisma, times, () => performance.now())
    const held = await store.acquire(rows[0]?.id as string)
    if (held === null) throw new Error('the row is held')
    waits.push(Math.floor(held.waitMs / 10_000))
    await store.save(held, { lease: { kind: 'release', dueInMs: null } })
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
