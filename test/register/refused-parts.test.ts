// Entra takes one part of a wish and refuses another: what the record says and what Entra has end up the same.
import type { Test } from 'tap'
import t from 'tap'
import { eventually } from '../support/eventually.ts'
import { isOAuthFailure } from './failure.ts'
import { applicationOf, ownedBy, startPreparedBroker, tokenOutcome, webClient } from './prepared-broker.ts'

t.jobs = 2

/** A scope that can't be granted: its resource is not in the tenant. */
const ungrantable = {
  name: 'orders.read', resourceAppId: '11111111-1111-4111-8111-111111111111', permissionId: '22222222-2222-4222-8222-222222222222', type: 'Scope', granted: true
} as const

const BRISK = { RESUME_SCAN_MS: '100', ATTEMPT_TIMEOUT_MS: '1000', REQUEST_DEADLINE_MS: '4000', LEASE_MS: '6500' }

const openBroker = async (t: Test) => await startPreparedBroker(t, {
  scopes: () => [ungrantable], policies: { default: { scopes: ['orders.read'] } }, environment: BRISK
})

t.test('an update of which Entra refuses a part is taken back in Entra too', async t => {
  const { register, manage, simulator } = await openBroker(t)
  const client = ownedBy(await register(webClient()))
  const wanted = webClient({ client_name: 'Refused', redirect_uris: ['https://other.example.net/cb'], scope: 'orders.read', client_id: client.id })
  isOAuthFailure(t, await manage('PUT', client.uri, client.token, wanted), 502, 'server_error')
  t.strictSame((await manage('GET', client.uri, client.token)).body, client.body)
  await eventually('Entra has what the record says', () => applicationOf(simulator, client.id).web.redirectUris[0] === 'https://orders.example.com/callback')
  t.match(applicationOf(simulator, client.id), { displayName: 'Orders', requiredResourceAccess: [] })
})

t.test('a registration of which Entra refuses a part is undone, and its repeat is refused alike', async t => {
  const { register, database } = await openBroker(t)
  const document = webClient({ scope: 'orders.read' })
  for (let round = 0; round < 2; round++) {
    isOAuthFailure(t, await register(document, undefined, { 'idempotency-key': 'one' }), 502, 'server_error')
  }
  await eventually('nothing is left', async () => (await database.query("SELECT FROM registration WHERE state <> 'undone'")).rowCount === 0)
})

t.test('a client that becomes public while Entra is away has no secret in the end', async t => {
  const { register, manage, simulator } = await openBroker(t)
  const client = ownedBy(await register(webClient()))
  const fault = simulator.control.faults.add({ match: { method: 'PATCH', path: '/applications', times: 'always' }, action: { type: 'status', status: 503 } })
  const document = webClient({ token_endpoint_auth_method: 'none', client_id: client.id })
  isOAuthFailure(t, await manage('PUT', client.uri, client.token, document), 503, 'temporarily_unavailable')
  const half = await manage('GET', client.uri, client.token)
  t.match(half, { status: 200, body: { token_endpoint_auth_method: 'none' } })
  t.notOk('client_secret' in half.body)
  simulator.control.faults.clear(fault)
  await eventually('its password is gone', () => applicationOf(simulator, client.id).passwordCredentials.length === 0, 20_000)
  t.not(await tokenOutcome(simulator, client), 'ok')
})
