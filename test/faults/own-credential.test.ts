// F16 to F18: the token endpoint fails, or no longer takes the broker's own credential. What needs no new token goes on; the tenant is degraded, the replica is not.
import t from 'tap'
import type { FaultAction } from '../../src/simulator/faults.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { konnectApplication, request } from '../support/broker.ts'
import { ourObjectCount, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { graphRefusal, isWell, isWellSoFar, startWatchedBroker, untilAnswered, type WatchedBroker } from './watched-broker.ts'

const TOKEN = { method: 'POST', path: '/oauth2/v2\\.0/token' }

const refused = (code: number): FaultAction => ({
  type: 'status',
  status: 401,
  body: { error: 'invalid_client', error_description: `AADSTS${code}: planted.`, error_codes: [code], timestamp: '2026-01-01 00:00:00Z', trace_id: 't', correlation_id: 'c' }
})
const failing: Array<{ name: string, action: FaultAction }> = [
  { name: 'F16 a token endpoint that answers 429 with Retry-After', action: { type: 'status', status: 429, headers: { 'retry-after': '1' } } },
  { name: 'F16 a token endpoint that answers 429 without', action: { type: 'status', status: 429 } },
  { name: 'F16 a token endpoint that answers 503', action: { type: 'html', status: 503 } },
  { name: 'F17 a token endpoint that hangs', action: { type: 'hang' } },
  { name: 'F17 a token endpoint that cuts the connection', action: { type: 'reset' } }
]

t.test('a token endpoint that fails', async t => {
  const broker = await startWatchedBroker(t)
  const { simulator, database } = broker
  const { faults, journal } = simulator.control
  const tokenCalls = () => journal.entries(TOKEN).length

  for (const { name, action } of failing) {
    await t.test(`${name} stops nothing while the broker's token is valid`, async t => {
      const { clientId, secret } = await broker.create(`Before ${name}`)
      const before = tokenCalls()
      faults.add({ match: { ...TOKEN, times: 'always' }, action })
      const made = await broker.create(`While ${name}`)
      t.equal(tokenCalls(), before, 'no token was asked for')
      // The proof of a new secret needs the token endpoint: the old one stays until there is one.
      const { answer } = await untilAnswered(() => broker.konnect('POST', `/${clientId}/new-secret`))
      t.equal(answer.status, 200)
      t.equal((await broker.konnect('DELETE', `/${made.clientId}`)).status, 204, 'a token endpoint that throttles does not stop Graph')
      faults.clear()
      await eventually('the new one is proved and the old one gone', async () => !await secretWorks(simulator, clientId, secret))
      t.equal(await secretWorks(simulator, clientId, answer.body.client_secret), true)
    })

    await t.test(`${name} when a token is needed is waited for, and asked again as soon as it says`, async t => {
      forgetToken(broker)
      const [before, beganMs] = [tokenCalls(), performance.now()]
      faults.add({ match: TOKEN, action })
      await broker.create(`Waiting, ${name}`)
      t.equal(tokenCalls() - before, 2)
      // MSAL by itself would be deaf for a minute.
      t.ok(performance.now() - beganMs < 30_000)
    })
  }
  await isWell(t, broker)

  await t.test('F16 a token endpoint that throttles beyond the deadline is a 503 that says for how long, and is left alone', async t => {
    forgetToken(broker)
    const before = tokenCalls()
    faults.add({ match: TOKEN, action: { type: 'status', status: 429, headers: { 'retry-after': '120' } } })
    const answers = [await broker.konnect('POST', '', konnectApplication({ client_name: 'One' })), await broker.konnect('POST', '', konnectApplication({ client_name: 'Other' }))]
    for (const { status, headers } of answers) {
      t.equal(status, 503)
      const seconds = Number(headers.get('retry-after'))
      t.ok(seconds > 60 && seconds <= 132, `come back in ${seconds} s`)
    }
    t.equal(tokenCalls() - before, 1)
    const { rows } = await database.query("SELECT DISTINCT state FROM registration WHERE client_name IN ('One', 'Other')")
    t.same(rows, [{ state: 'reserved' }])
    await isWellSoFar(t, broker)
  })
})

t.test('a credential that Entra takes no more', async t => {
  let aheadMs = 0
  const simulator = await startSimulator({ now: () => Date.now() + aheadMs })
  t.teardown(() => simulator.close())
  const broker = await startWatchedBroker(t, { simulator })
  const { faults, journal } = simulator.control
  const calls = () => ({ token: journal.entries(TOKEN).length, graph: journal.entries({ path: '^/v1\\.0' }).length })
  const readiness = async () => await request(`${broker.operationsUrl}/readyz`, 'GET')

  for (const { code, what } of [{ code: 7000215, what: 'was revoked' }, { code: 7000222, what: 'has expired' }]) {
    await t.test(`F18 a secret of the broker that ${what} while its token is refused ends in a 502 for the operator after one renewal`, async t => {
      await broker.create(`Before it ${what}`)
      const before = calls()
      faults.add({ match: { path: '^/v1\\.0', times: 'always' }, action: graphRefusal(401, 'InvalidAuthenticationToken') })
      faults.add({ match: { ...TOKEN, times: 'always' }, action: refused(code) })
      const answer = await broker.konnect('POST', '', konnectApplication({ client_name: `Own secret ${what}` }))
      t.match(answer, { status: 502, body: { error: 'upstream_error', error_description: /credential of the broker/ } })
      t.equal(answer.headers.get('retry-after'), null)
      const { token, graph } = calls()
      // One renewal each for the request and for the first try to undo.
      t.ok(graph - before.graph <= 2 && token - before.token <= 2, `${graph - before.graph} calls of Graph, ${token - before.token} for a token`)
      t.match(await readiness(), { status: 200, body: { status: 'ready', tenants: { default: 'failing' } } })
      t.ok(broker.logLines.some(line => line.includes(`AADSTS${code}`)), 'the log has Entra\'s code')
      faults.clear()
      const { clientId } = await broker.create(`After it ${what}`)
      t.ok(clientId)
      t.match(await readiness(), { status: 200, body: { tenants: { default: 'usable' } } })
      await isWell(t, broker)
    })
  }

  await t.test('F18 a token that Graph takes no more is renewed once, and the request made', async t => {
    await broker.create('Before the token was revoked')
    const before = calls()
    faults.add({ match: { path: '^/v1\\.0' }, action: graphRefusal(401, 'InvalidAuthenticationToken') })
    await broker.create('After it')
    const { token, graph } = calls()
    t.same([token - before.token, graph - before.graph], [1, 4])
  })

  await t.test('F18 a Graph that takes no token at all ends the request after one renewal', async t => {
    const before = calls()
    const id = faults.add({ match: { path: '^/v1\\.0', times: 'always' }, action: graphRefusal(401, 'InvalidAuthenticationToken') })
    t.equal((await broker.konnect('POST', '', konnectApplication({ client_name: 'No token at all' }))).status, 502)
    const { token, graph } = calls()
    t.ok(token - before.token <= 2 && graph - before.graph <= 4, `${graph - before.graph} calls of Graph, ${token - before.token} for a token`)
    faults.clear(id)
    await isWell(t, broker)
  })

  await t.test('F18 a secret that has ended by the clock is a 502 that makes nothing, and the row is undone once there is another', async t => {
    const made = ourObjectCount(simulator)
    forgetToken(broker)
    aheadMs = 11 * 365 * 86_400_000 // the seeded secret lives ten years
    t.equal((await broker.konnect('POST', '', konnectApplication({ client_name: 'Own secret ended' }))).status, 502)
    t.equal(ourObjectCount(simulator), made)
    const { rows } = await broker.database.query("SELECT state, last_fault FROM registration WHERE client_name = 'Own secret ended'")
    t.same(rows, [{ state: 'undoing', last_fault: 'unauthenticated' }])
    aheadMs = 0
    await isWell(t, broker)
  })
})

/** Graph refuses the token of the next call: another is asked for. */
function forgetToken ({ simulator }: WatchedBroker): void {
  simulator.control.faults.add({ match: { path: '^/v1\\.0' }, action: graphRefusal(401, 'InvalidAuthenticationToken') })
}
