// Promises 5 and 7 against SIGTERM: requests under way are finished or handed over, the process ends within its grace, and the other
// replica goes on at once instead of waiting for a lease that nobody holds any more.
import t from 'tap'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { openCluster, TIMES } from './cluster.ts'
import { ADD_PASSWORD, APPLICATION, hang, stopAt } from './stops.ts'

/** A request's deadline, an attempt, and what src/main.ts adds for the rest. */
const GRACE_MS = Number(TIMES.REQUEST_DEADLINE_MS) + Number(TIMES.ATTEMPT_TIMEOUT_MS) + 10_000
/** Longer than anything here is waited for: whoever goes on sooner was given the lease. */
const LEASE_MS = 60_000

t.test('F35 SIGTERM in the middle of requests', async t => {
  const cluster = await openCluster(t, { replicas: [{}, {}], environment: { LEASE_MS: String(LEASE_MS) } })
  const { simulator, database, replicas: [one, two] } = cluster
  if (one === undefined || two === undefined) throw new Error('two replicas were asked for')
  await cluster.start()
  const applications = (name: string) => ourApplications(simulator).filter(({ displayName }) => displayName === name)

  await t.test('F35 what can be finished is answered, what can\'t gets 503 in time and is finished by the other before the lease would end', async t => {
    const beginning = stopAt(cluster, { fault: { match: ADD_PASSWORD, action: { type: 'delay', ms: 500 } } })
    const finished = cluster.create(one, { client_name: 'Finished' })
    await beginning
    const hanging = stopAt(cluster, { fault: { match: { ...APPLICATION, times: 'always' }, action: hang } })
    const handedOver = cluster.create(one, { client_name: 'Handed over' })
    await hanging
    const ending = one.terminate()
    await eventually('it closes', () => one.log().some(line => line.includes('"Closing"')))
    await t.rejects(cluster.create(one, { client_name: 'Too late' }), 'no new connection is taken')
    t.equal((await finished).status, 201)

    const { status, headers } = await handedOver
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
    t.same(applications('Too late'), [])
  })

  await t.test('F35 work that a replica has claimed is given back at SIGTERM, and another goes on with it', async t => {
    // Its request is answered with 503; from then on the background works on it.
    simulator.control.faults.add({ match: { ...ADD_PASSWORD, times: 'always' }, action: hang })
    t.equal((await cluster.create(two, { client_name: 'Claimed' })).status, 503)
    await eventually('the background works on it', async () =>
      (await database.query("SELECT FROM registration WHERE client_name = 'Claimed' AND lease_until > now() + interval '2 s'")).rowCount === 1)
    const { code, tookMs } = await two.terminate()
    t.equal(code, 0)
    t.ok(tookMs < LEASE_MS, 'it does not go on until the lease ends')
    t.equal((await database.query('SELECT FROM registration WHERE lease_until > now()')).rowCount, 0, 'the lease is given back')
    simulator.control.faults.clear()
    await one.start(cluster.proxy.url)
    const { answer } = await cluster.createPatiently(one, { client_name: 'Claimed' })
    t.equal(answer.status, 201)
    t.equal(applications('Claimed').length, 1)
  })

  t.same(await cluster.violations(), [])
})
