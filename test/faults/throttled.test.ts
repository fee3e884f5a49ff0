// F10, F15: Entra asks for patience. It gets it: no storm of retries, a caller who is told when to come back, and nothing forgotten (promises 1 and 5).
import t, { type Test } from 'tap'
import type { FaultAction, FaultRule } from '../../src/simulator/faults.ts'
import { konnectApplication } from '../support/broker.ts'
import { ourApplications, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { graphRefusal, isWell, isWellSoFar, startWatchedBroker, untilAnswered, type WatchedBroker } from './watched-broker.ts'

const CREATE = { method: 'PATCH', path: '/applications\\(uniqueName' }
/** The longest backoff of the broker is 2 s, the first 150 ms: a storm is what asks more often than that. */
const CALLS_IN_A_DEADLINE = 10

const throttling = (retryAfter?: string): FaultAction => graphRefusal(429, 'TooManyRequests', retryAfter === undefined ? {} : { 'retry-after': retryAfter })

t.test('a tenant that throttles', async t => {
  const broker = await startWatchedBroker(t)
  const { simulator, database } = broker
  const { faults, journal } = simulator.control
  const creates = () => journal.entries(CREATE).length

  for (const { what, retryAfter, leastMs, isRepeated } of [
    { what: 'seconds', retryAfter: () => '1', leastMs: 1_000, isRepeated: true },
    // A date has whole seconds: up to one is lost.
    { what: 'a date', retryAfter: () => new Date(Date.now() + 2_000).toUTCString(), leastMs: 900, isRepeated: false },
    { what: 'a date that is over', retryAfter: () => new Date(Date.now() - 2_000).toUTCString(), leastMs: 0, isRepeated: true },
    { what: 'zero', retryAfter: () => '0', leastMs: 0, isRepeated: false },
    { what: 'garbage', retryAfter: () => 'soon', leastMs: 0, isRepeated: false },
    { what: 'nothing', retryAfter: () => undefined, leastMs: 0, isRepeated: true }
  ]) {
    await t.test(`F10 with ${what} as its Retry-After is asked once more when that is over`, async t => {
      const [before, beganMs] = [creates(), performance.now()]
      faults.add({ match: CREATE, action: throttling(retryAfter()) })
      const { clientId, secret } = await broker.create(`Throttled once, ${what}`)
      t.ok(performance.now() - beganMs >= leastMs)
      // A third one when this machine was too slow for an attempt.
      t.ok([2, 3].includes(creates() - before), `${creates() - before} calls`)
      t.equal(await secretWorks(simulator, clientId, secret), true)
    })

    if (!isRepeated) continue
    await t.test(`F10 with ${what} as its Retry-After, again and again, gets no storm of retries, and the caller a 503`, async t => {
      const before = creates()
      const id = faults.add({ match: { ...CREATE, times: 'always' }, action: throttling(retryAfter()) })
      const name = `Throttled on, ${what}`
      const answer = await broker.konnect('POST', '', konnectApplication({ client_name: name }))
      t.match(answer, { status: 503, body: { error: 'temporarily_unavailable' } })
      t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
      t.ok(creates() - before <= CALLS_IN_A_DEADLINE, `${creates() - before} calls`)
      const { rows } = await database.query('SELECT state FROM registration WHERE client_name = $1', [name])
      t.same(rows, [{ state: 'reserved' }], 'it is not given up')
      faults.clear(id)
      const { clientId } = await broker.create(name)
      t.same(ourApplications(simulator).filter(({ displayName }) => displayName === name).map(({ appId }) => appId), [clientId])
    })
  }

  await t.test('F10 is waited for by every kind of change', async t => {
    const { clientId, secret } = await broker.create('Changed while throttled')
    await throttlesOnce(t, broker, { method: 'POST', path: '/addPassword$' }, 'POST', `/${clientId}/new-secret`, 200)
    await throttlesOnce(t, broker, { method: 'PATCH', path: '/applications/' }, 'POST', `/${clientId}/event-hook`, 200,
      { event_type: 'update_application', application_name: 'Renamed while throttled' })
    await throttlesOnce(t, broker, { method: 'DELETE', path: '/applications/' }, 'DELETE', `/${clientId}`, 204)
    t.equal(await secretWorks(simulator, clientId, secret), false)
  })

  await t.test('F15 two concurrency violations in a row before every write are waited out', async t => {
    const violated = (match: FaultRule['match']) => faults.add({ match: { ...match, times: 2 }, action: graphRefusal(409, 'Directory_ConcurrencyViolation') })
    const done = async (method: string, path: string, body?: unknown) => (await untilAnswered(() => broker.konnect(method, path, body))).answer.status
    for (const path of ['/applications\\(uniqueName', '/servicePrincipals\\(appId', '/addPassword$']) violated({ path })
    const { clientId } = await broker.create('Violated')
    for (const path of ['/addPassword$', '/removePassword$']) violated({ path })
    t.equal(await done('POST', `/${clientId}/new-secret`), 200)
    violated({ method: 'PATCH', path: '/applications/' })
    t.equal(await done('POST', `/${clientId}/event-hook`, { event_type: 'update_application', application_name: 'Violated and renamed' }), 200)
    violated({ method: 'DELETE', path: '/applications/' })
    t.equal(await done('DELETE', `/${clientId}`), 204)
    await eventually('all were met', () => faults.armed().length === 0)
  })

  await t.test('F15 writes that are closer together than the directory allows are waited out', async t => {
    simulator.control.lag({ concurrencyWindowMs: 250 })
    const { clientId } = await broker.create('Too close')
    t.equal((await untilAnswered(() => broker.konnect('POST', `/${clientId}/new-secret`))).answer.status, 200)
    simulator.control.lag({ concurrencyWindowMs: 0 })
  })

  await isWell(t, broker)

  await t.test('F10 with 400 s as its Retry-After is left alone: the caller is told, others too, and the work is kept', async t => {
    const before = creates()
    faults.add({ match: CREATE, action: throttling('400') })
    const answers = [await broker.konnect('POST', '', konnectApplication({ client_name: 'For 400 s' })), await broker.konnect('POST', '', konnectApplication({ client_name: 'Behind it' }))]
    t.equal(creates() - before, 1, 'the second create did not even ask')
    for (const { status, headers } of answers) {
      t.equal(status, 503)
      const seconds = Number(headers.get('retry-after'))
      t.ok(seconds > 300 && seconds <= 440, `come back in ${seconds} s`)
    }
    // What was refused at once has begun nothing.
    const { rows } = await database.query("SELECT state, due_at > now() + interval '5 minutes' AS later FROM registration WHERE client_name IN ('For 400 s', 'Behind it')")
    t.same(rows, [{ state: 'reserved', later: true }])
    t.equal(creates() - before, 1)
  })
  await isWellSoFar(t, broker)
})

/** The call is made twice, and not sooner than it was told to. */
async function throttlesOnce (
  t: Test, { simulator, konnect }: WatchedBroker, match: { method: string, path: string }, method: string, path: string, status: number, body?: unknown
): Promise<void> {
  const { faults, journal } = simulator.control
  const before = journal.entries(match).length
  faults.add({ match, action: throttling('1') })
  const { answer } = await untilAnswered(() => konnect(method, path, body))
  t.equal(answer.status, status)
  const calls = journal.entries(match).slice(before)
  t.equal(calls.length, 2)
  t.ok(Date.parse(calls[1]?.at ?? '') - Date.parse(calls[0]?.at ?? '') >= 1_000)
}
