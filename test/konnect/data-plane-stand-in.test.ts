// What the tests' data plane does with the configuration of a strategy, as Kong's documentation says: it must not be kinder than Kong is.
import t from 'tap'
import type { Test } from 'tap'
import { createDataPlane, type DataPlaneOptions } from '../support/konnect-data-plane.ts'
import { discoveryAddress } from '../support/kong-oidc-issuer.ts'
import { startScriptedIssuer } from './scripted-issuer.ts'

const CLIENT = 'a client'

const basic = (clientId: string, secret: string) => ({ headers: { authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}` } })
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })

async function stage (t: Test, changes: Record<string, unknown> = {}, options: Partial<DataPlaneOptions> = {}) {
  const issuer = await startScriptedIssuer(t)
  issuer.clients.set(CLIENT, 'secret')
  const config = { issuer: issuer.url, credential_claim: ['client'], scopes: [], auth_methods: ['client_credentials', 'bearer'], ...changes }
  return { issuer, plane: createDataPlane({ config, applications: new Set([CLIENT]), ...options }) }
}

t.test('the discovery document is looked for below the issuer, with a last slash or without one, unless the issuer is its address', async t => {
  const address = 'https://login.example/tenant/v2.0/.well-known/openid-configuration'
  for (const issuer of ['https://login.example/tenant/v2.0', 'https://login.example/tenant/v2.0/', address]) t.equal(discoveryAddress(issuer).href, address)
})

t.test('the first colon ends the client id, so a secret may have colons, percent signs and plus signs, and a client id no colon', async t => {
  const { issuer, plane } = await stage(t)
  for (const secret of ['a:b::c', '100%25+1 &=?#', 'päß~._-']) {
    issuer.clients.set(CLIENT, secret)
    t.match(await plane.handle(basic(CLIENT, secret)), { status: 200, clientId: CLIENT })
  }
  issuer.clients.set('a:client', 'secret')
  t.match(await plane.handle(basic('a:client', 'secret')), { status: 401, reason: 'wrong secret' })
})

t.test('credentials are found in the header, the query and the form, unless the strategy says where', async t => {
  const { issuer, plane } = await stage(t)
  const parameters = { client_id: CLIENT, client_secret: 'secret' }
  for (const request of [basic(CLIENT, 'secret'), { query: parameters }, { body: parameters }]) t.match(await plane.handle(request), { status: 200 })
  const token = await issuer.sign({ client: CLIENT })
  const bearers = [bearer(token), { headers: { 'access-token': token } }, { query: { access_token: token } }, { body: { access_token: token } }]
  for (const request of bearers) t.match(await plane.handle(request), { status: 200, upstreamAuthorization: `Bearer ${token}` })

  const { plane: narrow } = await stage(t, { client_credentials_param_type: ['header'], bearer_token_param_type: ['header'] })
  t.match(await narrow.handle(basic(CLIENT, 'secret')), { status: 200 })
  for (const request of [{ query: parameters }, { body: parameters }, { query: { access_token: token } }]) {
    t.match(await narrow.handle(request), { status: 401, reason: 'no credentials' })
  }
})

t.test('auth_methods decide what is looked at, and password takes Basic credentials before client_credentials does', async t => {
  const { issuer, plane: onlyBearer } = await stage(t, { auth_methods: ['bearer'] })
  t.match(await onlyBearer.handle(basic(CLIENT, 'secret')), { status: 401, reason: 'no credentials' })
  t.match(await onlyBearer.handle(bearer(await issuer.sign({ client: CLIENT }))), { status: 200 })
  const { issuer: other, plane: onlyBasic } = await stage(t, { auth_methods: ['client_credentials'] })
  t.match(await onlyBasic.handle(bearer(await other.sign({ client: CLIENT }))), { status: 401, reason: 'no credentials' })
  const { plane: withPassword } = await stage(t, { auth_methods: ['client_credentials', 'password'] })
  t.match(await withPassword.handle(basic(CLIENT, 'secret')), { status: 401, reason: /^password/ })
})

t.test('the token request has the scopes, openid where the strategy has none of its own, and the extra arguments', async t => {
  const { issuer, plane } = await stage(t, { scopes: ['a/.default'], token_post_args_names: ['resource', 'other'], token_post_args_values: ['api://a', 'b'] })
  await plane.handle(basic(CLIENT, 'secret'))
  t.strictSame(issuer.tokenRequests.map(String), ['grant_type=client_credentials&scope=a%2F.default&resource=api%3A%2F%2Fa&other=b'])
  const { issuer: second, plane: silent } = await stage(t, { scopes: undefined, audience: ['api://a'], client_auth: ['client_secret_post'] })
  await silent.handle(basic(CLIENT, 'secret'))
  t.strictSame(second.tokenRequests.map(String), ['grant_type=client_credentials&scope=openid&client_id=a+client&client_secret=secret'])
})

t.test('the token of a client is asked for again when it ends, sooner with cache_ttl_max, and every time with cache_tokens off', async t => {
  const cases: Array<[changes: Record<string, unknown>, seconds: number, requests: number]> = [
    [{}, 3599, 1], [{}, 3601, 2], [{ cache_ttl_max: 60 }, 59, 1], [{ cache_ttl_max: 60 }, 61, 2], [{ cache_tokens: false }, 0, 2]
  ]
  for (const [changes, seconds, requests] of cases) {
    let nowMs = Date.now()
    const { issuer, plane } = await stage(t, { verify_claims: false, ...changes }, { nowMs: () => nowMs })
    await plane.handle(basic(CLIENT, 'secret'))
    nowMs += seconds * 1000
    t.match(await plane.handle(basic(CLIENT, 'secret')), { status: 200 })
    t.equal(issuer.tokenRequests.length, requests, JSON.stringify({ changes, seconds }))
    t.match(await plane.handle(basic(CLIENT, 'wrong')), { status: 401 }, 'another secret is another entry')
  }
})

t.test('a key that is not known makes it look at the keys again, but not twice within rediscovery_lifetime', async t => {
  let nowMs = Date.now()
  const { issuer, plane } = await stage(t, {}, { nowMs: () => nowMs })
  t.match(await plane.handle(bearer(await issuer.sign({ client: CLIENT }))), { status: 200 })
  await issuer.roll()
  const token = await issuer.sign({ client: CLIENT })
  nowMs += 29_000
  t.match(await plane.handle(bearer(token)), { status: 401, reason: 'signature: ERR_JWKS_NO_MATCHING_KEY' })
  t.equal(issuer.looks(), 1)
  nowMs += 1_000
  t.match(await plane.handle(bearer(token)), { status: 200 })
  t.equal(issuer.looks(), 2)
})

t.test('signature, issuer and times are verified without leeway, unless the strategy says otherwise', async t => {
  const nowMs = Date.now()
  const { issuer, plane } = await stage(t, {}, { nowMs: () => nowMs })
  const seconds = Math.floor(nowMs / 1000)
  const refused = async (claims: Record<string, unknown>) => await plane.handle(bearer(await issuer.sign({ client: CLIENT, ...claims })))
  t.match(await refused({ iss: `${issuer.url}/` }), { status: 401, reason: /^invalid issuer/ })
  t.match(await refused({ exp: seconds - 1 }), { status: 401, reason: 'the token has ended' })
  t.match(await refused({ nbf: seconds + 5 }), { status: 401, reason: 'the token is not valid yet' })
  const [head, , signature] = (await issuer.sign({ client: CLIENT })).split('.')
  const forged = Buffer.from(JSON.stringify({ iss: issuer.url, client: CLIENT, exp: seconds + 60 })).toString('base64url')
  t.match(await plane.handle(bearer(`${head}.${forged}.${signature}`)), { status: 401, reason: 'signature: ERR_JWS_SIGNATURE_VERIFICATION_FAILED' })
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${forged}.`
  t.match(await plane.handle(bearer(unsigned)), { status: 401, reason: /^signature/ })
  t.match(await plane.handle(bearer('opaque')), { status: 401, reason: /^signature/ })

  const { issuer: lax, plane: laxPlane } = await stage(t, { leeway: 10, issuers_allowed: ['https://elsewhere.example'] }, { nowMs: () => nowMs })
  t.match(await laxPlane.handle(bearer(await lax.sign({ client: CLIENT, iss: 'https://elsewhere.example', exp: seconds - 1, nbf: seconds + 5 }))), { status: 200 })
  t.match(await laxPlane.handle(bearer(await lax.sign({ client: CLIENT }))), { status: 401, reason: /^invalid issuer/ })
})

