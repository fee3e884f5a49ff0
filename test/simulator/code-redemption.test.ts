// A code is redeemed once, by its client, for its redirect URI, with its verifier, and as its platform demands.
import t from 'tap'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { registeredClient, simulateTenant } from './simulated-tenant.ts'
import { codeOf, publicApplication, redeem, verifier } from './sign-in.ts'

const redirectUri = 'https://client.example/callback'
const scope = 'openid profile email offline_access api://gateway-v2/user_impersonation'
const browser = { origin: 'https://client.example' }

t.test('a public client gets a token for the user, an ID token and a refresh token, without a secret', async t => {
  const tenant = await simulateTenant(t)
  const { url, tenantId } = tenant.simulator
  const { clientId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: ['http://localhost/cb'] } })
  const loopback = { clientId, redirectUri: 'http://localhost:50123/cb' }
  const code = await codeOf(tenant, { client_id: clientId, redirect_uri: loopback.redirectUri, scope, nonce: 'n-1' })
  const { status, body, headers } = await redeem(tenant, code, loopback)
  t.equal(status, 200)
  t.match(body, {
    token_type: 'Bearer', scope: 'api://gateway-v2/user_impersonation', expires_in: Number, ext_expires_in: Number, refresh_token: String
  })
  t.match(headers.get('cache-control'), /no-store/)
  const keys = createRemoteJWKSet(new URL(`${url}/${tenantId}/discovery/v2.0/keys`))
  const options = { currentDate: new Date('2026-03-01T12:00:00Z'), issuer: `https://login.microsoftonline.com/${tenantId}/v2.0` }
  const id = await jwtVerify(String(body['id_token']), keys, { ...options, audience: clientId })
  t.match(id.payload, { nonce: 'n-1', oid: String, sub: String, tid: tenantId, name: String, preferred_username: /@/, email: /@/, ver: '2.0' })
  const access = await jwtVerify(String(body['access_token']), keys, options)
  t.match(access.payload, { scp: 'user_impersonation', azp: clientId, azpacr: '0', oid: id.payload['oid'], sub: String, ver: '2.0' })
  t.notOk('roles' in access.payload)
})

t.test('a token for a resource without a version is a v1 token, and one for Microsoft Graph opens Graph to nobody without a role', async t => {
  const tenant = await simulateTenant(t)
  const { clientId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const signIn = async (scope: string) =>
    redeem(tenant, await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope }), { clientId, redirectUri })
  const v1 = await signIn('api://gateway-v1/user_impersonation')
  t.match(decodeJwt(String(v1.body['access_token'])), { aud: 'api://gateway-v1', appid: clientId, appidacr: '0', scp: 'user_impersonation', upn: /@/, ver: '1.0' })
  t.notOk('id_token' in v1.body || 'refresh_token' in v1.body, 'neither was asked for')
  const graph = await signIn('openid profile User.Read')
  t.match(graph.body, { scope: 'openid profile User.Read', id_token: String })
  const token = String(graph.body['access_token'])
  t.match(decodeJwt(token), { aud: '00000003-0000-0000-c000-000000000000', scp: 'openid profile User.Read' })
  t.equal((await tenant.graph('GET', '/applications', { token })).status, 403)
})

t.test('.default stands for the delegated permissions that the registration lists', async t => {
  const tenant = await simulateTenant(t)
  const orders = tenant.simulator.control.addResource({ displayName: 'Orders', identifierUris: ['api://orders'], scopes: ['read', 'write'] })
  const { clientId } = await publicApplication(tenant, 'dcr-1', {
    publicClient: { redirectUris: [redirectUri] },
    requiredResourceAccess: [{ resourceAppId: orders.appId, resourceAccess: [{ id: orders.scopeIds['read'], type: 'Scope' }] }]
  })
  const code = await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope: 'api://orders/.default' })
  const { body } = await redeem(tenant, code, { clientId, redirectUri })
  t.match(body, { scope: 'api://orders/read' })
  t.equal(decodeJwt(String(body['access_token']))['scp'], 'read')
})

t.test('a web client proves itself, a public one must not try to', async t => {
  const tenant = await simulateTenant(t)
  const web = await registeredClient(tenant, 'dcr-1', { web: { redirectUris: [redirectUri] } })
  const native = await registeredClient(tenant, 'dcr-2', { publicClient: { redirectUris: [redirectUri] } })
  const signIn = async ({ clientId }: { clientId: string }, form: Record<string, string>, headers: Record<string, string> = {}) =>
    redeem(tenant, await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope }), { clientId, redirectUri }, { form, headers })
  t.match(await signIn(web, {}), { status: 401, body: { error: 'invalid_client', error_codes: [7000218] } })
  t.match(await signIn(web, { client_secret: 'wrong' }), { status: 401, body: { error: 'invalid_client', error_codes: [7000215] } })
  const granted = await signIn(web, { client_secret: web.clientSecret })
  t.equal(granted.status, 200)
  t.match(decodeJwt(String(granted.body['access_token'])), { azp: web.clientId, azpacr: '1' })
  const authorization = `Basic ${Buffer.from(`${web.clientId}:${encodeURIComponent(web.clientSecret)}`).toString('base64')}`
  t.equal((await signIn(web, {}, { authorization })).status, 200)
  t.match(await signIn(native, { client_secret: native.clientSecret }), { status: 401, body: { error: 'invalid_client', error_codes: [700025] } })
  t.equal((await signIn(native, {})).status, 200)
})

