// What lands in Entra after its registration has ended is swept; what nobody could see at first is removed as a stray (promise 2).
import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'
import { ourApplications, ourObjectCount, ourPasswords, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { graphAs } from './graph.ts'
import { QUICK, SHORT_WINDOW } from './times.ts'

t.jobs = 3

t.test('F12 a create that lands after its registration was undone is purged by the sweep', async t => {
  const environment = { ...SHORT_WINDOW, REQUEST_DEADLINE_MS: '20000', REDELIVERY_WINDOW_MS: '20000', SWEEP_FIRST_LOOK_MS: '200', SWEEP_SECOND_LOOK_MS: '3600000' }
  const { konnect, simulator, database } = await startTestBroker(t, { environment })
  simulator.control.policy({ passwordsForbidden: true })
  t.equal((await konnect('POST', '', konnectApplication())).status, 502)
  const looks = async () => (await database.query<{ id: string, tags: string[], sweeps: number }>("SELECT id, tags, sweeps FROM registration WHERE state = 'undone'")).rows[0]
  const { id, tags } = await eventually('the first look was had', async () => {
    const row = await looks()
    return row?.sweeps === 1 ? row : null
  })
  t.equal(ourObjectCount(simulator), 0)
  // The request of an earlier attempt that was stuck on its way.
  const graph = await graphAs(simulator, simulator.broker)
  const late = await graph('PATCH', `/applications(uniqueName='dcr-${id}')`, { displayName: 'Orders app', tags }, { prefer: 'create-if-missing' })
  t.equal(late.status, 201)
  // The second look is an hour later: the clock is turned instead.
  await database.query("UPDATE registration SET ended_at = ended_at - interval '2 hours', due_at = now()")
  await eventually('the second look was had', async () => (await looks())?.sweeps === 2)
  t.equal(ourObjectCount(simulator), 0)
  const { rows } = await database.query("SELECT detail FROM audit_event WHERE action = 'registration.swept'")
  t.equal(rows.length, 1)
})

t.test('F13 a create that is stuck until after its registration was undone is purged by the sweep', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: { ...SHORT_WINDOW, SWEEP_SECOND_LOOK_MS: '3600000' } })
  const { faults } = simulator.control
  faults.add({ match: { method: 'PATCH', path: '/applications\\(' }, action: { type: 'delay', ms: 14_000 } })
  faults.add({ match: { method: 'PATCH', path: '/applications\\(', times: 'always' }, action: { type: 'status', status: 503 } })
  t.equal((await konnect('POST', '', konnectApplication())).status, 503)
  await eventually('it is undone', async () => (await database.query("SELECT FROM registration WHERE state = 'undone'")).rowCount === 1)
  t.equal(ourObjectCount(simulator), 0)
  await eventually('the create has landed', () => ourApplications(simulator).length === 1, 30_000)
  await database.query("UPDATE registration SET ended_at = ended_at - interval '2 hours', due_at = now()")
  await eventually('it is swept', () => ourObjectCount(simulator) === 0)
})

t.test('F13 a password that lands after its create has gone on without it is removed at the check for strays', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: { ...QUICK, REQUEST_DEADLINE_MS: '20000' } })
  simulator.control.faults.add({ match: { method: 'POST', path: '/addPassword$' }, action: { type: 'delay', ms: 3_000 } })
  const { status, body } = await konnect('POST', '', konnectApplication())
  t.equal(status, 201)
  await eventually('the late password is there', () => ourApplications(simulator).flatMap(ourPasswords).length === 2)
  // The check is ten minutes after the loss: the clock is turned instead.
  await eventually('the check is due', async () =>
    (await database.query('UPDATE registration SET stray_check_at = now(), due_at = now() WHERE stray_check_at IS NOT NULL')).rowCount === 1)
  await eventually('one is left', () => ourApplications(simulator).flatMap(ourPasswords).length === 1)
  t.equal(await secretWorks(simulator, body.client_id, body.client_secret), true)
})

t.test('F14 a password of a create that died is found later when the first look at Entra was into the past', async t => {
  let behindMs = 60_000
  const { konnect, simulator, database } = await startTestBroker(t, { environment: QUICK, simulator: { now: () => Date.now() - behindMs } })
  await konnect('POST', '', konnectApplication())
  behindMs = 0
  simulator.control.lag({ staleReadMs: 30_000 })
  // As a process leaves it that dies between addPassword and its commit; Entra shows the password to every second read.
  const [application] = ourApplications(simulator)
  const label = application?.passwordCredentials[0]?.displayName
  const graph = await graphAs(simulator, simulator.broker)
  t.equal((await graph('POST', `/applications/${application?.id}/addPassword`, { passwordCredential: { displayName: label } })).status, 200)
  await database.query("UPDATE credential SET state = 'pending', key_id = NULL")
  await database.query("UPDATE registration SET state = 'reserved', delivery = 'not_delivered', redeliver_until = now() + interval '1 minute', due_at = now()")
  await eventually('it is resumed', async () => (await database.query("SELECT FROM registration WHERE state = 'active'")).rowCount === 1)
  t.equal(ourApplications(simulator).flatMap(ourPasswords).length, 2, 'the one that died was not to be seen')
  simulator.control.lag({ staleReadMs: 0 })
  await eventually('a check for strays is due', async () =>
    (await database.query('UPDATE registration SET stray_check_at = now(), due_at = now() WHERE stray_check_at IS NOT NULL')).rowCount === 1)
  await eventually('one is left', () => ourApplications(simulator).flatMap(ourPasswords).length === 1)
})

t.test('an application of others with our tag and no row is left alone', async t => {
  const { konnect, simulator, database } = await startTestBroker(t, { environment: SHORT_WINDOW })
  const graph = await graphAs(simulator, simulator.broker)
  const foreign = await graph('POST', '/applications', { displayName: 'Foreign', tags: ['dcr-broker', 'dcr-inst:other', 'dcr-reg:01a20951-0000-7000-8000-000000000000'] })
  t.equal(foreign.status, 201)
  simulator.control.policy({ passwordsForbidden: true })
  t.equal((await konnect('POST', '', konnectApplication())).status, 502)
  await eventually('the sweep is over', async () => (await database.query('SELECT FROM registration WHERE sweeps = 2')).rowCount === 1)
  t.same(ourApplications(simulator).map(({ displayName }) => displayName), ['Foreign'])
})