t.test('of the required audiences one is enough, of an entry of several words all are needed', async t => {
  const { issuer, plane } = await stage(t, { audience_required: ['api://a', 'api://b api://c'] })
  const statusOf = async (aud: string | string[] | undefined) => (await plane.handle(bearer(await issuer.sign({ client: CLIENT, aud })))).status
  for (const aud of ['api://a', ['api://x', 'api://a'], ['api://c', 'api://b']]) t.equal(await statusOf(aud), 200, String(aud))
  for (const aud of ['api://A', 'api://a/', ['api://b'], undefined]) t.equal(await statusOf(aud), 403, String(aud))
})

t.test('several names in credential_claim are a path, and the client id has to be that of an application, letter for letter', async t => {
  const { issuer, plane } = await stage(t, { credential_claim: ['act', 'client'] })
  const ask = async (claims: Record<string, unknown>) => await plane.handle(bearer(await issuer.sign(claims)))
  t.match(await ask({ act: { client: CLIENT } }), { status: 200, clientId: CLIENT })
  t.match(await ask({ act: CLIENT, client: CLIENT }), { status: 401, reason: 'no credential: the token has no act.client' })
  t.match(await ask({ act: { client: 'A Client' } }), { status: 401, reason: 'no application has the client id A Client' })
})
