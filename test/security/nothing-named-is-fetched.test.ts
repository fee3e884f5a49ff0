// S5: whatever a caller writes into whichever member, the broker connects to nothing but its own database and its own Entra.
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { generateKeyPair, SignJWT } from 'jose'
import t, { type Test } from 'tap'
import { ownedBy, serviceClient, webClient } from '../register/prepared-broker.ts'
import { konnectApplication, INITIAL_ACCESS_TOKEN, KONNECT_KEY, OPERATOR_KEY, request, type TestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { bearer as tokenIn, GATEWAY_KEY, linkStrategies, startTestGateway, V1_API } from '../support/gateway.ts'
import { spyOnConnections } from './connection-spy.ts'

const AUDIENCE = 'api://dcr-broker'
const FORM = 'application/x-www-form-urlencoded'
const NAMED = 'https://fetched.example/x'
/** Members of RFC 7591, OpenID Connect Registration, its logout documents and RFC 9101 that hold addresses. */
const ADDRESS_MEMBERS = [
  'jwks_uri', 'logo_uri', 'client_uri', 'policy_uri', 'tos_uri', 'sector_identifier_uri', 'initiate_login_uri', 'backchannel_logout_uri', 'frontchannel_logout_uri',
  'backchannel_client_notification_endpoint', 'registration_client_uri', 'logo_uri#de', 'tos_uri#fr', 'software_id', 'scope', 'client_name'
]
const ADDRESS_LISTS = ['request_uris', 'post_logout_redirect_uris', 'redirect_uris', 'contacts']
/** What the broker keeps of those, as long as it is https. */
const KEPT = ['logo_uri', 'client_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri', 'logo_uri#de']

/** Counts who comes. `addresses`: where it listens, for HTTP, for anything else, and by a name. */
async function startTrap (t: Test): Promise<{ addresses: string[], visits: () => number }> {
  let visits = 0
  const http = createHttpServer((_request, answer) => answer.end('{}'))
  const bare = createServer(socket => socket.destroy())
  for (const server of [http, bare]) server.on('connection', () => visits++)
  const portOf = async (server: Server) => {
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    t.teardown(() => { server.close() })
    return (server.address() as AddressInfo).port
  }
  const [httpPort, barePort] = [await portOf(http), await portOf(bare)]
  return { addresses: [`http://127.0.0.1:${httpPort}/x`, `https://localhost:${barePort}/x`, NAMED], visits: () => visits }
}

t.test('S5 nothing that a caller names is fetched', async t => {
  const spy = spyOnConnections(t)
  const { addresses, visits } = await startTrap(t)
  const broker = await startTestGateway(t, {
    environment: { RESUME_SCAN_MS: '100', SWEEP_INTERVAL_MS: '100', REGISTER_TOKEN_AUDIENCE: AUDIENCE, OPERATOR_TOKEN_AUDIENCE: AUDIENCE, OPERATOR_TOKEN_ROLES: 'Admin=read+admin' }
  })
  const { register, manage, konnect, url, operationsUrl, gatewayUrl, verify, introspect, simulator, database } = broker
  await linkStrategies(broker)
  const own = new Set([url, operationsUrl, gatewayUrl, simulator.url].map(base => new URL(base).host))
  const { hostname, port, searchParams } = new URL(database.url)
  for (const host of [`${hostname}:${port}`, `localhost:${port}`, `${searchParams.get('host')}/.s.PGSQL.${port || 5432}`]) own.add(host)
  const ownSeen = new Set<string>()
  const strangers = () => spy.seen().filter(target => {
    if (own.has(target)) ownSeen.add(target)
    return !own.has(target)
  })
  const nobodyCame = (t: Test) => t.strictSame([strangers(), visits()], [[], 0])
  const operator = async (method: string, path: string, body?: unknown) => await request(`${operationsUrl}/v2${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })

  t.test('no member of a registration', async t => {
    const documents = addresses.flatMap(address => [
      ...ADDRESS_MEMBERS.map(member => ({ [member]: address })), ...ADDRESS_LISTS.map(member => ({ [member]: [address] })),
      { jwks: { keys: [{ kty: 'RSA', n: 'x', e: 'AQAB', kid: address, x5u: address, jku: address }] }, token_endpoint_auth_method: 'private_key_jwt' },
      { entra_federated_identity_credentials: [{ issuer: address, subject: address, audience: address }] }
    ])
    const answers = await Promise.all(documents.map(async document => await register(serviceClient(document))))
    t.strictSame(answers.filter(({ status }) => status !== 201 && status !== 400), [])
    t.ok(answers.filter(({ status }) => status === 201).length > documents.length / 3, 'many of them are registered')
    nobodyCame(t)
  })

  t.test('no member of a document that is kept, read, replaced and looked after', async t => {
    const links = Object.fromEntries(KEPT.map(member => [member, NAMED]))
    const client = ownedBy(await register(webClient({ ...links, redirect_uris: [NAMED] })))
    t.match(client.body, links, 'they are kept')
    t.match(await manage('GET', client.uri, client.token), { status: 200, body: links })
    const replaced = await manage('PUT', client.uri, client.token, { ...webClient({ ...links, redirect_uris: [`${NAMED}/y`] }), client_id: client.id })
    t.match(replaced, { status: 200, body: links })
    t.equal((await operator('POST', '/reconciliation/run', {})).status, 200)
    await eventually('the reconciler has looked', async () => (await operator('GET', '/reconciliation')).body.data.every((report: { running: boolean }) => !report.running))
    const [provider] = (await operator('GET', '/dcr-providers')).body.data
    t.equal((await operator('POST', `/dcr-providers/${provider.id}/verify`)).status, 200)
    t.equal((await manage('DELETE', client.uri, replaced.body.registration_access_token)).status, 204)
    await eventually('the client is gone', async () => (await database.query('SELECT state FROM registration WHERE client_id = $1', [client.id])).rows[0]?.state === 'deleted')
    nobodyCame(t)
  })

  t.test('no header or claim of a token', async t => {
    const { privateKey } = await generateKeyPair('RS256')
    for (const address of addresses) {
      const signed = async (aud: string) => await new SignJWT({ iss: address, aud, tid: simulator.tenantId, azp: randomUUID(), ver: '2.0', roles: ['Dcr.Register', 'Admin'], sub: address })
        .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: address, jku: address, x5u: address }).setIssuedAt().setExpirationTime('1h').setNotBefore('1m ago').sign(privateKey)
      const token = await signed(AUDIENCE)
      for (const shown of [token, await signed(V1_API)]) {
        t.equal((await verify(tokenIn(shown))).status, 401)
        t.strictSame((await introspect(shown)).body, { active: false })
      }
      t.equal((await verify({ ...tokenIn(token), 'x-original-url': address, 'x-forwarded-uri': address, 'x-product-id': address }, `/verify/${address}?url=${address}`)).status, 401)
      const bearer = { authorization: `Bearer ${token}`, 'x-api-key': token }
      t.equal((await register(serviceClient({ software_statement: token, client_assertion: token, request: token }))).status, 201)
      t.equal((await register(serviceClient(), token)).status, 401)
      t.equal((await manage('GET', `${url}/register/${randomUUID()}`, token)).status, 401)
      t.equal((await request(`${url}/v2/registrations`, 'GET', undefined, bearer)).status, 401)
      t.equal((await request(`${url}/konnect`, 'POST', konnectApplication(), bearer)).status, 401)
      t.equal((await request(`${operationsUrl}/v2/callers`, 'GET', undefined, bearer)).status, 401)
      const headers = { referer: address, origin: address, 'x-forwarded-host': new URL(address).host, forwarded: `host=${new URL(address).host}`, link: `<${address}>` }
      t.equal((await register(serviceClient(), INITIAL_ACCESS_TOKEN, headers)).status, 201)
    }
    nobodyCame(t)
  })

  t.test('no text in any body of any route, with whatever else there is in its example', async t => {
    const targets = await makeTargets(broker, operator)
    const accepted = new Set<string>()
    for (const [listener, base] of [['public', url], ['operations', operationsUrl], ['gateway', gatewayUrl]] as const) {
      for (const { method, path, type, examples } of await bodiesOf(listener)) {
        const there = `${base}${path.replaceAll(/([^/]+)\/\{(\w+)\}/g, (_match, before: string) => `${before}/${targets[before] ?? randomUUID()}`)}`
        const headers = { 'x-api-key': KONNECT_KEY, authorization: `Bearer ${bearerAt(listener, there, targets)}`, 'content-type': type }
        // Not an address of this machine: an operator may name one as Entra's (docs/providers.md), and the broker goes there.
        const bodies = examples.flatMap(example => variantsOf(example, NAMED))
        const written = (body: unknown) => type === FORM ? new URLSearchParams(body as Record<string, string>).toString() : body
        const statuses = await Promise.all(bodies.map(async body => (await request(there, method, written(body), headers)).status))
        t.strictSame(statuses.filter(status => status >= 500), [], `${method} ${path}`)
        if (statuses.some(status => status < 300)) accepted.add(`${method} ${path}`)
      }
    }
    t.ok(accepted.size >= 8, `bodies were accepted on ${accepted.size} routes: ${[...accepted].join(', ')}`)
    t.equal((await konnect('POST', '', konnectApplication())).status, 201)
    nobodyCame(t)
  })

  t.test('and a connection that is made is seen', async t => {
    for (const address of addresses) await fetch(address).catch(() => undefined)
    t.strictSame(strangers(), [...new Set(addresses.map(address => new URL(address)).map(({ hostname, host, port }) => port === '' ? `${hostname}:443` : host))].sort())
    t.ok(visits() >= 2)
    t.ok(ownSeen.has(new URL(simulator.url).host), 'so were those to Entra')
    t.ok(ownSeen.size >= 3, 'to the database, and to the broker')
  })
})

type Operator = (method: string, path: string, body?: unknown) => Promise<{ status: number, body: any }>

/** What the routes' parameters stand for, by the segment in front of them. */
async function makeTargets ({ konnect, register }: TestBroker, operator: Operator): Promise<Record<string, string>> {
  const strategy = (await operator('GET', '/application-auth-strategies')).body.data[0].id
  const caller = (await operator('POST', '/callers', { kind: 'konnect', name: 'of the test', provider: 'default', scopes: ['read'] })).body.id
  const provider = (await operator('POST', '/dcr-providers', {
    provider_type: 'azureAd', name: 'contoso', issuer: `https://sts.windows.net/${randomUUID()}/`, dcr_config: { initial_client_id: randomUUID(), initial_client_secret: 'not~a~real~secret' }
  })).body.id
  const policy = (await operator('POST', '/policies', { name: 'of the test', rules: {} })).body.id
  const client = (await konnect('POST', '', konnectApplication())).body.client_id
  const owned = ownedBy(await register(webClient()))
  const registration = (await operator('GET', '/registrations')).body.data[0].id
  return {
    konnect: client,
    register: owned.id,
    registrations: registration,
    callers: caller,
    'dcr-providers': provider,
    'application-auth-strategies': strategy,
    policies: policy,
    providers: 'contoso',
    t: 'default',
    token: owned.token
  }
}

