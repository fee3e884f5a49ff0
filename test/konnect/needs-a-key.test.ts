import t from 'tap'
import { KONNECT_KEY, konnectApplication, OPERATOR_KEY, request, SECOND_KONNECT_KEY, startTestBroker } from '../support/broker.ts'

t.test('the key is checked before anything else is looked at', async t => {
  const { url, simulator, database } = await startTestBroker(t)
  const call = (headers: Record<string, string>, body: unknown = konnectApplication(), path = '') => request(`${url}/konnect${path}`, 'POST', body, headers)
  const cases: Array<[string, Promise<{ status: number, body: { error: string } }>]> = [
    ['no key', call({})],
    ['an empty key', call({ 'x-api-key': '' })],
    ['another key', call({ 'x-api-key': `${KONNECT_KEY}x` })],
    ['a very long key', call({ 'x-api-key': 'a'.repeat(8_000) })],
    ['an operator\'s key', call({ 'x-api-key': OPERATOR_KEY })],
    ['the key as a bearer token', call({ authorization: `Bearer ${KONNECT_KEY}` })],
    ['the key in the query', call({}, konnectApplication(), `?x-api-key=${KONNECT_KEY}`)],
    ['a body that is no JSON', call({}, '{{{')],
    ['a body that is too large', call({}, { client_name: 'x'.repeat(300_000) })],
    ['an unknown route', call({}, {}, '/a/b/c/d')]
  ]
  for (const [name, answer] of cases) {
    const { status, body } = await answer
    t.strictSame([status, body.error], [401, 'unauthorized'], name)
  }
  t.equal((await database.query('SELECT 1 FROM registration')).rowCount, 0)
  t.equal(simulator.control.journal.entries({ path: '/v1.0/' }).length, 0)
})

t.test('several keys are valid at once, and each manages what the other has made', async t => {
  const { konnect } = await startTestBroker(t)
  const { body } = await konnect('POST', '', konnectApplication())
  const second = { 'x-api-key': SECOND_KONNECT_KEY }
  t.equal((await konnect('GET', `/${body.client_id}/secrets`, undefined, second)).status, 200)
  t.equal((await konnect('DELETE', `/${body.client_id}`, undefined, second)).status, 204)
})
