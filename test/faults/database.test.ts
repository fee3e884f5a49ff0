// Promises 1, 2 and 5 against a database that is away, dies, is cut off at a commit, has no room or rolls back.
import t, { type Test } from 'tap'
import pg from 'pg'
import type { Answer } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { openCluster } from './cluster.ts'
import { startOwnPostgres } from './own-postgres.ts'
import { ACTIVATES, ADD_PASSWORD, RESERVE, SAVE, stopAt } from './stops.ts'

const SPOILT_BY = { 40001: 'a serialization failure', '40P01': 'a deadlock' }

t.test('F6 to F9', async t => {
  const postgres = await startOwnPostgres(t)
  const cluster = await openCluster(t, { database: postgres.database })
  const { simulator, proxy, broker, database } = cluster
  const applications = (name: string) => ourApplications(simulator).filter(({ displayName }) => displayName === name)
  const rows = async (name: string) => (await database.query<{ state: string }>('SELECT state FROM registration WHERE client_name = $1', [name])).rows
  /** Changes asked of Graph since the last look. */
  const graphWrites = () => {
    const count = simulator.control.journal.entries({ path: '^/v1.0/' }).filter(({ method }) => method !== 'GET').length
    simulator.control.journal.clear()
    return count
  }
  const named = (name: string) => new RegExp(name)
  /** A 503 with the time to come back. */
  const refuses = (t: Test, { status, headers, body }: Answer) => {
    t.equal(status, 503)
    t.ok(Number(headers.get('retry-after')) > 0, 'says when to come back')
    t.match(body, { error: 'temporarily_unavailable', error_description: String })
  }

  await t.test('F6 a broker whose database is away when it starts answers 503 and asks Graph for nothing, until it is there', async t => {
    proxy.away()
    await broker.start(proxy.url, 'listening')
    refuses(t, await cluster.create(broker, { client_name: 'F6 at start' }))
    t.equal(simulator.control.journal.entries().length, 0)
    proxy.back()
    const { answer } = await cluster.createPatiently(broker, { client_name: 'F6 at start' })
    t.equal(answer.status, 201)
    t.equal(applications('F6 at start').length, 1)
  })

  await t.test('F6 a database that dies before the row is committed: 503, no row, not one write to Graph', async t => {
    graphWrites()
    proxy.cut({ statement: RESERVE, parameters: named('F6 dies'), side: 'before' }).then(() => proxy.away(), () => {})
    refuses(t, await cluster.create(broker, { client_name: 'F6 dies' }))
    t.equal(graphWrites(), 0)
    proxy.back()
    t.same(await rows('F6 dies'), [])
    const { answer } = await cluster.createPatiently(broker, { client_name: 'F6 dies' })
    t.equal(answer.status, 201)
    t.equal(applications('F6 dies').length, 1)
  })

  await t.test('F7 a PostgreSQL that crashes in the middle of a create: 503, and the repeat gets the one application', async t => {
    const reached = stopAt(cluster, { fault: { match: ADD_PASSWORD, action: { type: 'delay', ms: 300 } } })
    const cutOff = cluster.create(broker, { client_name: 'F7 crashes' })
    await reached
    await postgres.crash()
    refuses(t, await cutOff)
    proxy.back(await postgres.start())
    const { answer } = await cluster.createPatiently(broker, { client_name: 'F7 crashes' })
    t.equal(answer.status, 201)
    t.equal(applications('F7 crashes').length, 1)
    t.equal((await rows('F7 crashes')).length, 1)
  })

  await t.test('F7 a database that falls silent in the middle of a create: 503 in time, and the repeat gets the one application', async t => {
    const reached = stopAt(cluster, { fault: { match: ADD_PASSWORD, action: { type: 'delay', ms: 300 } } })
    const cutOff = cluster.create(broker, { client_name: 'F7 silent' })
    await reached
    proxy.silence()
    refuses(t, await cutOff)
    proxy.back()
    const { answer } = await cluster.createPatiently(broker, { client_name: 'F7 silent' })
    t.equal(answer.status, 201)
    t.equal(applications('F7 silent').length, 1)
    t.equal((await rows('F7 silent')).length, 1)
  })

  for (const side of ['before', 'after'] as const) {
    await t.test(`F8 a connection cut ${side} the reserve is committed: the repeat gets one application`, async t => {
      const name = `F8 reserve ${side}`
      const cut = proxy.cut({ statement: RESERVE, parameters: named(name), side })
      const first = await cluster.create(broker, { client_name: name })
      await cut
      t.ok([201, 503].includes(first.status))
      const { answer } = await cluster.createPatiently(broker, { client_name: name })
      t.equal(answer.status, 201)
      t.equal(applications(name).length, first.status === 201 ? 2 : 1)
      t.equal((await rows(name)).length, applications(name).length)
    })

    await t.test(`F8 a connection cut ${side} the activation is committed: the caller gets his client all the same`, async t => {
      const name = `F8 activate ${side}`
      const cut = proxy.cut({ statement: SAVE, parameters: new RegExp(`${name}[^]*${ACTIVATES.source}`), side })
      const { status } = await cluster.create(broker, { client_name: name })
      await cut
      t.equal(status, 201)
      t.same(await rows(name), [{ state: 'active' }])
      t.equal(applications(name).length, 1)
    })
  }

  for (const [sqlState, what] of Object.entries(SPOILT_BY)) {
    await t.test(`F9 ${what} that passes is not seen by the caller`, async t => {
      const name = `F9 passing ${sqlState}`
      const refused = [
        proxy.refuse({ statement: RESERVE, parameters: named(name), sqlState }),
        proxy.refuse({ statement: SAVE, parameters: named(name), sqlState })
      ]
      t.equal((await cluster.create(broker, { client_name: name })).status, 201)
      t.same(refused.map(count => count()), [1, 1])
      t.equal(applications(name).length, 1)
    })

    await t.test(`F9 ${what} that does not pass is a 503 after a few attempts, and not one write to Graph`, async t => {
      const name = `F9 lasting ${sqlState}`
      const refused = proxy.refuse({ statement: RESERVE, parameters: named(name), sqlState, times: 1_000 })
      graphWrites()
      refuses(t, await cluster.create(broker, { client_name: name }))
      t.ok(refused() > 1 && refused() <= 5, `${refused()} attempts`)
      t.equal(graphWrites(), 0)
    })
  }

  await t.test('F9 more requests than connections while the table is locked: all are answered in time with 503, and none is lost', async t => {
    const locker = new pg.Client({ connectionString: proxy.url })
    await locker.connect()
    await locker.query('BEGIN')
    await locker.query('LOCK TABLE registration IN ACCESS EXCLUSIVE MODE')
    graphWrites()
    const names = Array.from({ length: 30 }, (_none, index) => `F9 locked ${index}`)
    const answers = await Promise.all(names.map(name => cluster.create(broker, { client_name: name })))
    t.same(answers.filter(({ status }) => status !== 503), [])
    t.equal(graphWrites(), 0)
    await locker.query('ROLLBACK')
    await locker.end()
    const repeats = await Promise.all(names.map(name => cluster.createPatiently(broker, { client_name: name })))
    t.same(repeats.filter(({ answer }) => answer.status !== 201), [])
    t.ok(names.every(name => applications(name).length === 1))
  })

  t.same(await cluster.violations(), [])
  await eventually('the marks are written', async () => (await database.query("SELECT FROM registration WHERE state = 'active' AND delivery <> 'delivered'")).rowCount === 0)
})
