// Secrets that only Entra can judge: of an adopted application, and of strategies that want it.
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { basic, linkStrategies, startTestGateway, V1_STRATEGY, type TestGateway } from '../support/gateway.ts'

const ROLES = ['Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All']

/** Requests to the token endpoint for clients since the journal was cleared: the broker's own token is there already. */
const exchanges = ({ simulator: { control } }: TestGateway): number => control.journal.entries({ path: '/oauth2/v2.0/token$' }).length

/** An application of somebody else, taken into the broker's care. */
async function adopt (gateway: TestGateway) {
  const client = gateway.simulator.control.addClient('Somebody\'s')
  await gateway.operations('POST', '/adoptions', { provider: 'default', client_id: client.clientId })
  await gateway.operations('PATCH', '/adoptions/providers/default', { enabled: true })
  const { status } = await gateway.konnect('GET', `/${client.clientId}/secrets`)
  if (status !== 200) throw new Error(`It was not adopted: ${status}`)
  gateway.simulator.control.journal.clear()
  return client
}

t.test('an adopted application shows the secret that the broker has never seen: Entra is asked once, and what it says is kept a minute', async t => {
  const gateway = await startTestGateway(t, { simulator: { brokerRoles: ROLES } })
  const client = await adopt(gateway)
  const answers = await Promise.all(Array.from({ length: 5 }, async () => (await gateway.verify(basic(client))).status))
  t.strictSame(answers, [200, 200, 200, 200, 200], 'together they wait for one answer')
  t.equal((await gateway.verify(basic(client))).status, 200)
  t.equal(exchanges(gateway), 1)

  t.equal((await gateway.verify(basic({ ...client, clientSecret: 'wrong' }))).status, 401)
  t.equal(exchanges(gateway), 2)
})

t.test('a secret of the broker\'s own is decided by it also for an adopted application, and refused once it was removed, whatever Entra says', async t => {
  const gateway = await startTestGateway(t, { simulator: { brokerRoles: ROLES, lag: { secretLingerMs: 60_000 } } })
  const client = await adopt(gateway)
  const { body: added } = await gateway.konnect('POST', `/${client.clientId}/secrets`)
  const second = { ...client, clientSecret: added.client_secret as string }
  gateway.simulator.control.journal.clear()
  t.equal((await gateway.verify(basic(second))).status, 200)
  t.equal(exchanges(gateway), 0)
  t.equal((await gateway.konnect('DELETE', `/${client.clientId}/secrets/${added.secret_id}`)).status, 204)
  await eventually('it is refused', async () => (await gateway.verify(basic(second))).status === 401, 1_500)
  gateway.simulator.control.journal.clear()
  for (let time = 0; time < 3; time++) t.equal((await gateway.verify(basic(second))).status, 401)
  t.equal(exchanges(gateway), 0, 'what was revoked here is not tried there')
  t.ok(await gateway.tokenV1(second), 'Entra still takes it')
})

t.test('an adopted application\'s secret stays refused while the broker can\'t remove it, for longer than a day, too', async t => {
  const gateway = await startTestGateway(t, { simulator: { brokerRoles: ROLES } })
  const client = await adopt(gateway)
  const { body: added } = await gateway.konnect('POST', `/${client.clientId}/secrets`)
  const second = { ...client, clientSecret: added.client_secret as string }
  t.equal((await gateway.verify(basic(second))).status, 200)
  gateway.simulator.control.faults.add({ match: { path: 'removePassword$', times: 'always' }, action: { type: 'status', status: 503 } })
  await gateway.konnect('DELETE', `/${client.clientId}/secrets/${added.secret_id}`)
  const { rows } = await gateway.database.query<{ state: string }>("UPDATE credential SET updated_at = now() - interval '2 days' WHERE key_id = $1 RETURNING state", [added.secret_id])
  t.equal(rows[0]?.state, 'revoking')
  t.equal((await gateway.verify(basic(second))).status, 401)
})

t.test('a strategy that wants it has each secret checked at Entra, and never one that the broker does not know', async t => {
  const gateway = await startTestGateway(t)
  const { v1 } = await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  gateway.simulator.control.journal.clear()
  t.equal((await gateway.verify(basic(client))).status, 200)
  t.equal(exchanges(gateway), 0)
  t.equal((await gateway.operations('PATCH', `/application-auth-strategies/${v1}`, { check_secrets_at_entra: true })).body.check_secrets_at_entra, true)
  t.equal((await gateway.verify(basic(client))).status, 200)
  t.equal(exchanges(gateway), 1)
  t.equal((await gateway.verify(basic({ ...client, clientSecret: 'wrong' }))).status, 401)
  t.equal(exchanges(gateway), 1)
})

t.test('while Entra does not answer nothing is said of a client that only it can judge', async t => {
  const gateway = await startTestGateway(t, { simulator: { brokerRoles: ROLES } })
  const client = await adopt(gateway)
  gateway.simulator.control.faults.add({ match: { path: '/oauth2/v2.0/token$', times: 'always' }, action: { type: 'status', status: 503 } })
  const { status, headers } = await gateway.verify(basic(client))
  t.equal(status, 503)
  t.ok(headers.get('retry-after'))
})

t.test('beyond the allowance wrong secrets ask Entra no more than once a second, and whoever was let in before goes on', async t => {
  const gateway = await startTestGateway(t, { simulator: { brokerRoles: ROLES }, environment: { GATEWAY_FAILURES_PER_MINUTE: '5' } })
  const client = await adopt(gateway)
  t.equal((await gateway.verify(basic(client))).status, 200)
  const before = exchanges(gateway)
  const beganAtMs = performance.now()
  for (let time = 0; time < 200; time++) t.equal((await gateway.verify(basic({ ...client, clientSecret: `guess ${time}` }))).status, 401)
  const seconds = (performance.now() - beganAtMs) / 1_000
  t.ok(exchanges(gateway) - before <= 5 + seconds + 2, `${exchanges(gateway) - before} exchanges in ${seconds.toFixed(1)} s`)
  t.equal((await gateway.verify(basic(client))).status, 200)
  t.equal(gateway.logLines.filter(line => line.includes('A client was refused')).length, 5, 'further ones are not logged')
  t.equal(gateway.logLines.filter(line => line.includes('A client is refused too often')).length, 1)
})
