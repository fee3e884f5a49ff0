// What an idempotency key promises on POST /register: the same answer for a day, one application, and never the answer of what has changed.
import t from 'tap'
import { INITIAL_ACCESS_TOKEN, OPERATOR_KEY, request, type Answer } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { isOAuthFailure } from '../register/failure.ts'
import { nativeClient, ownedBy, startPreparedBroker, tokenOutcome, webClient, type PreparedBroker } from '../register/prepared-broker.ts'
import { recordOf, registrationIdOf } from './records.ts'
import { keyed } from './replicas.ts'

t.jobs = 2

t.test('a key on /register', async t => {
  const broker = await startPreparedBroker(t, { secondProvider: true })
  const { register, manage, simulator, database, mint } = broker
  const named = (name: string) => ourApplications(simulator).filter(({ displayName }) => displayName === name).length

  t.test('gets the same answer word for word, with its address, and says that it is a repetition', async t => {
    const document = webClient({ client_name: 'Repeated' })
    const first = await register(document, undefined, keyed('one'))
    const again = await register(document, undefined, keyed('one'))
    t.equal(first.status, 201)
    t.equal(first.headers.get('idempotency-replayed'), null)
    t.equal(again.headers.get('idempotency-replayed'), 'true')
    t.strictSame([again.status, again.body], [first.status, first.body])
    for (const name of ['location', 'content-type', 'cache-control']) t.equal(again.headers.get(name), first.headers.get(name), name)
    t.equal(await tokenOutcome(simulator, ownedBy(again)), 'ok')
    t.equal((await manage('GET', ownedBy(again).uri, ownedBy(again).token)).status, 200)
    t.equal(named('Repeated'), 1)
    t.equal((await register({ ...document, client_name: undefined, ...document }, undefined, keyed('one'))).status, 201, 'the order of members says nothing')
  })

  t.test('stands for one document, one caller and one address: anything else is 422, or another client', async t => {
    const document = nativeClient({ client_name: 'Bound' })
    const first = ownedBy(await register(document, undefined, keyed('two')))
    isOAuthFailure(t, await register({ ...document, client_name: 'Another' }, undefined, keyed('two')), 422, 'invalid_request')
    t.equal(named('Another'), 0)
    const other = ownedBy(await register(document, (await mint()).token, keyed('two')))
    t.not(other.id, first.id)
    t.equal(ownedBy(await register(document, undefined, keyed('two'))).id, first.id)
    t.equal(ownedBy(await register(document, undefined, keyed('three'))).id === first.id, false)
  })

  t.test('that is none is 400, and nothing is begun or kept', async t => {
    const before = (await database.query('SELECT FROM idempotency_record')).rowCount
    for (const key of ['', ' '.repeat(3), 'k'.repeat(256), 'b\u00e4h']) isOAuthFailure(t, await register(nativeClient({ client_name: 'None' }), undefined, keyed(key)), 400, 'invalid_request')
    t.equal(named('None'), 0)
    t.equal((await database.query('SELECT FROM idempotency_record')).rowCount, before)
    t.equal((await register(nativeClient(), undefined, keyed('k'.repeat(255)))).status, 201)
  })

  t.test('is free again after a refusal, and after what was not allowed', async t => {
    isOAuthFailure(t, await register(webClient({ redirect_uris: ['http://elsewhere.example'] }), undefined, keyed('four')), 400, 'invalid_redirect_uri')
    isOAuthFailure(t, await register({ redirect_uris: 7 }, undefined, keyed('four')), 400, 'invalid_redirect_uri')
    isOAuthFailure(t, await register(webClient(), 'wrong', keyed('four')), 401, 'invalid_token')
    const { token } = await mint({ maxRegistrations: 1 })
    ownedBy(await register(webClient(), token))
    isOAuthFailure(t, await register(webClient(), token, keyed('four')), 403, 'access_denied')
    t.equal(await recordOf(database, 'four'), undefined)
    t.equal((await register(webClient({ client_name: 'Mended' }), undefined, keyed('four'))).status, 201)
  })

  t.test('is not used up by a dry run', async t => {
    const headers = { authorization: `Bearer ${INITIAL_ACCESS_TOKEN}`, ...keyed('five') }
    t.equal((await request(`${broker.url}/register?dry_run=true`, 'POST', webClient(), headers)).status, 200)
    const made = await register(webClient(), undefined, keyed('five'))
    t.strictSame([made.status, made.headers.get('idempotency-replayed')], [201, null])
  })

  t.test('is the same on another address of the same provider only', async t => {
    const { token } = await mint({ providerName: 'sales' })
    const headers = { authorization: `Bearer ${token}`, ...keyed('six') }
    isOAuthFailure(t, await request(`${broker.url}/t/sales/register`, 'POST', webClient({ redirect_uris: ['http://elsewhere.example'] }), headers), 400, 'invalid_redirect_uri')
    isOAuthFailure(t, await request(`${broker.url}/t/sales/register`, 'POST', webClient(), { ...headers, ...keyed('k'.repeat(256)) }), 400, 'invalid_request')
  })
})

