// Entra that throttles, fails or replicates slowly: waited for within the deadline, gone on with after it (promises 1 and 5).
import t, { type Test } from 'tap'
import type { FaultAction, FaultRule } from '../../src/simulator/faults.ts'
import { violations } from '../faults/invariants.ts'
import { konnectApplication, startTestBroker, type TestBroker } from '../support/broker.ts'
import { ourApplications, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { QUICK } from './times.ts'

const DEADLINE_MS = Number(QUICK.REQUEST_DEADLINE_MS)
/** What a busy machine needs to say so. */
const SLACK_MS = 4_000
const CREATE = { method: 'PATCH', path: '/applications\\(uniqueName' }

t.jobs = 3

t.test('F10 a 429 whose Retry-After ends before the deadline is waited for', async t => {
  const { konnect, simulator } = await startTestBroker(t, { environment: QUICK })
  simulator.control.faults.add(throttled(1))
  const beganMs = performance.now()
  t.equal((await konnect('POST', '', konnectApplication())).status, 201)
  t.ok(performance.now() - beganMs >= 1_000)
  t.equal(simulator.control.journal.entries({ method: 'PATCH', path: '/applications\\(' }).length, 2)
})

t.test('F10 a 429 whose Retry-After ends after the deadline is a 503 that says so, and the work goes on', async t => {
  const broker = await startTestBroker(t, { environment: QUICK })
  broker.simulator.control.faults.add(throttled(6))
  const refused = await broker.konnect('POST', '', konnectApplication())
  t.equal(refused.status, 503)
  // What is left of the six seconds when it is answered.
  t.match(refused.headers.get('retry-after'), /^[3-6]$/)
  t.match(refused.body, { error: 'temporarily_unavailable', error_description: String })
  await repeatFindsTheFinishedClient(t, broker)
  t.equal(broker.simulator.control.journal.entries({ method: 'PATCH', path: '/applications\\(' }).length, 2, 'Entra was left alone until then')
})

const hiccups: Array<{ what: string, action: FaultAction }> = [
  { what: 'F11 a 503 without Retry-After', action: { type: 'status', status: 503, body: { error: { code: 'ServiceUnavailable', message: 'Try later' } } } },
  { what: 'F11 a 504 page of a gateway', action: { type: 'html', status: 504 } },
  { what: 'F11 a 500 page of a gateway', action: { type: 'html', status: 500 } },
  { what: 'F11 a reset connection', action: { type: 'reset' } },
  { what: 'F15 a concurrency violation', action: { type: 'status', status: 409, body: { error: { code: 'Directory_ConcurrencyViolation', message: 'Wait briefly' } } } }
]

t.test('hiccups', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: QUICK })
  for (const { what, action } of hiccups) {
    await t.test(`${what} before every write costs time only`, async t => {
      for (const path of ['/applications\\(uniqueName', '/servicePrincipals\\(appId', '/addPassword$']) simulator.control.faults.add({ match: { path }, action })
      const { status, body } = await konnect('POST', '', konnectApplication({ client_name: what }))
      t.equal(status, 201)
      t.same(simulator.control.faults.armed(), [])
      t.equal(await secretWorks(simulator, body.client_id, body.client_secret), true)
    })
  }
  t.same(await violations({ simulator, database }), [])
})

t.test('F13 an Entra that is silent until after the deadline gets a 503 in time, and the repeat the finished client', async t => {
  const broker = await startTestBroker(t, { environment: QUICK })
  const id = broker.simulator.control.faults.add({ match: { ...CREATE, times: 'always' }, action: { type: 'hang' } })
  const beganMs = performance.now()
  t.equal((await broker.konnect('POST', '', konnectApplication())).status, 503)
  t.ok(performance.now() - beganMs < DEADLINE_MS + SLACK_MS)
  t.ok(broker.simulator.control.journal.entries(CREATE).length > 1, 'an attempt that hangs is given up, and another one made')
  broker.simulator.control.faults.clear(id)
  await repeatFindsTheFinishedClient(t, broker)
})

t.test('F14 a service principal that can be made 5 s after its application is waited for with the numbers of chapter 4', async t => {
  const { konnect, simulator } = await startTestBroker(t, { simulator: { lag: { principalDelayMs: 5_000 } } })
  const { status, body } = await konnect('POST', '', konnectApplication())
  t.equal(status, 201)
  t.equal(await secretWorks(simulator, body.client_id, body.client_secret), true)
})

for (const principalRefusal of ['no-backing-application', 'denied'] as const) {
  t.test(`F14 a service principal that is refused as ${principalRefusal} until after the deadline is made in the background`, async t => {
    const broker = await startTestBroker(t, { environment: QUICK, simulator: { lag: { principalDelayMs: 5_000, principalRefusal } } })
    t.equal((await broker.konnect('POST', '', konnectApplication())).status, 503)
    await repeatFindsTheFinishedClient(t, broker)
  })
}

t.test('F14 an application that reads do not show for 5 s is not taken for gone', async t => {
  const broker = await startTestBroker(t, { environment: QUICK, simulator: { lag: { readDelayMs: 5_000, listDelayMs: 5_000 } } })
  const { status } = await broker.konnect('POST', '', konnectApplication())
  t.equal(status, 503)
  await repeatFindsTheFinishedClient(t, broker)
})

t.test('F14 a young client that Entra does not show is not taken for gone', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: QUICK })
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
  simulator.control.lag({ readDelayMs: 60_000 })
  t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 503)
  const { rows } = await database.query('SELECT state FROM registration')
  t.same(rows, [{ state: 'active' }])
})

t.test('F14 reads that go backwards leave one application and one password', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: QUICK, simulator: { lag: { staleReadMs: 1_000 } } })
  simulator.control.faults.add({ match: CREATE, action: { type: 'reset' }, when: 'after' })
  const { status, body } = await konnect('POST', '', konnectApplication())
  t.equal(status, 201)
  t.equal(await secretWorks(simulator, body.client_id, body.client_secret), true)
  t.same(await violations({ simulator, database }), [])
})

function throttled (seconds: number): FaultRule {
  return {
    match: CREATE,
    action: { type: 'status', status: 429, body: { error: { code: 'TooManyRequests', message: 'Slow down' } }, headers: { 'retry-after': String(seconds) } }
  }
}

async function repeatFindsTheFinishedClient (t: Test, { konnect, simulator, database }: TestBroker): Promise<void> {
  await eventually('the registration is active', async () => (await database.query("SELECT FROM registration WHERE state = 'active'")).rowCount === 1, 25_000)
  const writes = simulator.control.journal.entries({ method: 'PATCH' }).length
  const { status, body } = await konnect('POST', '', konnectApplication())
  t.equal(status, 201)
  t.equal(simulator.control.journal.entries({ method: 'PATCH' }).length, writes, 'nothing was made for the repeat')
  t.equal(await secretWorks(simulator, body.client_id, body.client_secret), true)
  t.same(ourApplications(simulator).map(({ appId }) => appId), [body.client_id])
  t.same(await violations({ simulator, database }), [])
}
