// POST /introspect (RFC 7662): what is said of a token, to whom, and to whom nothing is.
import { decodeJwt } from 'jose'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'
import t from 'tap'
import { konnectApplication, KONNECT_KEY, OPERATOR_KEY, request } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { appIdOf, basic, bearer, GATEWAY_KEY, linkStrategies, startTestGateway, V1_API, V1_STRATEGY, V2_API, V2_STRATEGY, type TestGateway } from '../support/gateway.ts'
import { searchLeaks } from '../support/leak-search.ts'

const FORM = 'application/x-www-form-urlencoded'
const REALM = 'realm="dcr-broker"'
const INACTIVE = '{"active":false}'

/** A gateway's POST as it is written, and the answer as it is read. */
async function post ({ gatewayUrl }: TestGateway, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${gatewayUrl}/introspect`, { method: 'POST', body, headers: { 'content-type': FORM, ...bearer(GATEWAY_KEY), ...headers } })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

async function registrationOf ({ operations }: TestGateway, clientId: string): Promise<string> {
  return (await operations('GET', `/registrations?filter[client_id]=${clientId}`)).body.data[0].id as string
}

t.test('of an active token is said what Entra says in it and what the broker knows of its client, for v1 and for v2', async t => {
  const gateway = await startTestGateway(t)
  const { simulator: { control, tenantId } } = gateway
  const strategies = await linkStrategies(gateway)
  const cases = [
    { strategy: { id: strategies.v1, name: 'v1', konnect_auth_strategy_id: V1_STRATEGY }, api: V1_API, get: gateway.tokenV1, iss: `https://sts.windows.net/${tenantId}/`, aud: V1_API },
    {
      strategy: { id: strategies.v2, name: 'v2', konnect_auth_strategy_id: V2_STRATEGY },
      api: V2_API,
      get: gateway.tokenV2,
      iss: `https://login.microsoftonline.com/${tenantId}/v2.0`,
      aud: appIdOf(control, V2_API)
    }
  ]
  for (const { strategy, api, get, iss, aud } of cases) {
    const client = await gateway.registerClient(strategy.konnect_auth_strategy_id)
    control.assignRole(client.clientId, api, 'Orders.Read')
    const id = await registrationOf(gateway, client.clientId)
    t.equal((await gateway.operations('PATCH', `/registrations/${id}`, { labels: { team: 'orders' } })).status, 200)
    const event = { ...konnectApplication(), event_type: 'add_registration', client_id: client.clientId, application_id: 'app-1', application_name: 'Orders app', api_product_version_id: 'orders-v1' }
    t.equal((await gateway.konnect('POST', `/${client.clientId}/event-hook`, event)).status, 200)
    const token = await get(client)
    const { oid, sub, uti, exp, iat, nbf } = decodeJwt(token)
    const { status, headers, body } = await gateway.introspect(token)
    t.equal(status, 200)
    t.match(Object.fromEntries(headers), { 'content-type': /^application\/json/, 'cache-control': 'no-store' })
    t.strictSame(body, {
      active: true,
      token_type: 'Bearer',
      client_id: client.clientId,
      client_name: 'Orders app',
      roles: ['Orders.Read'],
      iss,
      aud,
      sub,
      oid,
      tid: tenantId,
      jti: uti,
      exp,
      iat,
      nbf,
      registration_id: id,
      provider: 'default',
      strategy,
      application_id: 'app-1',
      developer_id: konnectApplication()['developer_id'],
      labels: { team: 'orders' },
      products: ['orders-v1']
    })
  }
})

