// The control API over HTTP does what the object in the process does, and the state survives a restart.
import t from 'tap'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { createStateFile, readStateFile } from '../../src/simulator/state-file.ts'
import { registeredClient, simulateTenant } from './simulated-tenant.ts'
import type { SimulatedTenant } from './simulated-tenant.ts'

function controlOf ({ simulator }: SimulatedTenant) {
  return async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${simulator.url}/_simulator${path}`, {
      method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? null : JSON.parse(text) as unknown }
  }
}

t.test('lag and policy are read and changed, and a knob that does not exist is refused', async t => {
  const tenant = await simulateTenant(t)
  const control = controlOf(tenant)
  t.match(await control('PUT', '/lag', { secretDelayMs: 5_000 }), { status: 200, body: { secretDelayMs: 5_000, readDelayMs: 0 } })
  t.match(await control('GET', '/lag'), { body: { secretDelayMs: 5_000 } })
  t.match(await control('PUT', '/policy', { passwordsForbidden: true }), { status: 200, body: { passwordsForbidden: true } })
  t.equal((await control('PUT', '/lag', { secretDelay: 5_000 })).status, 400)
  t.equal((await control('GET', '/policy?tenant=nowhere')).status, 400)
})

t.test('faults are armed and disarmed, and the journal is read, filtered and cleared', async t => {
  const tenant = await simulateTenant(t)
  const control = controlOf(tenant)
  const armed = await control('POST', '/faults', { match: { path: 'addPassword$' }, action: { type: 'status', status: 500, body: {} }, when: 'after' })
  t.match(armed, { status: 201, body: { id: 1 } })
  t.match(await control('GET', '/faults'), { body: [{ id: 1, when: 'after', remaining: 1 }] })
  t.equal((await control('DELETE', '/faults?id=1')).status, 204)
  t.same((await control('GET', '/faults')).body, [])
  t.equal((await control('POST', '/faults', { match: { path: '(' }, action: { type: 'reset' } })).status, 400)
  t.equal((await control('POST', '/faults', { match: {}, action: { type: 'explode' } })).status, 400)
  await registeredClient(tenant)
  t.match(await control('GET', '/journal?method=POST&path=addPassword'), { body: [{ method: 'POST', status: 200 }] })
  t.equal((await control('DELETE', '/journal')).status, 204)
  t.same((await control('GET', '/journal')).body, [])
})

t.test('the state shows live and deleted objects and no secret', async t => {
  const tenant = await simulateTenant(t)
  const control = controlOf(tenant)
  const { objectId, clientSecret } = await registeredClient(tenant)
  t.match(await control('GET', '/state'), { body: { tenantId: tenant.simulator.tenantId, applications: Array, deletedItems: [] } })
  t.notOk(JSON.stringify(await control('GET', '/state')).includes(clientSecret))
  await tenant.graph('DELETE', `/applications/${objectId}`)
  t.match(await control('GET', '/state'), { body: { deletedItems: [{ '@odata.type': '#microsoft.graph.servicePrincipal' }, { id: objectId }] } })
})

t.test('a further tenant and a role are added', async t => {
  const tenant = await simulateTenant(t)
  const control = controlOf(tenant)
  t.match(await control('POST', '/tenants', {}), { status: 201, body: { tenantId: String, broker: { clientId: String, clientSecret: String } } })
  t.match(await control('GET', '/tenants'), { body: [tenant.simulator.tenantId, String] })
  const role = { clientId: tenant.simulator.broker.clientId, resource: 'api://gateway-v1', role: 'Orders.Read' }
  t.equal((await control('POST', '/roles', role)).status, 204)
  t.equal((await control('POST', '/roles', { ...role, resource: 'api://nothing' })).status, 400)
})

t.test('a resource and the keys of an issuer are added', async t => {
  const tenant = await simulateTenant(t)
  const control = controlOf(tenant)
  const resource = { displayName: 'Orders', identifierUris: ['api://orders'], requestedAccessTokenVersion: 2, scopes: ['read'], appRoles: ['Orders.Read'] }
  t.match(await control('POST', '/resources', resource), {
    status: 201, body: { appId: String, principalId: String, scopeIds: { read: String }, appRoleIds: { 'Orders.Read': String } }
  })
  t.match(await control('POST', '/resources', resource), { status: 400, body: { error: "The App ID URI 'api://orders' is taken." } })
  t.equal((await control('POST', '/resources', { displayName: 'Orders' })).status, 400)
  t.equal((await control('PUT', '/federation-keys', { issuer: 'https://issuer.example', keys: [{ kty: 'RSA' }] })).status, 204)
  t.equal((await control('PUT', '/federation-keys', { issuer: 'https://issuer.example' })).status, 400)
})

t.test('a simulator that starts from a state file has the same objects, secrets, tokens and reserved names', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-state-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'state.json')
  t.equal(await readStateFile(path), null)
  const tenant = await simulateTenant(t)
  const client = await registeredClient(tenant)
  const gone = await registeredClient(tenant, 'dcr-2')
  await tenant.graph('DELETE', `/applications/${gone.objectId}`)
  const token = await tenant.graphToken(tenant.simulator.broker)
  const file = createStateFile(path, () => tenant.simulator.snapshot())
  await Promise.all([file.save(), file.save()])
  t.equal((await stat(path)).mode & 0o777, 0o600)
  await tenant.simulator.close()

  const state = await readStateFile(path)
  if (state === null) throw new Error('The state file is missing.')
  const restarted = await simulateTenant(t, { state })
  t.equal(restarted.simulator.tenantId, tenant.simulator.tenantId)
  t.same(restarted.simulator.broker, tenant.simulator.broker)
  t.equal((await restarted.graph('GET', `/applications/${client.objectId}`, { token })).status, 200, 'a token of before is still good')
  const signIn = await restarted.token('v1', { client_id: client.clientId, client_secret: client.clientSecret, resource: 'api://gateway-v1' })
  t.equal(signIn.status, 200)
  t.equal((await restarted.upsert('dcr-2', { displayName: 'Orders' })).status, 400, 'the soft-deleted one still holds its name')
  t.equal((await restarted.upsert('dcr-1', { displayName: 'Orders' })).status, 204)
})

t.test('a change of the directory is announced, a read is not', async t => {
  let changes = 0
  const simulator = await startSimulator({ onChange: () => { changes++ } })
  t.after(() => simulator.close())
  const before = changes
  simulator.control.state()
  t.equal(changes, before)
  simulator.control.addClient('Another tool')
  t.ok(changes > before)
})
