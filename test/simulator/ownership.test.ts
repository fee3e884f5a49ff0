// Under Application.ReadWrite.OwnedBy a caller sees everything and changes what it owns.
import t from 'tap'
import { collection, registeredClient, simulateTenant } from './simulated-tenant.ts'

const deniedBody = { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.' } }

/** A second broker with roles of its own on Graph. */
async function otherCaller (tenant: Awaited<ReturnType<typeof simulateTenant>>, ...roles: string[]) {
  const client = tenant.simulator.control.addClient('Another tool')
  for (const role of roles) tenant.simulator.control.assignRole(client.clientId, 'https://graph.microsoft.com', role)
  return tenant.graphToken(client)
}

t.test('whoever makes an application owns it and its principal', async t => {
  const tenant = await simulateTenant(t)
  const { objectId, principalId } = await registeredClient(tenant)
  for (const path of [`/applications/${objectId}/owners`, `/servicePrincipals/${principalId}/owners`]) {
    t.match(collection(await tenant.graph('GET', path)), [{ '@odata.type': '#microsoft.graph.servicePrincipal', appId: tenant.simulator.broker.clientId }])
  }
})

t.test('another caller with OwnedBy reads a foreign application, but every change of it is denied', async t => {
  const tenant = await simulateTenant(t)
  const { objectId, principalId, keyId } = await registeredClient(tenant)
  const token = await otherCaller(tenant, 'Application.ReadWrite.OwnedBy')
  t.equal((await tenant.graph('GET', `/applications/${objectId}`, { token })).status, 200)
  const changes = [
    ['PATCH', `/applications/${objectId}`, { displayName: 'Mine' }],
    ['PATCH', `/servicePrincipals/${principalId}`, { accountEnabled: false }],
    ['POST', `/applications/${objectId}/addPassword`, {}],
    ['POST', `/applications/${objectId}/removePassword`, { keyId }],
    ['DELETE', `/applications/${objectId}`, undefined]
  ] as const
  for (const [method, path, body] of changes) {
    t.match(await tenant.graph(method, path, { body, token }), { status: 403, body: deniedBody }, `${method} ${path}`)
  }
  await tenant.graph('DELETE', `/applications/${objectId}`)
  t.match(await tenant.graph('DELETE', `/directory/deletedItems/${objectId}`, { token }), { status: 403, body: deniedBody }, 'nor may it purge it')
})

t.test('an owner may add another one, who may then change the application, until it is taken off again', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const other = tenant.simulator.control.addClient('Another tool')
  tenant.simulator.control.assignRole(other.clientId, 'https://graph.microsoft.com', 'Application.ReadWrite.OwnedBy')
  const token = await tenant.graphToken(other)
  const { body } = await tenant.graph('GET', `/servicePrincipals(appId='${other.clientId}')?$select=id`)
  const rename = () => tenant.graph('PATCH', `/applications/${objectId}`, { body: { displayName: 'Mine' }, token })
  const reference = { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${body['id']}` }
  t.equal((await rename()).status, 403)
  t.equal((await tenant.graph('POST', `/applications/${objectId}/owners/$ref`, { body: reference })).status, 204)
  t.equal((await tenant.graph('POST', `/applications/${objectId}/owners/$ref`, { body: reference })).status, 400, 'once')
  t.equal((await rename()).status, 204)
  t.equal((await tenant.graph('DELETE', `/applications/${objectId}/owners/${body['id']}/$ref`)).status, 204)
  t.equal((await rename()).status, 403)
})

t.test('with Application.ReadWrite.All everything may be changed, with a read role nothing, without a role nothing is seen', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const path = `/applications/${objectId}`
  const rename = (token: string) => tenant.graph('PATCH', path, { body: { displayName: 'Mine' }, token })
  t.equal((await rename(await otherCaller(tenant, 'Application.ReadWrite.All'))).status, 204)
  const reader = await otherCaller(tenant, 'Application.Read.All')
  t.equal((await tenant.graph('GET', path, { token: reader })).status, 200)
  t.equal((await rename(reader)).status, 403)
  t.equal((await tenant.upsert('dcr-9', { displayName: 'x' })).status, 201)
  t.match(await tenant.graph('GET', path, { token: await otherCaller(tenant) }), { status: 403, body: deniedBody })
})

t.test('acceptMappedClaims is denied in a create under OwnedBy and allowed afterwards', async t => {
  const tenant = await simulateTenant(t)
  t.match(await tenant.upsert('dcr-1', { displayName: 'Orders', api: { acceptMappedClaims: true } }), { status: 403, body: deniedBody })
  t.equal((await tenant.upsert('dcr-1', { displayName: 'Orders' })).status, 201)
  t.equal((await tenant.upsert('dcr-1', { api: { acceptMappedClaims: true } })).status, 204)
})

t.test('a quota stops the creator or the tenant, and soft-deleted objects count', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  tenant.simulator.control.policy({ objectsPerCreator: 2 })
  const create = () => tenant.upsert('dcr-2', { displayName: 'Orders' })
  const exceeded = { status: 403, body: { error: { code: 'Directory_QuotaExceeded', message: /quota limit for the Principal/ } } }
  t.match(await create(), exceeded)
  await tenant.graph('DELETE', `/applications/${objectId}`)
  t.match(await create(), exceeded)
  await tenant.graph('DELETE', `/directory/deletedItems/${objectId}`)
  t.equal((await create()).status, 201)
  tenant.simulator.control.policy({ objectsPerCreator: null, objectsPerTenant: 1 })
  t.match(await tenant.upsert('dcr-3', { displayName: 'x' }), { status: 403, body: { error: { message: /quota limit for the Tenant/ } } })
})

t.test('without a valid Graph token every call is a 401 InvalidAuthenticationToken', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, clientSecret } = await registeredClient(tenant)
  const { body } = await tenant.token('v1', { client_id: clientId, client_secret: clientSecret, resource: 'api://gateway-v1' })
  const brokers = await tenant.graphToken(tenant.simulator.broker)
  for (const token of ['', 'nonsense', `${brokers.slice(0, -4)}AAAA`, String(body['access_token'])]) {
    const answer = await tenant.graph('GET', '/applications', { token })
    t.match(answer, { status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } })
    t.match(answer.headers.get('www-authenticate'), /^Bearer /)
  }
  tenant.pass(91 * 60_000)
  t.match(await tenant.graph('GET', '/applications'), { status: 401, body: { error: { message: /expired/ } } })
})
