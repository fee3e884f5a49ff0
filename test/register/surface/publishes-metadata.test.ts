// Metadata (RFC 8414, OpenID Connect Discovery): one issuer per provider, the same string everywhere, Entra's endpoints, our registration endpoint.
import t from 'tap'
import { isFailure, openSurface } from './surface.ts'

const oauth = '/.well-known/oauth-authorization-server'
const openid = '/.well-known/openid-configuration'

t.test('the default issuer and every other one are found at all three addresses', async t => {
  const { send } = await openSurface(t)
  const cases = [
    ['https://dcr.example.com', [oauth, openid, `${oauth}/`]],
    ['https://dcr.example.com/t/sales', [`${oauth}/t/sales`, `${openid}/t/sales`, `/t/sales${openid}`, `${oauth}/t/sales/`]]
  ] as const
  for (const [issuer, urls] of cases) {
    for (const url of urls) {
      const answer = await send('GET', url, { token: null })
      t.equal(answer.statusCode, 200, url)
      t.match(answer.headers, { 'content-type': /^application\/json/, 'cache-control': 'public, max-age=60' }, url)
      t.match(answer.json(), { issuer, registration_endpoint: `${issuer}/register`, token_endpoint: 'https://login.example.com/tenant/token' }, url)
    }
  }
})

t.test('where PUBLIC_URL has a path, the well-known part stands before it', async t => {
  for (const publicUrl of ['https://example.com/dcr', 'https://example.com/dcr/']) {
    const { send } = await openSurface(t, { publicUrl })
    for (const form of [oauth, openid]) {
      for (const [url, issuer] of [
        [`${form}/dcr`, 'https://example.com/dcr'],
        [form, 'https://example.com/dcr'],
        [`${form}/dcr/t/sales`, 'https://example.com/dcr/t/sales'],
        [`${form}/t/sales`, 'https://example.com/dcr/t/sales']
      ] as const) t.equal((await send('GET', url)).json().issuer, issuer, url)
    }
    t.equal((await send('GET', `/t/sales${openid}`)).json().issuer, 'https://example.com/dcr/t/sales')
    isFailure(t, await send('GET', `${oauth}/dcrt/sales`), 404, 'not_found', 'no boundary')
  }
})

t.test('a path that is no issuer\'s is 404, the default one\'s second name among them', async t => {
  const { send } = await openSurface(t)
  const paths = ['/t/unknown', '/t/default', '/t', '/other', '/t/sales/more', '/T/sales', '/t/sales%2Fmore', '/t/%00']
  for (const path of paths) {
    for (const form of [oauth, openid]) isFailure(t, await send('GET', form + path), 404, 'not_found', form + path)
  }
  for (const name of ['unknown', 'default']) isFailure(t, await send('GET', `/t/${name}${openid}`), 404, 'not_found', name)
})

t.test('the document says what MCP clients look for, and nothing that Entra does not keep', async t => {
  const { send } = await openSurface(t)
  const plain = (await send('GET', oauth)).json()
  t.strictSame(plain, {
    issuer: 'https://dcr.example.com',
    authorization_endpoint: 'https://login.example.com/tenant/authorize',
    token_endpoint: 'https://login.example.com/tenant/token',
    jwks_uri: 'https://login.example.com/tenant/keys',
    registration_endpoint: 'https://dcr.example.com/register',
    device_authorization_endpoint: 'https://login.example.com/tenant/devicecode',
    scopes_supported: ['openid', 'offline_access'],
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'none'],
    token_endpoint_auth_signing_alg_values_supported: ['RS256', 'PS256'],
    code_challenge_methods_supported: ['S256']
  })
  const full = (await send('GET', openid)).json()
  t.match(full, plain)
  t.strictSame(Object.keys(full).filter(member => !(member in plain)).sort(), [
    'claims_supported', 'end_session_endpoint', 'id_token_signing_alg_values_supported', 'subject_types_supported', 'userinfo_endpoint'
  ])
  t.match(full, {
    userinfo_endpoint: 'https://graph.example.com/oidc/userinfo',
    end_session_endpoint: 'https://login.example.com/tenant/logout',
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256']
  })
  t.ok(full.claims_supported.includes('preferred_username'))
})

t.test('where nobody can register there is no registration endpoint, and without scopes no list of them', async t => {
  const { send } = await openSurface(t, { mode: 'disabled', scopes: [] })
  for (const url of [oauth, openid, `${oauth}/t/sales`]) {
    const document = (await send('GET', url)).json()
    t.match(document, { token_endpoint: /^https/ })
    t.notOk('registration_endpoint' in document || 'scopes_supported' in document, url)
  }
})
