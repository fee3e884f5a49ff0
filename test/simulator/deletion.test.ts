// A deleted application is not gone: it can be restored for 30 days, and its uniqueName stays reserved.
import t from 'tap'
import { registeredClient, simulateTenant } from './simulated-tenant.ts'

const dayMs = 24 * 60 * 60 * 1000

t.test('deleting an application takes its principal along, and both are found among the deleted items', async t => {
  const tenant = await simulateTenant(t)
  const { graph } = tenant
  const client = await registeredClient(tenant)
  t.equal((await graph('DELETE', `/applications/${client.objectId}`)).status, 204)
  t.equal((await graph('GET', `/applications/${client.objectId}`)).status, 404)
  t.equal((await graph('GET', `/servicePrincipals/${client.principalId}`)).status, 404)
  const listed = await graph('GET', `/directory/deletedItems/microsoft.graph.application?$filter=appId eq '${client.clientId}'`)
  t.match(listed.body, { value: [{ id: client.objectId, uniqueName: 'dcr-1', deletedDateTime: /^2026-03-01T/ }] })
  t.equal((await graph('GET', `/directory/deletedItems/${client.principalId}`)).status, 200)
})

t.test('the uniqueName of a soft-deleted application is reserved, and free again once it is purged', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  await tenant.graph('DELETE', `/applications/${objectId}`)
  const refused = await tenant.upsert('dcr-1', { displayName: 'Orders' })
  t.equal(refused.status, 400)
  t.match(refused.body, { error: { message: 'Another object with the same value for property uniqueName already exists.' } })
  t.equal((await tenant.graph('DELETE', `/directory/deletedItems/${objectId}`)).status, 204)
  t.equal((await tenant.upsert('dcr-1', { displayName: 'Orders' })).status, 201)
})

t.test('purging an application leaves its principal among the deleted items until that is purged too', async t => {
  const tenant = await simulateTenant(t)
  const { objectId, principalId } = await registeredClient(tenant)
  await tenant.graph('DELETE', `/applications/${objectId}`)
  await tenant.graph('DELETE', `/directory/deletedItems/${objectId}`)
  t.equal((await tenant.graph('GET', `/directory/deletedItems/${principalId}`)).status, 200)
  t.equal((await tenant.graph('DELETE', `/directory/deletedItems/${principalId}`)).status, 204)
  t.equal((await tenant.graph('DELETE', `/directory/deletedItems/${principalId}`)).status, 404)
})

t.test('a principal is restored after its application, not before', async t => {
  const tenant = await simulateTenant(t)
  const client = await registeredClient(tenant)
  const restore = (id: string) => tenant.graph('POST', `/directory/deletedItems/${id}/restore`)
  await tenant.graph('DELETE', `/applications/${client.objectId}`)
  const early = await restore(client.principalId)
  t.equal(early.status, 400)
  t.match(early.body, { error: { message: /without backing Application/ } })
  t.match(await restore(client.objectId), { status: 200, body: { appId: client.clientId, deletedDateTime: null } })
  t.equal((await restore(client.principalId)).status, 200)
  const token = await tenant.token('v1', { client_id: client.clientId, client_secret: client.clientSecret, resource: 'api://gateway-v1' })
  t.equal(token.status, 200, 'the restored client gets tokens again')
})

t.test('a deleted application is purged by itself after thirty days', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  await tenant.graph('DELETE', `/applications/${objectId}`)
  tenant.pass(29 * dayMs)
  const token = await tenant.graphToken(tenant.simulator.broker)
  t.equal((await tenant.graph('GET', `/directory/deletedItems/${objectId}`, { token })).status, 200)
  tenant.pass(2 * dayMs)
  const later = await tenant.graphToken(tenant.simulator.broker)
  t.equal((await tenant.graph('GET', `/directory/deletedItems/${objectId}`, { token: later })).status, 404)
})

t.test('deleting twice is a 404 the second time', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  await tenant.graph('DELETE', `/applications/${objectId}`)
  t.equal((await tenant.graph('DELETE', `/applications/${objectId}`)).status, 404)
})
