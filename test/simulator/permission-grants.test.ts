// Granting permissions through Graph: who may, and what the granted client finds in its tokens.
import t from 'tap'
import type { Test } from 'tap'
import { decodeJwt } from 'jose'
import { collection, registeredClient, simulateTenant } from './simulated-tenant.ts'
import { authorize, codeOf, redeem } from './sign-in.ts'

const redirectUri = 'https://client.example/cb'
const granting = ['Application.ReadWrite.OwnedBy', 'AppRoleAssignment.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All']

async function clientAndResource (t: Test, brokerRoles: string[]) {
  const tenant = await simulateTenant(t, { brokerRoles })
  const client = await registeredClient(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const resource = tenant.simulator.control.addResource({
    displayName: 'Orders', identifierUris: ['api://orders'], scopes: ['read', { value: 'manage', adminOnly: true }], appRoles: ['Orders.Read']
  })
  return { tenant, client, resource }
}

t.test('without the role for it, nothing is granted and nothing is taken away', async t => {
  const { tenant, client, resource } = await clientAndResource(t, ['Application.ReadWrite.OwnedBy'])
  const path = `/servicePrincipals/${resource.principalId}/appRoleAssignedTo`
  const assignment = { principalId: client.principalId, resourceId: resource.principalId, appRoleId: resource.appRoleIds['Orders.Read'] }
  const grant = { clientId: client.principalId, consentType: 'AllPrincipals', resourceId: resource.principalId, scope: 'read' }
  const denied = { status: 403, body: { error: { code: 'Authorization_RequestDenied' } } }
  t.match(await tenant.graph('POST', path, { body: assignment }), denied)
  t.match(await tenant.graph('DELETE', `${path}/x`), denied)
  t.match(await tenant.graph('GET', '/oauth2PermissionGrants'), denied)
  t.match(await tenant.graph('POST', '/oauth2PermissionGrants', { body: grant }), denied)
  t.match(await tenant.graph('PATCH', '/oauth2PermissionGrants/x', { body: { scope: '' } }), denied)
  t.match(await tenant.graph('DELETE', '/oauth2PermissionGrants/x'), denied)
  t.same(collection(await tenant.graph('GET', path)), [])
})

t.test('an assigned application role is seen from both sides and in the client\'s tokens, until it is taken away', async t => {
  const { tenant, client, resource } = await clientAndResource(t, granting)
  const path = `/servicePrincipals/${resource.principalId}/appRoleAssignedTo`
  const body = { principalId: client.principalId, resourceId: resource.principalId, appRoleId: resource.appRoleIds['Orders.Read'] }
  const roles = async () => {
    const { body } = await tenant.token('v2', { client_id: client.clientId, client_secret: client.clientSecret, scope: 'api://orders/.default' })
    return decodeJwt(String(body['access_token']))['roles']
  }
  t.equal(await roles(), undefined)
  const assigned = await tenant.graph('POST', path, { body })
  t.match(assigned, { status: 201, body: { id: String, ...body, principalType: 'ServicePrincipal', principalDisplayName: 'A client', resourceDisplayName: 'Orders' } })
  t.same(await roles(), ['Orders.Read'])
  t.match(await tenant.graph('POST', path, { body }), { status: 400, body: { error: { message: 'Permission being assigned already exists on the object' } } })
  for (const side of [path, `/servicePrincipals/${client.principalId}/appRoleAssignments`]) {
    t.match(collection(await tenant.graph('GET', side)), [{ id: assigned.body['id'], ...body }], side)
  }
  t.equal((await tenant.graph('DELETE', `${path}/${assigned.body['id']}`)).status, 204)
  t.equal((await tenant.graph('DELETE', `${path}/${assigned.body['id']}`)).status, 404)
  t.equal(await roles(), undefined)
})

t.test('only a role of the resource is assigned, to a principal that is there', async t => {
  const { tenant, client, resource } = await clientAndResource(t, granting)
  const assign = (change: object) => tenant.graph('POST', `/servicePrincipals/${resource.principalId}/appRoleAssignedTo`, {
    body: { principalId: client.principalId, resourceId: resource.principalId, appRoleId: resource.appRoleIds['Orders.Read'], ...change }
  })
  t.match(await assign({ appRoleId: resource.scopeIds['read'] }), { status: 400, body: { error: { message: 'Not a valid reference update.' } } })
  t.equal((await assign({ resourceId: client.principalId })).status, 400)
  t.match(await assign({ principalId: client.objectId }), { status: 404, body: { error: { code: 'Request_ResourceNotFound' } } })
  tenant.simulator.control.requireAssignment('api://orders', true)
  const signIn = () => tenant.token('v2', { client_id: client.clientId, client_secret: client.clientSecret, scope: 'api://orders/.default' })
  t.match(await signIn(), { body: { error_codes: [501051] } })
  t.equal((await assign({ appRoleId: '00000000-0000-0000-0000-000000000000' })).status, 201, 'the default access')
  const { body } = await signIn()
  t.notOk('roles' in decodeJwt(String(body['access_token'])))
})

t.test('a permission that only administrators consent to is in a token once it is granted, and no longer than that', async t => {
  const { tenant, client, resource } = await clientAndResource(t, granting)
  const request = { client_id: client.clientId, redirect_uri: redirectUri, scope: 'api://orders/manage' }
  const needsConsent = { status: 302, outcome: { error: 'consent_required', error_description: /^AADSTS65001: / } }
  t.match(await authorize(tenant, request), needsConsent)
  const body = { clientId: client.principalId, consentType: 'AllPrincipals', resourceId: resource.principalId, scope: 'read' }
  const granted = await tenant.graph('POST', '/oauth2PermissionGrants', { body })
  t.match(granted, { status: 201, body: { id: String, ...body, principalId: null } })
  t.match(await authorize(tenant, request), needsConsent, 'another permission was granted')
  const path = `/oauth2PermissionGrants/${granted.body['id']}`
  t.equal((await tenant.graph('PATCH', path, { body: { scope: 'read manage' } })).status, 204)
  const { body: tokens } = await redeem(tenant, await codeOf(tenant, request), { clientId: client.clientId, redirectUri })
  t.equal(decodeJwt(String(tokens['access_token']))['scp'], 'manage')
  const everything = await codeOf(tenant, { ...request, scope: 'api://orders/.default' })
  t.match((await redeem(tenant, everything, { clientId: client.clientId, redirectUri })).body, { scope: 'api://orders/read api://orders/manage' })
  t.equal((await tenant.graph('DELETE', path)).status, 204)
  t.match(await authorize(tenant, request), needsConsent)
  t.equal((await tenant.graph('GET', path)).status, 404)
})

t.test('where users cannot consent, an ordinary permission needs a grant too', async t => {
  const { tenant, client, resource } = await clientAndResource(t, granting)
  tenant.simulator.control.policy({ userConsentForbidden: true })
  const request = { client_id: client.clientId, redirect_uri: redirectUri, scope: 'openid api://orders/read' }
  t.match((await authorize(tenant, request)).outcome, { error: 'consent_required' })
  await tenant.graph('POST', '/oauth2PermissionGrants', {
    body: { clientId: client.principalId, consentType: 'AllPrincipals', resourceId: resource.principalId, scope: 'read' }
  })
  t.match((await authorize(tenant, request)).outcome, { code: String })
})

t.test('grants are found by client and resource, one for each, and end with their client', async t => {
  const { tenant, client, resource } = await clientAndResource(t, granting)
  const other = await registeredClient(tenant, 'dcr-2')
  const grant = (change: object) => tenant.graph('POST', '/oauth2PermissionGrants', {
    body: { clientId: client.principalId, consentType: 'AllPrincipals', principalId: null, resourceId: resource.principalId, scope: 'read', ...change }
  })
  t.equal((await grant({})).status, 201)
  t.match(await grant({ scope: 'manage' }), { status: 409, body: { error: { message: 'Permission entry already exists.' } } })
  t.equal((await grant({ clientId: other.principalId })).status, 201)
  for (const change of [{ consentType: 'Everybody' }, { consentType: 'Principal' }, { principalId: other.principalId }, { scope: 1 }, { scope: 'x'.repeat(3851) }]) {
    t.equal((await grant(change)).status, 400, JSON.stringify(change).slice(0, 60))
  }
  t.equal((await grant({ clientId: client.objectId })).status, 404)
  const found = async (filter: string) => collection(await tenant.graph('GET', `/oauth2PermissionGrants?$filter=${encodeURIComponent(filter)}`))
  t.match(await found(`clientId eq '${other.principalId}' and resourceId eq '${resource.principalId}'`), [{ clientId: other.principalId }])
  t.equal((await found("consentType eq 'AllPrincipals'")).length, 2)
  t.equal((await tenant.graph('GET', '/oauth2PermissionGrants?$filter=scope%20ne%20null')).status, 400)
  await tenant.graph('DELETE', `/applications/${other.objectId}`)
  t.equal((await found("consentType eq 'AllPrincipals'")).length, 1)
})
