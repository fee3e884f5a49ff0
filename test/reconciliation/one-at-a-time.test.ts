// One replica at a time compares a provider; a run that was killed is taken over, and what it still writes counts for nothing.
import t from 'tap'
import { request, startTestBroker, OPERATOR_KEY } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createReconciliationStore } from '../../src/store/reconciliation-store.ts'
import { emptyReport } from '../../src/reconciliation/notebook.ts'
import { JUDGES_AT_ONCE, startReconciling } from './reconciling.ts'

t.jobs = 2

const lists = ({ control }: Simulator) => control.journal.entries({ method: 'GET', path: '^/v1.0/applications\\?' }).length

t.test('while one replica runs, the other is told so', async t => {
  const { database, simulator, operator, report } = await startReconciling(t)
  const other = await startTestBroker(t, { database, simulator, environment: JUDGES_AT_ONCE })
  const id = simulator.control.faults.add({ match: { method: 'GET', path: '^/v1.0/applications$', times: 'always' }, action: { type: 'delay', ms: 2_500 } })
  const first = operator('POST', '/reconciliation/run', {})
  await eventually('the run has begun', async () => (await report()).running)
  const second = await request(`${other.operationsUrl}/v2/reconciliation/run`, 'POST', {}, { authorization: `Bearer ${OPERATOR_KEY}` })
  t.match([second.status, second.body.detail], [409, /under way/])
  t.match((await first).body, { data: [{ running: false, fault: null }] })
  t.equal(lists(simulator), 1)
  simulator.control.faults.clear(id)
})

t.test('a run that takes longer than an answer may goes on, and the report has its end', async t => {
  const { simulator, operator, report } = await startReconciling(t, { environment: { REQUEST_DEADLINE_MS: '2000', ATTEMPT_TIMEOUT_MS: '2000', LEASE_MS: '7500' } })
  simulator.control.faults.add({ match: { method: 'GET', path: '^/v1.0/applications$' }, action: { type: 'delay', ms: 6_000 } })
  const { status, body } = await operator('POST', '/reconciliation/run', {})
  t.match([status, body.data], [202, [{ running: true, finished_at: null }]])
  await eventually('it has ended', async () => (await report()).finished_at !== null)
})

t.test('replicas look in turn: with two of them a provider is not listed twice as often', async t => {
  const environment = { RECONCILE_INTERVAL_MS: '600000' }
  const { database, simulator, report } = await startReconciling(t, { environment })
  await eventually('the first run has ended', async () => (await report()).finished_at !== null)
  t.equal(lists(simulator), 1)
  const { started_at: startedAt } = await report()
  const other = await startTestBroker(t, { database, simulator, environment: { ...JUDGES_AT_ONCE, ...environment } })
  await eventually('the other has had its round', async () => /dcr_background_rounds_total\{loop="reconciler",outcome="ok"\} [1-9]/.test(
    (await request(`${other.operationsUrl}/metrics`, 'GET')).body))
  t.equal((await report()).started_at, startedAt)
})

t.test('the store: a run that was taken over writes nothing more', async t => {
  const { database, run } = await startReconciling(t)
  const { prisma, close } = openDatabase({ connectionString: database.url })
  t.teardown(close)
  const store = createReconciliationStore(prisma)
  const { id: providerId } = await prisma.provider.findFirstOrThrow()
  const killed = await store.begin(providerId, { leaseMs: 60_000, isDry: false, notWithinMs: 0 })
  if (killed === null) return t.fail('It did not begin')
  t.equal(await store.begin(providerId, { leaseMs: 60_000, isDry: false, notWithinMs: 0 }), null)
  await database.query("UPDATE reconciliation SET running_until = now() - interval '1 second'")
  await run()
  const ids = { clientId: providerId, objectId: providerId, registrationId: providerId, displayName: 'x' }
  await store.note(killed, [{ kind: 'late_create', ...ids, appearedAt: null, count: 1 }])
  await store.see(killed, [providerId])
  await store.hold(killed, providerId)
  await store.finish(killed, { ...emptyReport(), applications: 99 }, null)
  t.equal(await store.renew(killed, 60_000), false)
  const [row] = await prisma.reconciliation.findMany()
  t.match(row, { heldAt: null, report: { applications: 0 }, runningUntil: null })
  t.equal(await prisma.reconciliationFinding.count() + await prisma.reconciliationSight.count(), 0)
})