t.test('of whatever is not an active token is said that, and nothing else', async t => {
  const gateway = await startTestGateway(t)
  const { simulator: { control }, operations } = gateway
  const { v1 } = await linkStrategies(gateway)
  const inactive = async (what: string, token: string) => {
    const { status, text } = await post(gateway, new URLSearchParams({ token }).toString())
    t.strictSame([status, text], [200, INACTIVE], what)
  }
  const [client, other] = [await gateway.registerClient(V1_STRATEGY), await gateway.registerClient(V2_STRATEGY)]
  const token = await gateway.tokenV1(client)
  t.equal((await gateway.introspect(token)).body.active, true)

  const [header, payload, signature] = token.split('.')
  const shown: Array<[what: string, token: string]> = [
    ['no token', 'x'], ['dots', '..'], ['the key of the gateway', GATEWAY_KEY], ['a secret', client.clientSecret], ['the client\'s id', client.clientId],
    ['another signature', `${header}.${payload}.${[...signature ?? ''].reverse().join('')}`],
    ['a token with something behind it', `${token} x`], ['Bearer before it', `Bearer ${token}`],
    ['a token of the other version than the client\'s strategy has', await gateway.tokenV2(client)],
    ['the same, the other way round', await gateway.tokenV1(other)],
    ['a token of a client that nobody has registered', await gateway.tokenV1(control.addClient('foreign'))],
    ['a token of a client whose strategy names no audience', await gateway.tokenV1(await gateway.registerClient())],
    ['a token for the broker\'s own rights', await gateway.tokenV1(gateway.simulator.broker, 'https://graph.microsoft.com')]
  ]
  for (const [what, each] of shown) await inactive(what, each)

  const id = await registrationOf(gateway, client.clientId)
  await operations('POST', `/registrations/${id}/disable`)
  await eventually('a disabled client\'s token is not active', async () => (await gateway.introspect(token)).body.active === false, 1_500)
  await inactive('a token of a disabled client', token)
  await operations('POST', `/registrations/${id}/enable`)
  t.equal((await gateway.introspect(token)).body.active, true)
  await operations('PATCH', `/application-auth-strategies/${v1}`, { configs: { 'openid-connect': { auth_methods: ['client_credentials'] } } })
  await inactive('a token where the strategy takes none', token)
  await operations('PATCH', `/application-auth-strategies/${v1}`, { configs: { 'openid-connect': { auth_methods: ['bearer'] } } })
  t.equal((await gateway.introspect(token)).body.active, true)
  t.equal((await gateway.konnect('DELETE', `/${client.clientId}`)).status, 204)
  await eventually('a deleted client\'s token is not active', async () => (await gateway.introspect(token)).body.active === false, 1_500)
  await inactive('a token of a deleted client', token)
})

t.test('a request that is no form with one token is refused, and no more said', async t => {
  const gateway = await startTestGateway(t)
  const cases: Array<[what: string, body: string, headers: Record<string, string>, status: number]> = [
    ['nothing', '', {}, 400], ['no token', 'token_type_hint=access_token', {}, 400], ['an empty one', 'token=&x=1', {}, 400],
    ['the token twice', 'token=a&token=a', {}, 400], ['the hint twice', 'token=a&token_type_hint=a&token_type_hint=b', {}, 400],
    ['JSON', '{"token":"x"}', { 'content-type': 'application/json' }, 415], ['text', 'token=x', { 'content-type': 'text/plain' }, 415]
  ]
  for (const [what, body, headers, status] of cases) {
    const answer = await post(gateway, body, headers)
    t.strictSame([answer.status, JSON.parse(answer.text).error], [status, 'invalid_request'], what)
  }
  for (const hint of ['access_token', 'refresh_token', 'pat']) t.equal((await post(gateway, `token=x&token_type_hint=${hint}`)).text, INACTIVE, 'a hint is none')
  t.equal((await post(gateway, 'token=x', { 'content-type': `${FORM}; charset=UTF-8` })).text, INACTIVE)
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const answer = await fetch(`${gateway.gatewayUrl}/introspect?token=x`, { method, headers: bearer(GATEWAY_KEY) })
    t.strictSame([answer.status, answer.headers.get('allow')], [405, 'POST'], method)
  }
})

