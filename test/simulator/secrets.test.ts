// A secret is shown once; it works when the token endpoint has learnt of it, and for a while after it was removed.
import t from 'tap'
import { registeredClient, simulateTenant } from './simulated-tenant.ts'
import type { SimulatedTenant } from './simulated-tenant.ts'

const signIn = ({ token }: SimulatedTenant, clientId: string, secret: string) =>
  token('v1', { client_id: clientId, client_secret: secret, resource: 'api://gateway-v1' })

t.test('addPassword shows forty characters with a tilde once, and afterwards only their beginning', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const added = await tenant.graph('POST', `/applications/${objectId}/addPassword`, { body: { passwordCredential: { displayName: 'second' } } })
  t.equal(added.status, 200)
  const secretText = String(added.body['secretText'])
  t.match(secretText, /^[\w.~-]{40}$/)
  t.match(secretText, /~/)
  t.match(added.body, {
    keyId: /^[\da-f-]{36}$/,
    hint: secretText.slice(0, 3),
    displayName: 'second',
    startDateTime: '2026-03-01T12:00:00.000Z',
    endDateTime: '2028-03-01T12:00:00.000Z',
    customKeyIdentifier: null
  })
  const { body } = await tenant.graph('GET', `/applications/${objectId}?$select=passwordCredentials`)
  t.match(body, { passwordCredentials: [{ displayName: 'dcr:1' }, { displayName: 'second', secretText: null, hint: secretText.slice(0, 3) }] })
  t.notOk(JSON.stringify(tenant.simulator.control.state()).includes(secretText))
  t.notOk(JSON.stringify(tenant.simulator.snapshot()).includes(secretText), 'not even a snapshot holds the text')
})

t.test('a removed secret stops working at once without lag, and removing it again is a 400 that names the keyId', async t => {
  const tenant = await simulateTenant(t)
  const { objectId, clientId, clientSecret, keyId } = await registeredClient(tenant)
  t.equal((await signIn(tenant, clientId, clientSecret)).status, 200)
  const remove = () => tenant.graph('POST', `/applications/${objectId}/removePassword`, { body: { keyId } })
  t.equal((await remove()).status, 204)
  t.match(await signIn(tenant, clientId, clientSecret), { status: 401, body: { error_codes: [7000215] } })
  t.match(await remove(), { status: 400, body: { error: { code: 'Request_BadRequest', message: /^No password credential found with keyId/ } } })
})

t.test('with lag a new secret is refused until its delay is over, and a removed one lingers', async t => {
  const tenant = await simulateTenant(t, { lag: { secretDelayMs: 10_000, secretLingerMs: 60_000 } })
  const { objectId, clientId, clientSecret, keyId } = await registeredClient(tenant)
  t.match(await signIn(tenant, clientId, clientSecret), { status: 401, body: { error: 'invalid_client', error_codes: [7000215] } })
  tenant.pass(10_000)
  t.equal((await signIn(tenant, clientId, clientSecret)).status, 200)
  await tenant.graph('POST', `/applications/${objectId}/removePassword`, { body: { keyId } })
  tenant.pass(59_000)
  t.equal((await signIn(tenant, clientId, clientSecret)).status, 200)
  tenant.pass(1_000)
  t.equal((await signIn(tenant, clientId, clientSecret)).status, 401)
})

t.test('an expired secret and one that has not started yet are told apart', async t => {
  const tenant = await simulateTenant(t)
  const { objectId, clientId } = await registeredClient(tenant)
  const add = async (startDateTime: string, endDateTime: string) => {
    const { body } = await tenant.graph('POST', `/applications/${objectId}/addPassword`, { body: { passwordCredential: { startDateTime, endDateTime } } })
    return String(body['secretText'])
  }
  const short = await add('2026-03-01T11:55:00Z', '2026-03-01T12:10:00Z')
  const later = await add('2026-03-02T00:00:00Z', '2026-04-01T00:00:00Z')
  t.match(await signIn(tenant, clientId, later), { status: 401, body: { error_codes: [7000215] } })
  t.equal((await signIn(tenant, clientId, short)).status, 200)
  tenant.pass(10 * 60_000)
  t.match(await signIn(tenant, clientId, short), {
    status: 401, body: { error: 'invalid_client', error_codes: [7000222], error_description: /^AADSTS7000222: .* are expired\./ }
  })
})

t.test('a tenant policy limits or forbids passwords and is named by its id', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const add = () => tenant.graph('POST', `/applications/${objectId}/addPassword`, { body: {} })
  tenant.simulator.control.policy({ maxSecretLifetimeMs: 180 * 24 * 3600 * 1000 })
  t.match(await add(), {
    status: 400,
    body: {
      error: {
        code: 'CredentialInvalidLifetimeAsPerAppPolicy',
        message: /as per assigned policy '[\da-f-]{36}'\.$/,
        details: [{ code: 'InvalidKeyEndDate', target: 'EndDate' }]
      }
    }
  })
  tenant.simulator.control.policy({ passwordsForbidden: true })
  t.match(await add(), { status: 400, body: { error: { code: 'CredentialTypeNotAllowedAsPerAppPolicy' } } })
})

t.test('an object takes so many passwords and no more', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  tenant.simulator.control.policy({ passwordsPerApplication: 2 })
  const add = () => tenant.graph('POST', `/applications/${objectId}/addPassword`, { body: {} })
  t.equal((await add()).status, 200)
  t.match(await add(), { status: 400, body: { error: { code: 'Directory_ResourceSizeExceeded' } } })
})
