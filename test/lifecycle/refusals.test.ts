// What Entra refuses for good is our fault, never the caller's (promise 5), and leaves nothing behind (promise 2).
import t, { type Test } from 'tap'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { konnectApplication, startTestBroker, type TestBroker } from '../support/broker.ts'
import { ourObjectCount } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { QUICK } from './times.ts'

t.jobs = 3

t.test('a tenant policy that forbids passwords is a 502, and the application is purged', async t => {
  const broker = await startTestBroker(t, { environment: QUICK })
  broker.simulator.control.policy({ passwordsForbidden: true })
  await isRefusedAndUndone(t, broker)
})

t.test('a tenant policy that forbids so long a life is a 502, and the application is purged', async t => {
  const broker = await startTestBroker(t, { environment: QUICK })
  broker.simulator.control.policy({ maxSecretLifetimeMs: 86_400_000 })
  await isRefusedAndUndone(t, broker)
})

t.test('a quota that is reached between application and principal is a 502, and the application is purged', async t => {
  const broker = await startTestBroker(t, { environment: QUICK })
  broker.simulator.control.policy({ objectsPerCreator: 1 })
  await isRefusedAndUndone(t, broker)
})

t.test('a missing Graph permission is a 502 without a single object made', async t => {
  const broker = await startTestBroker(t, { environment: QUICK, simulator: { brokerRoles: ['Application.Read.All'] } })
  await isRefusedAndUndone(t, broker)
})

t.test('a payload that Entra calls bad is a 502, never the caller\'s 400', async t => {
  const broker = await startTestBroker(t, { environment: QUICK })
  broker.simulator.control.faults.add({
    match: { method: 'PATCH', path: '/servicePrincipals' },
    action: { type: 'status', status: 400, body: { error: { code: 'Request_BadRequest', message: 'Invalid value specified for property' } } }
  })
  await isRefusedAndUndone(t, broker)
})

t.test('a broker whose own secret has expired answers 502 and has made nothing', async t => {
  let aheadMs = 0
  const simulator = await startSimulator({ now: () => Date.now() + aheadMs })
  t.teardown(() => simulator.close())
  aheadMs = 11 * 365 * 86_400_000 // the seeded secret lives ten years
  const { konnect, database } = await startTestBroker(t, { environment: QUICK, simulator })
  const { status, body } = await konnect('POST', '', konnectApplication())
  t.equal(status, 502)
  t.match(body, { error: 'upstream_error', error_description: /credential of the broker/ })
  t.equal(ourObjectCount(simulator), 0)
  const { rows } = await database.query('SELECT state, last_fault FROM registration')
  t.same(rows, [{ state: 'undoing', last_fault: 'unauthenticated' }], 'undone once Entra accepts the broker again')
})

t.test('a tenant that does not let the broker purge keeps a soft-deleted application, and the row says so', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: QUICK })
  simulator.control.policy({ passwordsForbidden: true })
  simulator.control.faults.add({
    match: { method: 'DELETE', path: '/directory/deletedItems/', times: 'always' },
    action: { type: 'status', status: 403, body: { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges' } } }
  })
  t.equal((await konnect('POST', '', konnectApplication())).status, 502)
  await eventually('the application is deleted', () => simulator.control.state().deletedItems.length > 0)
  await eventually('the audit tells of it', async () => (await database.query("SELECT FROM audit_event WHERE action = 'registration.purge_denied'")).rowCount !== 0)
})

async function isRefusedAndUndone (t: Test, { konnect, simulator, database }: TestBroker): Promise<void> {
  const beganMs = performance.now()
  const { status, body, headers } = await konnect('POST', '', konnectApplication())
  t.equal(status, 502)
  t.match(body, { error: 'upstream_error', error_description: String })
  t.equal(headers.get('retry-after'), null)
  t.ok(performance.now() - beganMs < Number(QUICK.REQUEST_DEADLINE_MS))
  await eventually('the row is undone', async () => (await database.query("SELECT FROM registration WHERE state = 'undone' AND purge_at IS NULL")).rowCount === 1)
  t.equal(ourObjectCount(simulator), 0)
}