t.test('a gateway shows its key as a bearer token or as the password of Basic; everybody else is asked for one', async t => {
  const gateway = await startTestGateway(t)
  await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  const token = await gateway.tokenV1(client)
  const asked = async (headers: Record<string, string>) => await request(`${gateway.gatewayUrl}/introspect`, 'POST', new URLSearchParams({ token }).toString(), { 'content-type': FORM, ...headers })
  const withUser = (user: string, key = GATEWAY_KEY) => basic({ clientId: user, clientSecret: key })

  for (const headers of [bearer(GATEWAY_KEY), { authorization: `bearer ${GATEWAY_KEY}` }, withUser('gateway'), withUser(''), withUser('any%20body', encodeURIComponent(GATEWAY_KEY).replaceAll('_', '%5F'))]) {
    t.match(await asked(headers), { status: 200, body: { active: true } }, JSON.stringify(headers))
  }
  const nobody = await asked({})
  t.strictSame([nobody.status, nobody.body.error, nobody.headers.get('www-authenticate')], [401, 'invalid_client', `Bearer ${REALM}, Basic ${REALM}`])
  const minted = async (kind: string, scopes?: string[]) => (await gateway.operations('POST', '/callers', { kind, name: `${kind} ${scopes?.join() ?? ''}`, ...(kind === 'operator' || kind === 'gateway' ? {} : { provider: 'default' }), scopes })).body.token as string
  const wrong: Array<[what: string, headers: Record<string, string>]> = [
    ['another key', bearer(`${GATEWAY_KEY}x`)], ['the beginning of it', bearer(GATEWAY_KEY.slice(0, -1))], ['nothing behind the scheme', { authorization: 'Bearer ' }],
    ['the key as the user', { authorization: `Basic ${Buffer.from(`${GATEWAY_KEY}:`).toString('base64')}` }], ['another scheme', { authorization: `Token ${GATEWAY_KEY}` }],
    ['the client\'s secret', basic(client)], ['the token itself', bearer(token)], ['an operator', bearer(OPERATOR_KEY)], ['a key of Konnect', bearer(KONNECT_KEY)],
    ['a minted key of Konnect', bearer(await minted('konnect'))], ['a service', bearer(await minted('service'))], ['a minted operator', bearer(await minted('operator'))],
    ['an initial access token', bearer(await minted('initial_access_token'))]
  ]
  for (const [what, headers] of wrong) {
    const answer = await asked(headers)
    t.strictSame([answer.status, answer.body.error, answer.headers.get('www-authenticate')], [401, 'invalid_client', `Bearer ${REALM}, error="invalid_token"`], what)
  }
  for (const headers of [{ 'x-gateway-key': GATEWAY_KEY }, { 'x-api-key': GATEWAY_KEY }, { cookie: `key=${GATEWAY_KEY}` }]) t.equal((await asked(headers)).status, 401, 'in another place')

  const own = (await gateway.operations('POST', '/callers', { kind: 'gateway', name: 'made at run time' })).body
  t.match(own, { scopes: ['introspect'], token: /^dcr_gwy_/ })
  t.equal((await asked(bearer(own.token))).status, 200)
  t.equal((await gateway.operations('PATCH', `/callers/${own.id}`, { scopes: [] })).status, 200)
  const forbidden = await asked(bearer(own.token))
  t.strictSame([forbidden.status, forbidden.body.error, forbidden.headers.get('www-authenticate')], [403, 'insufficient_scope', `Bearer ${REALM}, error="insufficient_scope", scope="introspect"`])
  t.equal((await gateway.operations('DELETE', `/callers/${own.id}`)).status, 204)
  t.equal((await asked(bearer(own.token))).status, 401, 'revoked')
  t.equal((await gateway.operations('POST', '/callers', { kind: 'gateway', name: 'mightier', scopes: ['introspect', 'read'] })).status, 400)
})

t.test('a key that is bound to a provider knows clients of that provider and no others, at /introspect and at /verify', async t => {
  const gateway = await startTestGateway(t)
  const { simulator: { url, control } } = gateway
  await linkStrategies(gateway)
  const { tenantId, broker } = control.addTenant()
  const provider = await gateway.operations('POST', '/dcr-providers', {
    provider_type: 'azureAd', name: 'contoso', issuer: `${url}/${tenantId}/v2.0`, dcr_config: { initial_client_id: broker.clientId, initial_client_secret: broker.clientSecret }
  })
  t.equal(provider.status, 201)
  const mint = async (kind: string, name: string) => (await gateway.operations('POST', '/callers', { kind, name: `${kind} of ${name}`, provider: name })).body.token as string
  const keys = { none: GATEWAY_KEY, default: await mint('gateway', 'default'), contoso: await mint('gateway', 'contoso') }
  const { status, body: theirs } = await gateway.konnect('POST', '/', konnectApplication({ auth_strategy_id: undefined }), { 'x-api-key': await mint('konnect', 'contoso') })
  t.equal(status, 201)
  const clients = {
    ours: await gateway.registerClient(V1_STRATEGY),
    theirs: { clientId: theirs.client_id as string, clientSecret: theirs.client_secret as string }
  }
  const token = await gateway.tokenV1(clients.ours)

  const accepts = async (key: string) => ({
    token: (await gateway.introspect(token, key)).body.active as boolean,
    ours: (await gateway.verify({ ...basic(clients.ours), 'x-gateway-key': key })).status,
    oursByToken: (await gateway.verify({ ...bearer(token), 'x-gateway-key': key })).status,
    theirs: (await gateway.verify({ ...basic(clients.theirs), 'x-gateway-key': key })).status
  })
  t.strictSame(await accepts(keys.none), { token: true, ours: 200, oursByToken: 200, theirs: 200 })
  t.strictSame(await accepts(keys.default), { token: true, ours: 200, oursByToken: 200, theirs: 401 })
  t.strictSame(await accepts(keys.contoso), { token: false, ours: 401, oursByToken: 401, theirs: 200 })
  const { body } = await gateway.verify({ ...basic(clients.ours), 'x-gateway-key': keys.contoso })
  t.strictSame(body, (await gateway.verify({ ...basic({ ...clients.ours, clientId: broker.clientId }), 'x-gateway-key': keys.contoso })).body, 'as if nobody had registered it')
})

