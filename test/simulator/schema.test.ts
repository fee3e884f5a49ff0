// The answers against Microsoft's own metadata of Graph v1.0, when its JSON Schema lies beside the project in ../shared/data.
import t from 'tap'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { derOf, selfSigned } from './self-signed.ts'
import { collection, registeredClient, simulateTenant } from './simulated-tenant.ts'

const path = resolve('../shared/data/microsoft-graph-subset.schema.json')

/** The names of Graph's metadata; the whole schema is used when it is there, and only then values are judged. */
const types = ['application', 'servicePrincipal', 'passwordCredential', 'federatedIdentityCredential', 'appRoleAssignment', 'oAuth2PermissionGrant']
const fallback = { $defs: Object.fromEntries(types.map(type => [type, { type: 'object' }])) }

t.test('every answer that shows an object has the names and types of Microsoft\'s metadata', async t => {
  const isThere = existsSync(path)
  if (!isThere) t.comment(`${path} is absent: answers are checked to be objects only`)
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(isThere ? JSON.parse(readFileSync(path, 'utf8')) : fallback, 'graph')
  const conforms = (type: string, value: unknown, what: string) => {
    const validate = ajv.getSchema(`graph#/$defs/${type}`)
    t.ok(validate?.(value), what, { errors: validate?.errors })
  }
  if (isThere) t.notOk(ajv.getSchema('graph#/$defs/application')?.({ colour: 'red' }), 'the schema tells a foreign member')

  const brokerRoles = ['Application.ReadWrite.OwnedBy', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All']
  const tenant = await simulateTenant(t, { brokerRoles })
  const { graph, simulator } = tenant
  const created = await tenant.upsert('dcr-0', { displayName: 'Orders', tags: ['a'], web: { redirectUris: ['https://a.example/cb'] } })
  conforms('application', created.body, 'the 201 of an upsert')
  const { objectId, principalId } = await registeredClient(tenant)
  conforms('application', (await graph('GET', `/applications/${objectId}`)).body, 'an application with a password')
  conforms('servicePrincipal', (await graph('GET', `/servicePrincipals/${principalId}`)).body, 'a service principal')
  const password = await graph('POST', `/applications/${objectId}/addPassword`, { body: {} })
  conforms('passwordCredential', password.body, 'the answer of addPassword')
  await graph('PATCH', `/applications/${objectId}`, {
    body: { keyCredentials: [{ type: 'AsymmetricX509Cert', usage: 'Verify', key: derOf(selfSigned('client').certificate) }] }
  })
  conforms('application', (await graph('GET', `/applications/${objectId}`)).body, 'an application with a certificate')
  const federation = { name: 'cluster', issuer: 'https://cluster.example', subject: 'a', audiences: ['api://AzureADTokenExchange'] }
  const credential = await graph('POST', `/applications/${objectId}/federatedIdentityCredentials`, { body: federation })
  conforms('federatedIdentityCredential', credential.body, 'a federated credential')
  const resource = simulator.control.addResource({ displayName: 'Stock', identifierUris: ['api://stock'], scopes: ['read'], appRoles: ['Stock.Read'] })
  const assignment = await graph('POST', `/servicePrincipals/${resource.principalId}/appRoleAssignedTo`, {
    body: { principalId, resourceId: resource.principalId, appRoleId: resource.appRoleIds['Stock.Read'] }
  })
  conforms('appRoleAssignment', assignment.body, 'a role assignment')
  const grant = await graph('POST', '/oauth2PermissionGrants', {
    body: { clientId: principalId, consentType: 'AllPrincipals', resourceId: resource.principalId, scope: 'read' }
  })
  conforms('oAuth2PermissionGrant', grant.body, 'a permission grant')
  t.same([credential.status, assignment.status, grant.status], [201, 201, 201])
  for (const application of collection(await graph('GET', '/applications'))) conforms('application', application, 'a listed application')
  for (const principal of collection(await graph('GET', '/servicePrincipals'))) conforms('servicePrincipal', principal, 'a listed principal')
  for (const owner of collection(await graph('GET', `/applications/${objectId}/owners`))) conforms('servicePrincipal', owner, 'an owner')
  await graph('DELETE', `/applications/${objectId}`)
  conforms('application', (await graph('GET', `/directory/deletedItems/${objectId}`)).body, 'a deleted application')
  conforms('servicePrincipal', (await graph('GET', `/directory/deletedItems/${principalId}`)).body, 'a deleted principal')
  conforms('application', (await graph('POST', `/directory/deletedItems/${objectId}/restore`)).body, 'a restored application')
  t.equal(simulator.control.state().applications.length, 6)
})
