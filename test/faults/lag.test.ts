// F14: Entra replicates late, and its reads go backwards. What was made is waited for, and nothing is taken for gone that is only not to be seen (promises 1 and 3).
import t from 'tap'
import type { LagSettings } from '../../src/simulator/simulator.ts'
import { ourApplications, ourPasswords, secretWorks } from '../support/entra-truth.ts'
import { graphRefusal, isWell, isWellSoFar, startWatchedBroker, untilAnswered, type WatchedBroker } from './watched-broker.ts'

t.jobs = 2

/** Everything that can be late is, and every second read shows what was true so long ago. */
const late = (ms: number): Partial<LagSettings> => ({
  readDelayMs: ms, listDelayMs: ms, principalDelayMs: ms, tokenDelayMs: ms, secretDelayMs: ms, staleReadMs: ms
})

// The deadline is 3 s of 8: 1.8 s stand for 5 s, 5 s for whatever is longer than a deadline, like 30 s.
t.test('lag', async t => {
  const broker = await startWatchedBroker(t)
  const { simulator } = broker
  for (const { ms, than } of [{ ms: 0, than: 'shorter than a deadline' }, { ms: 1_800, than: 'shorter than a deadline' }, { ms: 5_000, than: 'longer than a deadline' }]) {
    await t.test(`F14 a lag of ${ms} ms, ${than}, delays a create, a rotation, a change and an end, and loses nothing`, async t => {
      simulator.control.lag(late(ms))
      await wholeLife(broker, `Late by ${ms} ms`)
      simulator.control.lag(late(0))
      await isWell(t, broker)
    })
  }

  await t.test('F14 an old client that one read does not show is not taken for gone', async t => {
    const { clientId } = await broker.create('Old')
    await broker.database.query("UPDATE registration SET created_at = created_at - interval '1 hour'")
    // Graph says 404 to the id and still knows the name, as a replica does that is behind.
    simulator.control.faults.add({ match: { method: 'POST', path: '/addPassword$' }, action: graphRefusal(404, 'Request_ResourceNotFound') })
    const { answer } = await untilAnswered(() => broker.konnect('POST', `/${clientId}/new-secret`))
    t.equal(answer.status, 200)
    t.same(simulator.control.faults.armed(), [])
    const { rows } = await broker.database.query('SELECT state FROM registration WHERE client_id = $1', [clientId])
    t.same(rows, [{ state: 'active' }])
    t.equal(await secretWorks(simulator, clientId, answer.body.client_secret), true)
    await isWell(t, broker)
  })
})

t.test('F14 a lag of 5 s with the real numbers: 8 s for a request, 3 s for a call', async t => {
  const real = { REQUEST_DEADLINE_MS: '8000', ATTEMPT_TIMEOUT_MS: '3000', LEASE_MS: '15000', RESUME_SCAN_MS: '5000' }
  const broker = await startWatchedBroker(t, { environment: real, simulator: { lag: { ...late(5_000), secretDelayMs: 0, tokenDelayMs: 0 } } })
  const { clientId, secret } = await broker.create('Real numbers')
  t.same(ourApplications(broker.simulator).map(({ appId }) => appId), [clientId])
  t.equal(ourApplications(broker.simulator).flatMap(ourPasswords).length, 1)
  t.equal(await secretWorks(broker.simulator, clientId, secret), true)
  await isWellSoFar(t, broker)
})

async function wholeLife (broker: WatchedBroker, name: string): Promise<void> {
  const expect = async (status: number, method: string, path: string, body?: unknown) => {
    const { answer } = await untilAnswered(() => broker.konnect(method, path, body), 60_000)
    if (answer.status !== status) throw new Error(`${method} ${path} of ${name} was answered ${answer.status} ${JSON.stringify(answer.body)}`)
  }
  const [kept, ended] = await Promise.all([broker.create(name), broker.create(`${name}, ended`)])
  await Promise.all([
    expect(204, 'DELETE', `/${ended.clientId}`),
    (async () => {
      await expect(200, 'POST', `/${kept.clientId}/event-hook`, { event_type: 'update_application', application_name: `${name}, renamed` })
      await expect(200, 'POST', `/${kept.clientId}/new-secret`)
    })()
  ])
}