t.test('after a change of the client its answer is not given again', async t => {
  const broker = await startPreparedBroker(t)
  const changes: Array<[what: string, change: (made: ReturnType<typeof ownedBy>, id: string) => Promise<Answer>]> = [
    ['rotate', async (_made, id) => await operate(broker, 'POST', `/${id}/rotate`)],
    ['disable', async (_made, id) => await operate(broker, 'POST', `/${id}/disable`)],
    ['labels', async (_made, id) => await operate(broker, 'PATCH', `/${id}`, { labels: { team: 'orders' } })],
    ['end by an operator', async (_made, id) => await operate(broker, 'DELETE', `/${id}`)],
    ['PUT', async made => await broker.manage('PUT', made.uri, made.token, { ...webClient({ client_name: 'Put' }), client_id: made.id })],
    ['PUT of the same', async made => await broker.manage('PUT', made.uri, made.token, { ...webClient(), client_id: made.id })],
    ['DELETE', async made => await broker.manage('DELETE', made.uri, made.token)]
  ]
  for (const [what, change] of changes) {
    t.test(`by ${what}: 409 without credentials, and nothing sealed is left`, async t => {
      const document = webClient()
      const made = ownedBy(await broker.register(document, undefined, keyed(what)))
      t.equal((await recordOf(broker.database, what))?.sealed, true)
      t.ok((await change(made, await registrationIdOf(broker.database, made.id))).status < 300)
      t.match(await recordOf(broker.database, what), { state: 'void', sealed: false })
      const refused = await broker.register(document, undefined, keyed(what))
      isOAuthFailure(t, refused, 409, 'invalid_request')
      t.match(refused.body.error_description, /new Idempotency-Key/)
      t.notMatch(JSON.stringify(refused.body), new RegExp(`${made.id}|${made.secret}`))
      isOAuthFailure(t, await broker.register(webClient({ client_name: 'Other' }), undefined, keyed(what)), 422, 'invalid_request')
    })
  }

  t.test('by reading it, a push or a rotation that fails nothing changes', async t => {
    const made = ownedBy(await broker.register(webClient(), undefined, keyed('read')))
    t.equal((await broker.manage('GET', made.uri, made.token)).status, 200)
    const id = await registrationIdOf(broker.database, made.id)
    t.equal((await operate(broker, 'POST', `/${id}/resume`)).status, 200)
    broker.simulator.control.policy({ passwordsForbidden: true })
    t.equal((await operate(broker, 'POST', `/${id}/rotate`)).status, 502)
    broker.simulator.control.policy({ passwordsForbidden: false })
    t.equal(await tokenOutcome(broker.simulator, made), 'ok')
    t.strictSame(ownedBy(await broker.register(webClient(), undefined, keyed('read'))).body, made.body)
  })

  t.test('by expiry: 409 too', async t => {
    const made = ownedBy(await broker.register(webClient(), undefined, keyed('expiry')))
    await broker.database.query("UPDATE registration SET state = 'disabled', disabled_by = 'expiry', disabled_at = now() WHERE client_id = $1", [made.id])
    isOAuthFailure(t, await broker.register(webClient(), undefined, keyed('expiry')), 409, 'invalid_request')
  })
})

t.test('a key is kept for 24 hours and erased after them', async t => {
  const { register, database, simulator } = await startPreparedBroker(t, { environment: { SWEEP_INTERVAL_MS: '1000' } })
  const made = ownedBy(await register(webClient(), undefined, keyed('day')))
  const age = async (time: string) => await database.query(`
    UPDATE idempotency_record SET created_at = created_at - interval '${time}', expires_at = expires_at - interval '${time}'`)
  await age('23 hours 59 minutes')
  t.strictSame(ownedBy(await register(webClient(), undefined, keyed('day'))).body, made.body)
  await age('2 minutes')
  await eventually('the background has erased it', async () => (await database.query('SELECT FROM idempotency_record')).rowCount === 0)
  const next = ownedBy(await register(webClient({ client_name: 'Next day' }), undefined, keyed('day')))
  t.not(next.id, made.id)
  t.equal(ourApplications(simulator).length, 2)
})

async function operate ({ operationsUrl }: PreparedBroker, method: string, path: string, body?: unknown): Promise<Answer> {
  return await request(`${operationsUrl}/v2/registrations${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })
}