t.test('a single-page client redeems from a browser only, and nobody else does', async t => {
  const tenant = await simulateTenant(t)
  const spa = await publicApplication(tenant, 'dcr-1', { spa: { redirectUris: [redirectUri] } })
  const native = await publicApplication(tenant, 'dcr-2', { publicClient: { redirectUris: [redirectUri] } })
  const signIn = async ({ clientId }: { clientId: string }, headers: Record<string, string>) =>
    redeem(tenant, await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope }), { clientId, redirectUri }, { headers })
  const fromServer = await signIn(spa, {})
  t.match(fromServer, { status: 400, body: { error: 'invalid_request', error_codes: [9002327] } })
  t.match(fromServer.body['error_description'], /may only be redeemed via cross-origin requests/)
  const fromBrowser = await signIn(spa, browser)
  t.equal(fromBrowser.status, 200)
  t.equal(fromBrowser.headers.get('access-control-allow-origin'), browser.origin)
  const elsewhere = await signIn(native, browser)
  t.match(elsewhere, { status: 400, body: { error: 'invalid_request', error_codes: [9002326] } })
  t.equal(elsewhere.headers.get('access-control-allow-origin'), null, 'the script does not even see it')
  const preflight = await fetch(`${tenant.simulator.url}/${tenant.simulator.tenantId}/oauth2/v2.0/token`, {
    method: 'OPTIONS', headers: { ...browser, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-client-sku' }
  })
  t.equal(preflight.status, 204)
  t.equal(preflight.headers.get('access-control-allow-origin'), browser.origin)
  t.equal(preflight.headers.get('access-control-allow-headers'), 'x-client-sku')
})

t.test('a code that is spent, expired, unknown, of another client or for another redirect URI gets nothing', async t => {
  const tenant = await simulateTenant(t)
  const redirectUris = [redirectUri, 'https://client.example/other']
  const { clientId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris } })
  const other = await publicApplication(tenant, 'dcr-2', { publicClient: { redirectUris } })
  const client = { clientId, redirectUri }
  const code = () => codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope })
  const spent = await code()
  t.equal((await redeem(tenant, spent, client)).status, 200)
  t.match(await redeem(tenant, spent, client), { status: 400, body: { error: 'invalid_grant', error_codes: [54005] } })
  t.match(await redeem(tenant, 'nothing', client), { status: 400, body: { error: 'invalid_grant', error_codes: [70000] } })
  const fresh = await code()
  t.match(await redeem(tenant, fresh, { clientId: other.clientId, redirectUri }), { status: 400, body: { error: 'invalid_grant', error_codes: [70000] } })
  t.match(await redeem(tenant, fresh, { clientId, redirectUri: 'https://client.example/other' }), { status: 400, body: { error_codes: [500112] } })
  t.equal((await redeem(tenant, fresh, client)).status, 200, 'a refused attempt does not spend the code')
  const old = await code()
  tenant.pass(10 * 60_000)
  t.match(await redeem(tenant, old, client), { status: 400, body: { error: 'invalid_grant', error_codes: [70008] } })
})

t.test('the verifier must be the one of the challenge, S256 or plain', async t => {
  const tenant = await simulateTenant(t)
  const { clientId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const request = { client_id: clientId, redirect_uri: redirectUri, scope }
  const client = { clientId, redirectUri }
  const code = await codeOf(tenant, request)
  for (const wrong of [`${verifier}x`, '']) {
    t.match(await redeem(tenant, code, client, { form: { code_verifier: wrong } }), { status: 400, body: { error: 'invalid_grant', error_codes: [501481] } })
  }
  t.equal((await redeem(tenant, code, client)).status, 200)
  const plain = { ...request, code_challenge: verifier, code_challenge_method: undefined }
  t.equal((await redeem(tenant, await codeOf(tenant, plain), client)).status, 200)
  t.match(await redeem(tenant, await codeOf(tenant, plain), client, { form: { code_verifier: `${verifier}x` } }), { body: { error_codes: [501481] } })
  const without = { ...request, code_challenge: undefined, code_challenge_method: undefined }
  t.equal((await redeem(tenant, await codeOf(tenant, without), client)).status, 200, 'Entra demands PKCE of single-page clients only')
})

t.test('a redemption names a resource that matches and no scope that was not agreed to', async t => {
  const tenant = await simulateTenant(t)
  const { clientId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const code = await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope })
  const client = { clientId, redirectUri }
  t.match(await redeem(tenant, code, client, { form: { resource: 'https://elsewhere.example/' } }), { status: 400, body: { error_codes: [9010010] } })
  t.match(await redeem(tenant, code, client, { form: { scope: 'User.Read' } }), { status: 400, body: { error: 'invalid_grant', error_codes: [70000] } })
  const less = await redeem(tenant, code, client, { form: { resource: 'api://gateway-v2', scope: 'api://gateway-v2/user_impersonation' } })
  t.equal(less.status, 200)
  t.notOk('id_token' in less.body || 'refresh_token' in less.body)
})

t.test('a client that was disabled or deleted after the sign-in gets nothing for its code', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, principalId, objectId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const code = await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope })
  await tenant.graph('PATCH', `/servicePrincipals/${principalId}`, { body: { accountEnabled: false } })
  t.match(await redeem(tenant, code, { clientId, redirectUri }), { status: 400, body: { error: 'unauthorized_client', error_codes: [7000112] } })
  await tenant.graph('DELETE', `/applications/${objectId}`)
  t.match(await redeem(tenant, code, { clientId, redirectUri }), { status: 400, body: { error: 'unauthorized_client', error_codes: [700016] } })
})

t.test('neither code nor verifier nor token stands in the journal', async t => {
  const tenant = await simulateTenant(t)
  const { clientId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const code = await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope })
  await redeem(tenant, code, { clientId, redirectUri })
  const journal = JSON.stringify(tenant.simulator.control.journal.entries({ path: 'oauth2' }))
  t.match(journal, /authorization_code/)
  t.notOk(journal.includes(code) || journal.includes(verifier))
})
