// A tenant that asks one replica to stay away is left alone by all, and nobody asks in vain.
import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'

const GRAPH = { path: '/v1.0/' }
const throttled = (headers: Record<string, string>) => ({
  match: { path: '^/v1.0/', times: 'always' as const },
  action: { type: 'status' as const, status: 429, body: { error: { code: 'TooManyRequests', message: 'Too many requests' } }, headers }
})

t.test('a 429 of one replica pauses the tenant on the other', async t => {
  const first = await startTestBroker(t)
  const second = await startTestBroker(t, {
    database: first.database, simulator: first.simulator, environment: { ENCRYPTION_KEYRING_FILE: first.settings.keyringFile }
  })
  const { simulator } = first
  t.equal((await second.konnect('POST', '', konnectApplication({ client_name: 'before' }))).status, 201)
  simulator.control.faults.add(throttled({ 'retry-after': '300' }))
  t.match(await first.konnect('POST', '', konnectApplication()), { status: 503 })
  // From now on the tenant would take everything: who stays away has it from the first.
  simulator.control.faults.clear()
  const calls = () => simulator.control.journal.entries(GRAPH).length
  await t.resolves(eventually('the other replica has read it', async () => {
    const answer = await second.konnect('POST', '', konnectApplication({ client_name: 'meanwhile' }))
    return answer.status === 503 && Number(answer.headers.get('retry-after')) > 250
  }))
  const before = calls()
  const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => second.konnect('POST', '', konnectApplication({ client_name: `after ${index}` }))))
  t.ok(answers.every(({ status }) => status === 503))
  t.equal(calls(), before, 'nothing more is asked')
})

t.test('a tenant that throttles without saying for how long is asked ever more rarely', async t => {
  const { konnect, simulator } = await startTestBroker(t)
  simulator.control.faults.add(throttled({}))
  const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => konnect('POST', '', konnectApplication({ client_name: `client ${index}` }))))
  t.ok(answers.every(({ status }) => status === 503))
  // Those under way together are all told so; after the pauses of 1, 2 and 4 s one call each finds out for all.
  t.ok(simulator.control.journal.entries(GRAPH).length <= 30 + 4, `${simulator.control.journal.entries(GRAPH).length} calls`)
  simulator.control.faults.clear()
  await t.resolves(eventually('registrations go through again', async () =>
    (await konnect('POST', '', konnectApplication({ client_name: 'later' }))).status === 201, 20_000))
})

t.test('waiting for a tenant that throttles is no failure of a registration: it is due when the pause is over', async t => {
  const { konnect, simulator, database } = await startTestBroker(t)
  simulator.control.faults.add(throttled({ 'retry-after': '20' }))
  t.match(await konnect('POST', '', konnectApplication()), { status: 503 })
  const { rows: [row] } = await database.query<{ attempts: number, last_fault: string, wait: number }>(
    'SELECT attempts, last_fault, extract(epoch FROM due_at - now())::float8 AS wait FROM registration')
  t.match(row, { attempts: 0, last_fault: 'throttled' })
  t.ok(row !== undefined && row.wait > 10 && row.wait <= 20, `due in ${row?.wait} s`)
})
