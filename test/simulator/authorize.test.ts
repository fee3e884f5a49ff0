// The authorization endpoint: a code for a redirect URI that is the client's, Entra's numbers for everything else.
import t from 'tap'
import { simulateTenant } from './simulated-tenant.ts'
import { authorize, publicApplication } from './sign-in.ts'

const https = 'https://client.example/Callback'
const scope = 'api://gateway-v2/user_impersonation'

t.test('the user comes back to the redirect URI with a code and the state, in the query or in the fragment', async t => {
  const tenant = await simulateTenant(t)
  const client = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [https, 'https://query.example/cb?a=b'] } })
  const request = { client_id: client.clientId, redirect_uri: https, scope }
  for (const mode of [undefined, 'query', 'fragment']) {
    t.match(await authorize(tenant, { ...request, response_mode: mode }), { status: 302, address: https, outcome: { code: String, state: 'st&te' } }, String(mode))
  }
  const withQuery = await authorize(tenant, { ...request, redirect_uri: 'https://query.example/cb?a=b' })
  t.match(withQuery, { status: 302, address: 'https://query.example/cb?a=b', outcome: { code: String, state: 'st&te' } })
  t.match(await authorize(tenant, { ...request, response_mode: 'form_post' }), { status: 400, body: { error: 'invalid_request' } })
})

t.test('the port of a loopback URI does not matter on any platform, everything else about a redirect URI does', async t => {
  const tenant = await simulateTenant(t)
  const client = await publicApplication(tenant, 'dcr-1', {
    publicClient: { redirectUris: ['http://localhost/callback', 'myapp://auth', 'urn:ietf:wg:oauth:2.0:oob'] },
    web: { redirectUris: ['http://127.0.0.1:3000/', https] },
    spa: { redirectUris: ['http://localhost:5173/spa', 'https://bare.example'] }
  })
  const ask = (redirectUri: string) => authorize(tenant, { client_id: client.clientId, redirect_uri: redirectUri, scope })
  const taken = ['http://localhost/callback', 'http://localhost:61234/callback', 'http://127.0.0.1:9/', 'http://127.0.0.1', 'http://localhost/spa', https,
    'HTTPS://CLIENT.example/Callback', 'https://bare.example/', 'https://bare.example', 'myapp://auth', 'myapp://auth/', 'urn:ietf:wg:oauth:2.0:oob']
  for (const redirectUri of taken) t.equal((await ask(redirectUri)).status, 302, redirectUri)
  const refused = ['https://client.example/callback', 'https://client.example/Callback/', 'https://client.example:8443/Callback', 'https://client.example/Callback?a=b',
    'https://client.example/x/../Callback', 'http://localhost:61234/other', 'https://localhost/callback', 'http://127.0.0.1/callback', 'http://[::1]/callback', 'myapp://other', 'x']
  for (const redirectUri of refused) {
    t.match(await ask(redirectUri), { status: 400, address: null, body: { error: 'invalid_request', error_codes: [50011] } }, redirectUri)
  }
})

t.test('what is wrong with the client is shown to the user and never sent to a redirect URI', async t => {
  const tenant = await simulateTenant(t)
  const client = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [https] } })
  const request = { client_id: client.clientId, redirect_uri: https, scope }
  t.match(await authorize(tenant, { ...request, client_id: 'nobody' }), { status: 400, address: null, body: { error: 'unauthorized_client', error_codes: [700016] } })
  t.match(await authorize(tenant, { ...request, client_id: undefined }), { status: 400, address: null, body: { error_codes: [900144] } })
  t.match(await authorize(tenant, { ...request, redirect_uri: undefined }), { status: 400, address: null, body: { error_codes: [900971] } })
  await tenant.graph('PATCH', `/servicePrincipals/${client.principalId}`, { body: { accountEnabled: false } })
  t.match(await authorize(tenant, request), { status: 400, address: null, body: { error: 'unauthorized_client', error_codes: [7000112] } })
  await tenant.graph('PATCH', `/servicePrincipals(appId='${client.clientId}')`, { body: { accountEnabled: true }, headers: { prefer: 'create-if-missing' } })
  t.equal((await authorize(tenant, request)).status, 302)
})