function bearerAt (listener: string, url: string, targets: Record<string, string>): string {
  if (listener === 'operations') return OPERATOR_KEY
  if (listener === 'gateway') return GATEWAY_KEY
  return /\/register\/./.test(url) ? String(targets['token']) : INITIAL_ACCESS_TOKEN
}

interface Body {
  method: string
  path: string
  type: string
  examples: unknown[]
}

/** Of every route that takes one, as the committed documents have it. */
async function bodiesOf (listener: string): Promise<Body[]> {
  const document = JSON.parse(await readFile(`openapi/${listener}.json`, 'utf8'))
  const resolved = (schema: any): any => schema.$ref === undefined
    ? schema
    : resolved(schema.$ref.slice(2).split('/').reduce((part: any, name: string) => part[name], document))
  return Object.entries<any>(document.paths).flatMap(([path, operations]) => Object.entries<any>(operations).flatMap(([method, { requestBody }]) =>
    Object.entries<any>(requestBody?.content ?? {}).map(([type, { schema }]) =>
      ({ method: method.toUpperCase(), path, type, examples: resolved(schema).examples ?? [] }))))
}

/** The example with an address in place of each of its texts, one at a time; and with every member that holds addresses. */
function variantsOf (example: unknown, address: string): unknown[] {
  return [
    ...replacedTexts(example, address),
    { ...example as object, ...Object.fromEntries(ADDRESS_MEMBERS.map(member => [member, address])), callback_url: address, webhook: { url: address } }
  ]
}

function replacedTexts (value: unknown, address: string): unknown[] {
  if (typeof value === 'string') return [address]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, part]) => replacedTexts(part, address).map(replaced =>
    Array.isArray(value) ? value.with(Number(name), replaced) : { ...value, [name]: replaced }))
}
