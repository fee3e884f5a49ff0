// F19 to F21: what Entra refuses for good is our fault, never the caller's (promise 5): asked once, answered 502, and nothing is left (promise 2).
import t, { type Test } from 'tap'
import { openPolicy, type TenantPolicy } from '../../src/simulator/tenants.ts'
import type { FaultRule } from '../../src/simulator/faults.ts'
import { konnectApplication } from '../support/broker.ts'
import { ourObjectCount, secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { graphRefusal, isWell, isWellSoFar, startWatchedBroker, type WatchedBroker } from './watched-broker.ts'

interface Refusal {
  name: string
  policy?: Partial<TenantPolicy>
  fault?: FaultRule
  /** The write that is refused, for the count. */
  refused: { method: string, path: string }
  sentence: RegExp
}

const CREATE = { method: 'PATCH', path: '/applications\\(uniqueName' }
const PRINCIPAL = { method: 'PATCH', path: '/servicePrincipals\\(appId' }
const ADD = { method: 'POST', path: '/addPassword$' }

const refusals: Refusal[] = [
  ...Object.entries({ application: CREATE, principal: PRINCIPAL, password: ADD }).map(([what, refused]): Refusal => ({
    name: `F19 a Graph permission that is missing for the ${what}`, fault: { match: refused, action: graphRefusal(403, 'Authorization_RequestDenied') }, refused, sentence: /permission/
  })),
  { name: 'F20 a quota that is reached between application and principal', policy: { objectsPerCreator: 1 }, refused: PRINCIPAL, sentence: /quota/ },
  { name: 'F20 a quota that is reached before', policy: { objectsPerTenant: 0 }, refused: CREATE, sentence: /quota/ },
  { name: 'F20 an object that is full', fault: { match: ADD, action: graphRefusal(400, 'Directory_ResourceSizeExceeded') }, refused: ADD, sentence: /quota/ },
  { name: 'F21 a policy of the tenant that forbids passwords', policy: { passwordsForbidden: true }, refused: ADD, sentence: /policy of the Entra tenant/ },
  { name: 'F21 a policy of the tenant that forbids so long a life', policy: { maxSecretLifetimeMs: 86_400_000 }, refused: ADD, sentence: /policy of the Entra tenant/ },
  { name: 'a payload that Entra calls bad', fault: { match: PRINCIPAL, action: graphRefusal(400, 'Request_BadRequest') }, refused: PRINCIPAL, sentence: /refused what it was sent/ }
]

t.test('what Entra refuses for good', async t => {
  const broker = await startWatchedBroker(t)
  const { simulator, database } = broker
  const { faults, journal, policy } = simulator.control

  for (const { name, policy: rules = {}, fault, refused, sentence } of refusals) {
    await t.test(`${name} is a 502 with a hint for the operator, asked once, and nothing is left`, async t => {
      policy(rules)
      if (fault !== undefined) faults.add(fault)
      const before = journal.entries(refused).length
      await isRefused(t, broker, name, sentence)
      t.equal(journal.entries(refused).length - before, 1, 'it was not asked again')
      policy(openPolicy)
    })
  }
  await isWell(t, broker)

  await t.test('F21 a rotation that the policy forbids is a 502, and the old secret works on', async t => {
    const { clientId, secret } = await broker.create('Not rotated')
    policy({ passwordsForbidden: true })
    t.match(await broker.konnect('POST', `/${clientId}/new-secret`), { status: 502, body: { error: 'upstream_error', error_description: /policy of the Entra tenant/ } })
    policy(openPolicy)
    t.equal(await secretWorks(simulator, clientId, secret), true)
    await isWell(t, broker)
  })

  await t.test('F19 a tenant that does not let the broker purge keeps a soft-deleted application, and the audit says so', async t => {
    policy({ passwordsForbidden: true })
    faults.add({ match: { method: 'DELETE', path: '/directory/deletedItems/', times: 'always' }, action: graphRefusal(403, 'Authorization_RequestDenied') })
    t.equal((await broker.konnect('POST', '', konnectApplication({ client_name: 'Not purged' }))).status, 502)
    await eventually('the application is deleted', () => simulator.control.state().deletedItems.length > 0)
    await eventually('the audit tells of it', async () => (await database.query("SELECT FROM audit_event WHERE action = 'registration.purge_denied'")).rowCount !== 0)
    await isWellSoFar(t, broker)
  })
})

t.test('F19 a broker that may only read makes not a single object', async t => {
  const broker = await startWatchedBroker(t, { simulator: { brokerRoles: ['Application.Read.All'] } })
  await isRefused(t, broker, 'Only read', /permission/)
  t.equal(ourObjectCount(broker.simulator), 0)
})

async function isRefused (t: Test, { konnect, simulator, database }: WatchedBroker, name: string, sentence: RegExp): Promise<void> {
  const before = ourObjectCount(simulator)
  const { status, body, headers } = await konnect('POST', '', konnectApplication({ client_name: name }))
  t.equal(status, 502)
  t.match(body, { error: 'upstream_error', error_description: sentence })
  t.equal(headers.get('retry-after'), null)
  await eventually('the row is undone', async () =>
    (await database.query("SELECT FROM registration WHERE client_name = $1 AND state = 'undone' AND purge_at IS NULL", [name])).rowCount === 1)
  t.equal(ourObjectCount(simulator), before)
}
