// SIGTERM: requests at hand are answered, and what the background has under way is another replica's at once (promises 2 and 7).
import t, { type Test } from 'tap'
import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { KONNECT_KEY, konnectApplication, request, type Answer } from '../support/broker.ts'
import { prepareBrokerProcess, type BrokerProcess } from '../support/broker-process.ts'
import { violations } from '../faults/invariants.ts'
import { secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'

interface Row { state: string, delivery: string, attempts: number, last_fault: string | null, is_leased: boolean, is_due: boolean }

t.jobs = 2

async function setUp (t: Test, environment: Record<string, string>) {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const database = await createTestDatabase(t)
  const broker = await prepareBrokerProcess(t, simulator, { environment })
  await broker.start(database.url)
  return { simulator, database, broker }
}

const create = async ({ url }: BrokerProcess): Promise<Answer> => await request(`${url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': KONNECT_KEY })

async function onlyRow ({ query }: TestDatabase): Promise<Row> {
  const { rows: [row] } = await query<Row>(`SELECT state, delivery, attempts, last_fault,
    coalesce(lease_until > now(), false) AS is_leased, coalesce(due_at <= now(), false) AS is_due FROM registration`)
  if (row === undefined) throw new Error('There is no row')
  return row
}

const caught = async ({ control }: Simulator): Promise<unknown> => await eventually('the call is under way', () => control.faults.armed().length === 0)

t.test('a request at hand is answered and its answer marked before the process ends, and nothing is left leased', async t => {
  const { simulator, database, broker } = await setUp(t, {})
  simulator.control.faults.add({ match: { path: '/addPassword$' }, action: { type: 'delay', ms: 1_000 } })
  const asked = create(broker)
  await caught(simulator)
  const ended = broker.terminate()
  const { status, body } = await asked
  t.equal(status, 201)
  t.equal((await ended).code, 0)
  t.match(await onlyRow(database), { state: 'active', delivery: 'delivered', is_leased: false })
  t.ok(await secretWorks(simulator, body.client_id, body.client_secret))
  t.same(await violations({ simulator, database }), [])
})

t.test('a run of the background ends with the attempt it is in, and its row is due at once, as if it had not failed', async t => {
  const { simulator, database, broker } = await setUp(t, { RESUME_SCAN_MS: '100', REQUEST_DEADLINE_MS: '5000', ATTEMPT_TIMEOUT_MS: '5000', LEASE_MS: '60000' })
  const match = { path: '/servicePrincipals\\(appId' }
  simulator.control.faults.add({ match, action: { type: 'status', status: 429, headers: { 'retry-after': '6' }, body: { error: { code: 'TooManyRequests', message: 'Wait' } } } })
  t.equal((await create(broker)).status, 503)
  const before = await onlyRow(database)
  // Time enough to look, and to end it.
  simulator.control.faults.add({ match, action: { type: 'delay', ms: 4_000 } })
  await caught(simulator)
  t.ok((await onlyRow(database)).is_leased)
  t.equal((await broker.terminate()).code, 0)

  const { attempts, last_fault: lastFault, is_leased: isLeased, is_due: isDue } = await onlyRow(database)
  t.same({ attempts, lastFault, isLeased, isDue }, { attempts: before.attempts, lastFault: before.last_fault, isLeased: false, isDue: true })
  t.match(broker.log().join('\n'), /a run is left to another/)
  await broker.start(database.url)
  await eventually('another process has finished it', async () => (await onlyRow(database)).state === 'active')
  t.equal(simulator.control.journal.entries({ method: 'PATCH', ...match }).length, 2, 'the attempt that was under way is not repeated')
})
