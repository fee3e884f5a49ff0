// A refresh token brings new tokens to the client it was made for, by the rules of its platform.
import t from 'tap'
import { decodeJwt } from 'jose'
import { registeredClient, simulateTenant } from './simulated-tenant.ts'
import type { SimulatedTenant } from './simulated-tenant.ts'
import { codeOf, publicApplication, redeem } from './sign-in.ts'

const redirectUri = 'https://client.example/callback'
const scope = 'openid offline_access api://gateway-v2/user_impersonation'
const browser = { origin: 'https://client.example' }
const dayMs = 24 * 3_600_000

async function signIn (tenant: SimulatedTenant, clientId: string, headers: Record<string, string> = {}, form: Record<string, string> = {}): Promise<string> {
  const code = await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope })
  const { body } = await redeem(tenant, code, { clientId, redirectUri }, { headers, form })
  return String(body['refresh_token'])
}

const refresh = (tenant: SimulatedTenant, clientId: string, token: string, form: Record<string, string> = {}, headers: Record<string, string> = {}) =>
  tenant.token('v2', { grant_type: 'refresh_token', client_id: clientId, refresh_token: token, ...form }, headers)

t.test('a public client refreshes without a secret and gets another refresh token each time', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, principalId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const other = await publicApplication(tenant, 'dcr-2', { publicClient: { redirectUris: [redirectUri] } })
  const first = await signIn(tenant, clientId)
  const refreshed = await refresh(tenant, clientId, first)
  t.match(refreshed, { status: 200, body: { access_token: String, refresh_token: String, id_token: String } })
  t.match(decodeJwt(String(refreshed.body['access_token'])), { scp: 'user_impersonation', azp: clientId })
  const second = String(refreshed.body['refresh_token'])
  t.not(second, first)
  t.equal((await refresh(tenant, clientId, second)).status, 200)
  t.match(await refresh(tenant, other.clientId, second), { status: 400, body: { error: 'invalid_grant', error_codes: [70000] } })
  t.match(await refresh(tenant, clientId, 'nothing'), { status: 400, body: { error: 'invalid_grant', error_codes: [70000] } })
  t.match(await refresh(tenant, clientId, second, { resource: 'https://elsewhere.example' }), { status: 400, body: { error_codes: [9010010] } })
  await tenant.graph('PATCH', `/servicePrincipals/${principalId}`, { body: { accountEnabled: false } })
  t.match(await refresh(tenant, clientId, second), { status: 400, body: { error: 'unauthorized_client', error_codes: [7000112] } })
})

t.test('a web client needs its secret to refresh', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, clientSecret } = await registeredClient(tenant, 'dcr-1', { web: { redirectUris: [redirectUri] } })
  const token = await signIn(tenant, clientId, {}, { client_secret: clientSecret })
  t.match(await refresh(tenant, clientId, token), { status: 401, body: { error: 'invalid_client', error_codes: [7000218] } })
  t.equal((await refresh(tenant, clientId, token, { client_secret: clientSecret })).status, 200)
})

t.test('a refresh token lives 90 days, the one of a single-page client 24 hours in all and in a browser only', async t => {
  const tenant = await simulateTenant(t)
  const native = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const spa = await publicApplication(tenant, 'dcr-2', { spa: { redirectUris: [redirectUri] } })
  const [lasting, brief] = [await signIn(tenant, native.clientId), await signIn(tenant, spa.clientId, browser)]
  t.match(await refresh(tenant, spa.clientId, brief), { status: 400, body: { error_codes: [9002327] } })
  tenant.pass(dayMs - 60_000)
  const again = await refresh(tenant, spa.clientId, brief, {}, browser)
  t.equal(again.status, 200)
  tenant.pass(60_000)
  t.match(await refresh(tenant, spa.clientId, String(again.body['refresh_token']), {}, browser), { status: 400, body: { error_codes: [700084] } })
  t.equal((await refresh(tenant, native.clientId, lasting)).status, 200)
  tenant.pass(89 * dayMs)
  t.match(await refresh(tenant, native.clientId, lasting), { status: 400, body: { error: 'invalid_grant', error_codes: [70008] } })
})

t.test('codes, refresh tokens and an issuer\'s keys survive a restart', async t => {
  const tenant = await simulateTenant(t)
  const { clientId } = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [redirectUri] } })
  const token = await signIn(tenant, clientId)
  const code = await codeOf(tenant, { client_id: clientId, redirect_uri: redirectUri, scope })
  tenant.simulator.control.federationKeys('https://issuer.example', [{ kty: 'RSA' }])
  const state = JSON.parse(JSON.stringify(tenant.simulator.snapshot()))
  const restarted = await simulateTenant(t, { state })
  t.equal((await refresh(restarted, clientId, token)).status, 200)
  t.equal((await redeem(restarted, code, { clientId, redirectUri })).status, 200)
  t.same(restarted.simulator.snapshot().federationKeys, { 'https://issuer.example': [{ kty: 'RSA' }] })
  delete state.tenants[0].signIns
  delete state.tenants[0].permissionGrants
  delete state.federationKeys
  const older = await simulateTenant(t, { state })
  t.match(await refresh(older, clientId, token), { status: 400, body: { error_codes: [70000] } }, 'a state of before there were sign-ins is read')
})
