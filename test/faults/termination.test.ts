// Promises 5 and 7 against SIGTERM: requests under way are finished or handed over, the process ends within its grace, and the other
// replica goes on at once instead of waiting for a lease that nobody holds any more.
import t from 'tap'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { openCluster, TIMES } from './cluster.ts'
import { ADD_PASSWORD, APPLICATION, hang, stopAt } from './stops.ts'

/** A request's deadline, an attempt, and what src/main.ts adds for the rest. */
const GRACE_MS = Number(TIMES.REQUEST_DEADLINE_MS) + Number(TIMES.ATTEMPT_TIMEOUT_MS) + 10_000
const LEASE_MS = Number(TIMES.LEASE_MS)

t.test('F35 SIGTERM in the middle of requests', async t => {
  const cluster = await openCluster(t, { replicas: [{}, {}] })
  const { simulator, database, replicas: [one, two] } = cluster
  if (one === undefined || two === undefined) throw new Error('two replicas were asked for')
  await cluster.start()
  const applications = (name: string) => ourApplications(simulator).filter(({ displayName }) => displayName === name)

  await t.test('F35 a request that can be finished is answered, and nothing new is taken', async t => {
    const reached = stopAt(cluster, { fault: { match: ADD_PASSWORD, action: { type: 'delay', ms: 500 } } })
    const underWay = cluster.create(one, { client_name: 'Finished' })
    await reached
    const ending = one.terminate()
    await eventually('it closes', () => one.log().some(line => line.includes('"Closing"')))
    await t.rejects(cluster.create(one, { client_name: 'Too late' }), 'no new connection is taken')
    t.equal((await underWay).status, 201)
    const { code, tookMs } = await ending
    t.equal(code, 0)
    t.ok(tookMs < GRACE_MS)
    t.same(applications('Too late'), [])
  })

  await t.test('F35 a request that can\'t be finished gets 503 in time, and the other replica finishes it before the lease would end', async t => {
    await cluster.start()
    const reached = stopAt(cluster, { fault: { match: { ...APPLICATION, times: 'always' }, action: hang } })
    const underWay = cluster.create(one, { client_name: 'Handed over' })
    await reached
    const ending = one.terminate()
    const { status, headers } = await underWay
    t.equal(status, 503)
    t.ok(Number(headers.get('retry-after')) > 0)
    simulator.control.faults.clear()
    const handedOverAtMs = performance.now()
    await eventually('the other one has finished it', async () =>
      (await database.query("SELECT FROM registration WHERE client_name = 'Handed over' AND state = 'active'")).rowCount === 1)
    t.ok(performance.now() - handedOverAtMs < LEASE_MS, 'the lease was given back')
    const { code, tookMs } = await ending
    t.equal(code, 0)
    t.ok(tookMs < GRACE_MS)
    const { answer } = await cluster.createPatiently(two, { client_name: 'Handed over' })
    t.equal(answer.status, 201)
    t.equal(applications('Handed over').length, 1)
  })

  await t.test('F35 work that a replica has claimed is given back at SIGTERM, and another goes on with it', async t => {
    await cluster.start()
    // Nobody but the background works on it: its request was answered with 503.
    simulator.control.faults.add({ match: { ...ADD_PASSWORD, times: 'always' }, action: hang })
    t.equal((await cluster.create(one, { client_name: 'Claimed' })).status, 503)
    await two.terminate()
    await eventually('the first replica works on it', async () =>
      (await database.query("SELECT FROM registration WHERE client_name = 'Claimed' AND lease_until > now() + interval '2 s'")).rowCount === 1)
    const { code, tookMs } = await one.terminate()
    t.equal(code, 0)
    t.ok(tookMs < LEASE_MS, 'it does not go on until the lease ends')
    t.equal((await database.query('SELECT FROM registration WHERE lease_until > now()')).rowCount, 0, 'the lease is given back')
    simulator.control.faults.clear()
    await two.start(cluster.proxy.url)
    await eventually('the other one has finished it', async () =>
      (await database.query("SELECT FROM registration WHERE client_name = 'Claimed' AND state = 'active'")).rowCount === 1)
    const { answer } = await cluster.createPatiently(two, { client_name: 'Claimed' })
    t.equal(answer.status, 201)
    t.equal(applications('Claimed').length, 1)
  })

  t.same(await cluster.violations(), [])
})
