// An idempotency key over two replicas: 409 while its request is served, the same answer then, and after a 503 the work that goes on.
import t from 'tap'
import { startTestBroker } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { isOAuthFailure } from '../register/failure.ts'
import { ownedBy, tokenOutcome, webClient } from '../register/prepared-broker.ts'
import { recordOf } from './records.ts'
import { another, BRISK, keyed, untilServed } from './replicas.ts'

t.jobs = 2

t.test('while a request is served on one replica its repeat is 409 on the other, and then the same answer', async t => {
  const first = await startTestBroker(t, { environment: { REQUEST_DEADLINE_MS: '20000', ATTEMPT_TIMEOUT_MS: '15000', LEASE_MS: '40000' } })
  const second = await another(t, first)
  const document = webClient({ client_name: 'In flight' })
  first.simulator.control.faults.add({ match: { method: 'POST', path: '/addPassword$' }, action: { type: 'delay', ms: 6_000 } })
  const serving = first.register(document, undefined, keyed('flight'))
  await eventually('the key is taken', async () => (await recordOf(first.database, 'flight'))?.state === 'in_flight')
  for (const broker of [first, second]) {
    const refused = await broker.register(document, undefined, keyed('flight'))
    isOAuthFailure(t, refused, 409, 'temporarily_unavailable')
    t.match(refused.headers.get('retry-after'), /^[1-9]\d*$/)
  }
  isOAuthFailure(t, await second.register(webClient({ client_name: 'Other' }), undefined, keyed('flight')), 422, 'invalid_request')
  const made = await serving
  const again = await second.register(document, undefined, keyed('flight'))
  t.strictSame([again.status, again.body, again.headers.get('idempotency-replayed')], [201, made.body, 'true'])
  t.equal(ourApplications(first.simulator).length, 1)
})

t.test('twenty at once over two replicas make one application, and all who come again get one answer', async t => {
  const environment = { REQUEST_DEADLINE_MS: '60000', LEASE_MS: '120000' }
  const first = await startTestBroker(t, { environment })
  const second = await another(t, first, environment)
  const brokers = Array.from({ length: 10 }, () => [first, second]).flat()
  const send = async () => await Promise.all(brokers.map(async ({ register }) => await register(webClient(), undefined, keyed('crowd'))))
  const answers = await send()
  t.strictSame([...new Set(answers.map(({ status }) => status))].filter(status => status !== 201 && status !== 409), [])
  const again = await send()
  t.strictSame(new Set([...answers.filter(({ status }) => status === 201), ...again].map(({ body }) => JSON.stringify(body))).size, 1)
  t.equal(ourApplications(first.simulator).length, 1)
})

t.test('after a 503 the repeat joins what goes on, at once and on any replica', async t => {
  const first = await startTestBroker(t, { environment: BRISK })
  const second = await another(t, first, BRISK)
  const fault = first.simulator.control.faults.add({ match: { path: '^/v1\\.0', times: 'always' }, action: { type: 'status', status: 503 } })
  isOAuthFailure(t, await first.register(webClient(), undefined, keyed('late')), 503, 'temporarily_unavailable')
  isOAuthFailure(t, await second.register(webClient(), undefined, keyed('late')), 503, 'temporarily_unavailable', 'not 409')
  first.simulator.control.faults.clear(fault)
  const client = ownedBy(await untilServed(() => second.register(webClient(), undefined, keyed('late'))))
  t.equal(await tokenOutcome(first.simulator, client), 'ok')
  t.equal(ourApplications(first.simulator).length, 1)
  t.strictSame((await first.register(webClient(), undefined, keyed('late'))).body, client.body)
})
