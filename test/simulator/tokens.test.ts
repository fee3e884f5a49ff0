// Tokens have the format the RESOURCE asks for, whatever the endpoint, and validate by the published keys.
import t from 'tap'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import { registeredClient, simulateTenant } from './simulated-tenant.ts'
import type { SimulatedTenant } from './simulated-tenant.ts'

/** Follows discovery as a gateway does and verifies the token. */
async function validate ({ simulator: { url, tenantId } }: SimulatedTenant, version: '' | 'v2.0/', token: string) {
  const metadata = await (await fetch(`${url}/${tenantId}/${version}.well-known/openid-configuration`)).json() as { issuer: string, jwks_uri: string }
  const currentDate = new Date('2026-03-01T12:00:00Z')
  const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(metadata.jwks_uri)), { issuer: metadata.issuer, currentDate })
  return payload
}

const clientOf = async (tenant: SimulatedTenant) => {
  const { clientId, clientSecret, principalId } = await registeredClient(tenant)
  return { principalId, clientId, form: { client_id: clientId, client_secret: clientSecret } }
}

t.test('a resource without a token version gets a v1 token from either endpoint', async t => {
  const tenant = await simulateTenant(t)
  const { form, clientId, principalId } = await clientOf(tenant)
  const answers = [
    await tenant.token('v1', { ...form, resource: 'api://gateway-v1' }),
    await tenant.token('v2', { ...form, scope: 'api://gateway-v1/.default' })
  ]
  for (const { body } of answers) {
    const claims = await validate(tenant, '', String(body['access_token']))
    t.match(claims, {
      iss: `https://sts.windows.net/${tenant.simulator.tenantId}/`,
      aud: 'api://gateway-v1',
      appid: clientId,
      appidacr: '1',
      oid: principalId,
      sub: principalId,
      tid: tenant.simulator.tenantId,
      idtyp: 'app',
      ver: '1.0'
    })
    t.notOk('azp' in claims || 'roles' in claims)
  }
})

t.test('a resource with token version 2 gets a v2 token from either endpoint, with its appId as audience', async t => {
  const tenant = await simulateTenant(t)
  const { form, clientId } = await clientOf(tenant)
  const gateway = await tenant.graph('GET', "/servicePrincipals?$filter=servicePrincipalNames/any(n:n eq 'api://gateway-v2')&$select=appId")
  const answers = [
    await tenant.token('v1', { ...form, resource: 'api://gateway-v2' }),
    await tenant.token('v2', { ...form, scope: 'api://gateway-v2/.default' })
  ]
  for (const { body } of answers) {
    const claims = await validate(tenant, 'v2.0/', String(body['access_token']))
    t.match(claims, { iss: `https://login.microsoftonline.com/${tenant.simulator.tenantId}/v2.0`, azp: clientId, azpacr: '1', ver: '2.0' })
    t.match(gateway.body, { value: [{ appId: claims.aud }] })
    t.notOk('appid' in claims)
  }
})

t.test('a client that asks for itself gets the version its own application asks for', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, clientSecret } = await registeredClient(tenant, 'dcr-2', { api: { requestedAccessTokenVersion: 2 } })
  const { body } = await tenant.token('v2', { client_id: clientId, client_secret: clientSecret, scope: `${clientId}/.default` })
  t.match(decodeJwt(String(body['access_token'])), { aud: clientId, azp: clientId, ver: '2.0' })
})

t.test('the v1 endpoint answers numbers as strings and ignores scope; without resource the audience is the old AAD Graph', async t => {
  const tenant = await simulateTenant(t)
  const { form } = await clientOf(tenant)
  const { body } = await tenant.token('v1', { ...form, scope: 'https://graph.microsoft.com/.default' })
  t.match(body, { token_type: 'Bearer', expires_in: /^\d+$/, expires_on: /^\d+$/, not_before: /^\d+$/, resource: '00000002-0000-0000-c000-000000000000' })
  const claims = await validate(tenant, '', String(body['access_token']))
  t.match(claims, { aud: '00000002-0000-0000-c000-000000000000', ver: '1.0' })
  const lifetimeSeconds = Number(body['expires_on']) - Date.parse('2026-03-01T12:00:00Z') / 1000
  t.ok(lifetimeSeconds >= 3600 && lifetimeSeconds <= 5400, 'a random life of 60 to 90 minutes')
})

t.test('a token for Microsoft Graph carries a nonce and does not validate for anybody else', async t => {
  const tenant = await simulateTenant(t)
  const token = await tenant.graphToken(tenant.simulator.broker)
  t.type(decodeProtectedHeader(token)['nonce'], 'string')
  await t.rejects(validate(tenant, '', token), errors.JWSSignatureVerificationFailed)
})

t.test('roles are in a token only when they were assigned on its resource', async t => {
  const tenant = await simulateTenant(t)
  const { form, clientId } = await clientOf(tenant)
  const rolesFor = async (resource: string) => {
    const { body } = await tenant.token('v1', { ...form, resource })
    return decodeJwt(String(body['access_token']))['roles']
  }
  tenant.simulator.control.assignRole(clientId, 'api://gateway-v1', 'Orders.Read')
  t.same(await rolesFor('api://gateway-v1'), ['Orders.Read'])
  t.equal(await rolesFor('api://gateway-v2'), undefined)
})

t.test('two tenants stand side by side, and a client of one is unknown in the other', async t => {
  const tenant = await simulateTenant(t)
  const { url, control, broker } = tenant.simulator
  const second = control.addTenant()
  const signIn = (client: { clientId: string, clientSecret: string }) => fetch(`${url}/${second.tenantId}/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, resource: 'api://gateway-v1'
    })
  })
  t.equal((await signIn(second.broker)).status, 200)
  const foreign = await signIn(broker)
  t.equal(foreign.status, 400)
  t.match(await foreign.json(), { error_codes: [700016] })
})

t.test('when the signing key is replaced, former tokens validate as long as their key is published', async t => {
  const tenant = await simulateTenant(t)
  const { form } = await clientOf(tenant)
  const issue = async () => String((await tenant.token('v1', { ...form, resource: 'api://gateway-v1' })).body['access_token'])
  const kidOf = (token: string) => decodeProtectedHeader(token).kid
  const rotate = async (body: object) => await (await fetch(`${tenant.simulator.url}/_simulator/signing-key`, {
    method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' }
  })).json() as { kid: string }
  const first = await issue()
  const { kid } = await rotate({})
  const second = await issue()
  t.equal(kidOf(second), kid)
  t.not(kidOf(first), kid)
  for (const token of [first, second]) t.ok(await validate(tenant, '', token))
  t.equal((await tenant.graph('GET', '/applications')).status, 200, 'Graph takes a token of the former key')

  t.not((await rotate({ withdrawFormer: true })).kid, kid)
  for (const token of [first, second]) await t.rejects(validate(tenant, '', token), errors.JWKSNoMatchingKey)
  t.ok(await validate(tenant, '', await issue()))
})
