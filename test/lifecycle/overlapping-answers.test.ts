// Promise 2 where requests for one registration overlap: what one of them was refused does not undo what another one was given.
import t from 'tap'
import { konnectApplication, startTestBroker } from '../support/broker.ts'
import { secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { startPostgresProxy } from '../support/postgres-proxy.ts'
import { ADD_PASSWORD, hang, MARK } from '../faults/stops.ts'
import { QUICK } from './times.ts'

t.test('an answer whose mark was lost is kept, although an earlier request for it was refused while it was waited for', async t => {
  const first = await startTestBroker(t, { environment: QUICK })
  const { simulator, database, settings } = first
  const proxy = await startPostgresProxy(t, database.url)
  const patient = { ...QUICK, REQUEST_DEADLINE_MS: '12000', ENCRYPTION_KEYRING_FILE: settings.keyringFile, DATABASE_URL: proxy.url }
  const second = await startTestBroker(t, { simulator, database, environment: patient })
  const deliveryIs = async (delivery: string) => (await database.query('SELECT FROM registration WHERE delivery = $1', [delivery])).rowCount === 1

  simulator.control.faults.add({ match: { ...ADD_PASSWORD, times: 'always' }, action: hang })
  const refused = first.konnect('POST', '', konnectApplication())
  await eventually('Entra is at work', () => simulator.control.journal.entries({ path: '/addPassword$' }).length > 0)
  const answered = second.konnect('POST', '', konnectApplication())
  t.equal((await refused).status, 503)
  await eventually('the refusal is marked', () => deliveryIs('not_delivered'))
  // As a process leaves it that dies between its answer and the mark.
  const lost = proxy.hold({ statement: MARK, side: 'before' })
  simulator.control.faults.clear()
  const { status, body } = await answered
  t.equal(status, 201)
  await lost
  await database.query('UPDATE registration SET redeliver_until = now()')
  await eventually('nobody knows what became of the answer', () => deliveryIs('unknown'))
  t.ok(await secretWorks(simulator, body.client_id, body.client_secret))
})