t.test('the introspection of openid-client and of oauth4webapi is answered', async t => {
  const gateway = await startTestGateway(t)
  const { gatewayUrl } = gateway
  await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  const token = await gateway.tokenV1(client)
  const metadata = { issuer: gatewayUrl, introspection_endpoint: `${gatewayUrl}/introspect` }

  const withOpenid = (key: string) => {
    const config = new openid.Configuration(metadata, 'gateway', undefined, openid.ClientSecretBasic(key))
    openid.allowInsecureRequests(config)
    return async (shown: string) => await openid.tokenIntrospection(config, shown, { token_type_hint: 'access_token' })
  }
  t.match(await withOpenid(GATEWAY_KEY)(token), { active: true, client_id: client.clientId, aud: V1_API })
  t.strictSame(await withOpenid(GATEWAY_KEY)('x'), { active: false })
  await t.rejects(withOpenid('wrong')(token), { name: 'WWWAuthenticateChallengeError', status: 401, cause: [{ scheme: 'bearer', parameters: { error: 'invalid_token' } }] })

  const withOauth = (key: string) => async (shown: string) => {
    const self = { client_id: 'gateway' }
    const response = await oauth.introspectionRequest(metadata, self, oauth.ClientSecretBasic(key), shown, { [oauth.allowInsecureRequests]: true })
    return await oauth.processIntrospectionResponse(metadata, self, response)
  }
  t.match(await withOauth(GATEWAY_KEY)(token), { active: true, client_id: client.clientId, aud: V1_API })
  t.strictSame(await withOauth(GATEWAY_KEY)('x'), { active: false })
  await t.rejects(withOauth('wrong')(token), { name: 'WWWAuthenticateChallengeError', status: 401, cause: [{ scheme: 'bearer', parameters: { error: 'invalid_token' } }] })
})

t.test('no token, no secret and no key of a gateway is in the log, whatever came of it', async t => {
  const gateway = await startTestGateway(t, { environment: { LOG_LEVEL: 'trace' } })
  await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  const token = await gateway.tokenV1(client)
  const [, payload = ''] = token.split('.')
  const secrets = new Map([['token', token], ['its claims', payload], ['secret', client.clientSecret], ['key', GATEWAY_KEY], ['another token', `${token}xxxx`], ['another secret', 'a_wrong_secret_of_the_test']])
  await showAll(gateway, client.clientId, [...secrets.values()])
  await gateway.database.query('ALTER TABLE registration RENAME TO registration_away')
  await showAll(gateway, client.clientId, [...secrets.values()])
  t.ok(gateway.logLines.some(line => line.includes('A gateway could not be answered') || line.includes('Unexpected error')), 'a failure is logged')
  t.strictSame(searchLeaks(secrets, [{ name: 'log', bytes: Buffer.from(gateway.logLines.join('\n')) }]), [])
})

async function showAll (gateway: TestGateway, clientId: string, values: readonly string[]): Promise<void> {
  for (const value of values) {
    await gateway.introspect(value)
    await gateway.introspect('x', value)
    for (const headers of [bearer(value), basic({ clientId, clientSecret: value }), basic({ clientId: value, clientSecret: clientId })]) await gateway.verify(headers, `/verify?product=${value.slice(0, 200)}`)
    await gateway.verify({ 'x-gateway-key': value })
  }
}
