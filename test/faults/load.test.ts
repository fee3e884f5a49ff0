// Promises 1 and 5 under more than the broker can do at once: hundreds of registrations at the same moment, and an event loop that stands still.
import t from 'tap'
import { ourApplications } from '../support/entra-truth.ts'
import { openCluster } from './cluster.ts'
import { ADD_PASSWORD, stopAt } from './stops.ts'

/** The suite's machine is small and busy; REGISTRATIONS=1000 for the number of the fault table. */
const MANY = Number(process.env['REGISTRATIONS'] ?? 100)
const DEADLINE_MS = 8_000
/** A second create under way; the request waits in the process until it goes on. */
const STALL_MS = 2_000

t.test('F36 more than can be done at once', async t => {
  const cluster = await openCluster(t, { replicas: [{}, {}], environment: { REQUEST_DEADLINE_MS: String(DEADLINE_MS) } })
  const { simulator, replicas: [one, two] } = cluster
  if (one === undefined || two === undefined) throw new Error('two replicas were asked for')
  await cluster.start()

  await t.test('F36 a process that stands still for a while answers what it had begun, and makes nothing twice', async t => {
    const reached = stopAt(cluster, { fault: { match: ADD_PASSWORD, action: { type: 'delay', ms: 200 } } })
    const before = cluster.create(one, { client_name: 'Before the stall' })
    await reached
    one.stop()
    const meanwhile = cluster.create(one, { client_name: 'During the stall' })
    await new Promise(resolve => setTimeout(resolve, STALL_MS))
    one.goOn()
    t.equal((await meanwhile).status, 201)
    const { status } = await before
    t.equal(status, 201, 'an attempt that was cut off by the stall is repeated')
    for (const name of ['Before the stall', 'During the stall']) {
      t.equal(ourApplications(simulator).filter(({ displayName }) => displayName === name).length, 1)
    }
  })

  await t.test(`F36 ${MANY} registrations at the same moment all end in time; whoever gets 503 is served when he comes again`, async t => {
    simulator.control.journal.enabled = false
    const names = Array.from({ length: MANY }, (_none, index) => `Of many, ${index}`)
    const outcomes = await Promise.all(names.map((name, index) => cluster.createPatiently(index % 2 === 0 ? one : two, { client_name: name }, 90_000)))
    t.same(outcomes.filter(({ answer }) => answer.status !== 201).map(({ answer }) => answer.status), [])
    t.equal(new Set(outcomes.map(({ answer }) => answer.body.client_id)).size, MANY)
    t.comment(`${outcomes.filter(({ refusals }) => refusals > 0).length} of ${MANY} were asked to come again`)
    t.equal(ourApplications(simulator).filter(({ displayName }) => displayName.startsWith('Of many')).length, MANY)
  })

  // Hundreds of requests wait in this process too, which is Entra as well: the time of the answers is the replicas' and as much again.
  t.same(await cluster.violations(2 * DEADLINE_MS), [])
})