t.test('what is wrong with the request is told to the client, with the state', async t => {
  const tenant = await simulateTenant(t)
  const { control } = tenant.simulator
  control.addResource({ displayName: 'Orders', identifierUris: ['api://orders'], scopes: ['read', { value: 'admin', adminOnly: true }] })
  const client = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [https] }, spa: { redirectUris: ['https://spa.example/'] } })
  const request = { client_id: client.clientId, redirect_uri: https, scope }
  const cases: Array<[number, string, Record<string, string | undefined>]> = [
    [900144, 'invalid_request', { response_type: undefined }],
    [70005, 'unsupported_response_type', { response_type: 'token' }],
    [900144, 'invalid_request', { scope: undefined }],
    [500011, 'invalid_resource', { scope: 'api://nothing/read' }],
    [650053, 'invalid_client', { scope: 'api://orders/write' }],
    [650053, 'invalid_client', { scope: 'mcp:tools' }],
    [650057, 'invalid_resource', { scope: 'api://orders/.default' }],
    [70011, 'invalid_scope', { scope: 'api://orders/.default api://orders/read' }],
    [28000, 'invalid_request', { scope: 'api://orders/read api://gateway-v2/user_impersonation' }],
    [65001, 'consent_required', { scope: 'api://orders/admin' }],
    [501491, 'invalid_request', { code_challenge: 'short' }],
    [9002313, 'invalid_request', { code_challenge_method: 'S512' }],
    [9002325, 'invalid_request', { redirect_uri: 'https://spa.example/', code_challenge: undefined }]
  ]
  for (const [number, error, change] of cases) {
    t.match(await authorize(tenant, { ...request, ...change }), {
      status: 302,
      address: change['redirect_uri'] ?? https,
      outcome: { error, error_description: new RegExp(`^AADSTS${number}: `), state: 'st&te' }
    }, `AADSTS${number} ${JSON.stringify(change)}`)
  }
})

t.test('a resource is taken when it is an identifier of the resource that the scope names, and is AADSTS9010010 otherwise', async t => {
  const tenant = await simulateTenant(t)
  const url = 'https://mcp.contoso.example/mcp'
  tenant.simulator.control.addResource({ displayName: 'MCP', identifierUris: ['api://mcp', url, 'https://root.example'], scopes: ['tools'] })
  const client = await publicApplication(tenant, 'dcr-1', { publicClient: { redirectUris: [https] } })
  const ask = (scope: string, resource: string | string[]) => authorize(tenant, { client_id: client.clientId, redirect_uri: https, scope, resource })
  for (const [scope, resource] of [[`${url}/tools`, url], ['api://mcp/tools offline_access', url], [`${url}/tools`, 'https://root.example']] as const) {
    t.match((await ask(scope, resource)).outcome, { code: String }, `${scope} ${resource}`)
  }
  const refused: Array<[string, string | string[]]> = [
    [`${url}/tools`, `${url}/`],
    [`${url}/tools`, 'https://root.example/'],
    [`${url}/tools`, 'https://elsewhere.example/mcp'],
    ['openid', url],
    ['User.Read', url],
    ['api://gateway-v2/user_impersonation', url],
    [`${url}/tools`, [url, 'api://gateway-v2']]
  ]
  for (const [scope, resource] of refused) {
    t.match((await ask(scope, resource)).outcome, { error: 'invalid_target', error_description: /^AADSTS9010010: / }, `${scope} ${String(resource)}`)
  }
})

t.test('a redirect URI of a client that has not replicated is unknown, and a changed one may still look as it was', async t => {
  const tenant = await simulateTenant(t, { lag: { readDelayMs: 5_000 } })
  const client = await tenant.upsert('dcr-1', { displayName: 'A client', publicClient: { redirectUris: [https] } })
  const clientId = String(client.body['appId'])
  await tenant.graph('PATCH', `/servicePrincipals(appId='${clientId}')`, { body: {}, headers: { prefer: 'create-if-missing' } })
  const ask = (redirectUri: string) => authorize(tenant, { client_id: clientId, redirect_uri: redirectUri, scope })
  t.match(await ask(https), { status: 400, body: { error_codes: [700016] } })
  tenant.pass(5_000)
  t.equal((await ask(https)).status, 302)
  tenant.simulator.control.lag({ staleReadMs: 10_000 })
  tenant.pass(10_000)
  await tenant.upsert('dcr-1', { publicClient: { redirectUris: ['https://new.example/'] } })
  tenant.pass(1_000)
  t.equal((await ask('https://new.example/')).status, 302)
  t.equal((await ask('https://new.example/')).status, 400)
})
