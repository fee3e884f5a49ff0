// Promise 6 on every route there is: who may call, and that nothing of another provider can be seen or touched.
import { readFile } from 'node:fs/promises'
import { fastify, type FastifyContextConfig, type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { commandLine } from '../../src/administration/operator.ts'
import type { MintedKind } from '../../src/administration/callers-port.ts'
import { callersIn } from '../../src/cli/callers.ts'
import { requestTokenV1 } from '../../src/demo/entra-client.ts'
import { declaredGuards } from '../../src/http/guards.ts'
import type { DeclaredRoute } from '../../src/http/plugins/route-methods.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { ownedBy, SECOND_PROVIDER, startPreparedBroker, webClient, type PreparedBroker } from '../register/prepared-broker.ts'
import { konnectApplication, OPERATOR_KEY, request } from '../support/broker.ts'
import { expectationOf, guardOf, requestOf, type MatrixCaller, type Targets } from './route-matrix.ts'

/** Routes that no document describes. */
const hidden = [
  'GET /.well-known/oauth-authorization-server/*', 'GET /.well-known/openid-configuration/*',
  'GET /openapi/public.json', 'GET /openapi/operations.json', 'GET /openapi/gateway.json',
  // Gateways that ask with the method and the path of the request that they ask about.
  ...['POST', 'PUT', 'PATCH', 'DELETE'].map(method => `${method} /verify`), ...['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map(method => `${method} /verify/*`)
]
const isOfDocs = (url: string) => url === '/docs' || url.startsWith('/docs/')

/** Routes that need no key, by the start of their path. A new one is a decision. */
const open = /^\/(\.well-known\/|t\/:provider\/\.well-known\/|healthz$|readyz$|metrics$|docs(\/|$)|openapi\/)/

const routesOf = (server: FastifyInstance) => server.declaredRoutes().filter(({ method }) => method !== 'OPTIONS')
const nameOf = ({ method, url }: DeclaredRoute) => `${method} ${url}`

t.test('S3 the route × caller matrix', async t => {
  const broker = await startPreparedBroker(t, { secondProvider: true, environment: { GATEWAY_PORT: '0' } })
  const { publicServer, operationsServer, gatewayServer } = broker.broker
  if (gatewayServer === null) throw new Error('There is no gateway listener')
  const { targets, canaries, holder } = await makeClientsOfA(broker)
  const callers = [...await makeCallers(t, broker), holder, await makeClientWithToken(broker)]
  const listeners = [publicServer, operationsServer, gatewayServer]

  t.test('the committed documents describe every route, and no other', async t => {
    for (const [document, server] of [['public', publicServer], ['operations', operationsServer], ['gateway', gatewayServer]] as const) {
      const described = await routesInDocument(document)
      const served = routesOf(server).filter(({ method, url, isHidden }) => method !== 'HEAD' && !isHidden && !isOfDocs(url))
      t.same(served.map(route => nameOf(route).replaceAll(/:(\w+)/g, '{$1}')).sort(), described, document)
      const others = routesOf(server).filter(({ method, url, isHidden }) => method !== 'HEAD' && isHidden && !isOfDocs(url))
      t.same(others.map(nameOf).filter(name => !hidden.includes(name)), [], `${document}: hidden routes are listed here`)
    }
  })

  t.test('a route without a guard is one of those that need none', async t => {
    for (const server of listeners) {
      const unguarded = routesOf(server).filter(route => guardOf(route) === 'none').map(({ url }) => url)
      t.same(unguarded.filter(url => !open.test(url)), [])
      t.ok(routesOf(server).some(route => guardOf(route) !== 'none'))
    }
  })

  t.test('nobody who may not call, and nobody of another provider, sees or touches anything', async t => {
    const before = await stateOf(broker)
    for (const server of listeners) {
      for (const route of routesOf(server)) {
        for (const caller of callers) {
          const expected = expectationOf(route, caller)
          if (expected === 'passes') continue
          const { isExact, ...request } = requestOf(route, targets, SECOND_PROVIDER)
          const { statusCode, body } = await send(server, request, caller)
          const what = `${nameOf(route)} by ${caller.name}: ${statusCode}`
          if (expected === 'refused') t.equal(statusCode, 401, what)
          else if (expected === 'forbidden') t.equal(statusCode, 403, what)
          else if (expected === 'keyless') t.equal(statusCode, 500, what)
          else if (isExact) t.equal(statusCode, goneIsGone(route) ? 204 : 404, what)
          // It names nothing of A: a list, something new, or something that the matrix can't name.
          else t.ok(statusCode !== 401, what)
          t.same(canaries.filter(canary => body.includes(canary) && !request.url.includes(canary)), [], `${what} tells nothing of A`)
        }
      }
    }
    t.same(await stateOf(broker), before, 'database and Entra are as before')
  })

  t.test('who may call is let in', async t => {
    const asked = new Set<string>()
    for (const server of listeners) {
      for (const route of routesOf(server)) {
        for (const caller of callers) {
          if (expectationOf(route, caller) !== 'passes') continue
          // The holder's client is one; others name what nobody knows, so that nothing happens that would decide a later answer.
          const { isExact: _, ...request } = requestOf(route, caller.kind === 'holder' ? targets : null, SECOND_PROVIDER)
          if (caller.kind === 'holder' && request.method === 'DELETE') continue
          const { statusCode } = await send(server, request, caller)
          t.ok(statusCode !== 401 && statusCode !== 403, `${nameOf(route)} by ${caller.name}: ${statusCode}`)
          asked.add(nameOf(route))
        }
      }
    }
    for (const name of ['POST /konnect', 'POST /register', 'GET /register/:clientId', 'GET /v2/registrations', 'POST /v2/callers', 'POST /introspect', 'GET /verify', 'DELETE /verify/*']) t.ok(asked.has(name), name)
  })

  t.test('what nobody else could touch, its own key can', async t => {
    const [konnect] = callers.filter(({ name }) => name === 'Konnect of A')
    const url = `/konnect/${targets.konnect}`
    t.equal((await publicServer.inject({ method: 'GET', url: `${url}/secrets`, headers: { 'x-api-key': konnect?.key ?? '' } })).statusCode, 200)
    t.equal((await publicServer.inject({ method: 'DELETE', url, headers: { 'x-api-key': konnect?.key ?? '' } })).statusCode, 204)
  })
})

t.test('a route of the public listener, or of that of gateways, that does not say whom it lets in does not boot', async t => {
  const boot = async (config: FastifyContextConfig) => {
    const server = fastify()
    t.teardown(async () => await server.close())
    await server.register(declaredGuards)
    await server.register(async scope => { scope.get('/new', { config }, async () => 'secret') })
    await server.ready()
  }
  await t.rejects(boot({}), { message: 'GET /new declares no guard' })
  await t.rejects(boot({ scope: 'read' }), { message: 'GET /new declares no guard' })
  await t.rejects(boot({ guard: 'konnect' }), { message: 'GET /new declares no scope' })
  await t.resolves(boot({ guard: 'konnect', scope: 'read' }))
  await t.rejects(boot({ guard: 'gateway' }), { message: 'GET /new declares no scope' })
  await t.resolves(boot({ guard: 'gateway', scope: 'introspect' }))
  await t.resolves(boot({ guard: 'client' }))
  await t.resolves(boot({ guard: 'none' }))
})

// To Konnect "already gone" is success, and a client of somebody else is one that was never there.
function goneIsGone ({ method, url }: DeclaredRoute): boolean {
  return method === 'DELETE' && url === '/konnect/:clientId'
}

async function send (server: FastifyInstance, request: { method: string, url: string, payload?: object }, { key, kind }: MatrixCaller) {
  // A client has no place where its gateway shows a key.
  const headers = key === null ? {} : { 'x-api-key': key, authorization: `Bearer ${key}`, ...(kind === 'client' ? {} : { 'x-gateway-key': key }) }
  return await server.inject({ ...request, method: request.method as 'GET', headers })
}

/** Whatever is presented goes into every header: a key at the wrong door has to be nobody's. */
async function makeCallers (t: Test, { database }: PreparedBroker): Promise<MatrixCaller[]> {
  const { prisma, close } = openDatabase({ connectionString: database.url, maxConnections: 2 })
  t.teardown(close)
  const make = async (name: string, kind: MintedKind, provider: 'A' | 'B' | null, scopes: string[]): Promise<MatrixCaller> => {
    const providerName = provider === null ? null : provider === 'A' ? 'default' : SECOND_PROVIDER
    const wanted = { kind, name, providerName, scopes, policyName: null, maxRegistrations: null, expiry: null }
    return { name, kind, provider, scopes, key: (await callersIn(prisma).create(wanted, commandLine, null)).token }
  }
  const everything = ['register', 'read', 'rotate', 'delete', 'admin', 'audit']
  const ofClients = ['register', 'read', 'rotate', 'delete']
  return [
    { name: 'nobody', kind: null, provider: null, scopes: [], key: null },
    { name: 'a wrong key', kind: null, provider: null, scopes: [], key: 'dcr_knk_0123456789abcdef' },
    await make('Konnect of A', 'konnect', 'A', ofClients),
    await make('Konnect of A that may only read', 'konnect', 'A', ['read']),
    await make('Konnect of B', 'konnect', 'B', ofClients),
    await make('initial access token of A', 'initial_access_token', 'A', ['register']),
    await make('initial access token of B', 'initial_access_token', 'B', ['register']),
    await make('service of A', 'service', 'A', ofClients),
    await make('service of B', 'service', 'B', ofClients),
    await make('gateway', 'gateway', null, ['introspect']),
    await make('gateway of A', 'gateway', 'A', ['introspect']),
    await make('gateway of A that may do nothing', 'gateway', 'A', []),
    await make('gateway of B', 'gateway', 'B', ['introspect']),
    await make('operator that may only read', 'operator', null, ['read']),
    await make('operator of B', 'operator', 'B', everything),
    await make('operator', 'operator', null, everything)
  ]
}

async function makeClientsOfA ({ konnect, register, mint, database }: PreparedBroker): Promise<{ targets: Targets, canaries: string[], holder: MatrixCaller }> {
  const { body: { client_id: konnectClient } } = await konnect('POST', '', konnectApplication({ client_name: 'Canary of Konnect' }))
  const { name: tokenName, token } = await mint()
  const owned = ownedBy(await register(webClient({ client_name: 'Canary of a service' }), token))
  const [row] = (await database.query<Record<string, string>>(`
    SELECT r.id AS registration, c.key_id AS secret, p.id AS provider, p.tenant_id AS tenant, s.id AS strategy, t.id AS caller
    FROM registration r JOIN credential c ON c.registration_id = r.id JOIN provider p ON p.id = r.provider_id
    JOIN auth_strategy s ON s.provider_id = p.id JOIN caller t ON t.name = $2 WHERE r.client_id = $1`, [konnectClient, tokenName])).rows
  if (row === undefined) throw new Error('The client of A is not there')
  const { registration = '', secret = '', provider = '', tenant = '', strategy = '', caller = '' } = row
  return {
    targets: {
      konnect: konnectClient, secrets: secret, register: owned.id, registrations: registration, callers: caller, 'dcr-providers': provider, 'application-auth-strategies': strategy
    },
    canaries: [konnectClient, owned.id, registration, secret, tenant, caller, 'Canary', tokenName],
    holder: { name: 'holder of a client of A', kind: 'holder', provider: 'A', scopes: [], key: owned.token }
  }
}

/** A client of A, by an access token for the API that its strategy names. */
async function makeClientWithToken ({ konnect, operationsUrl, simulator }: PreparedBroker): Promise<MatrixCaller> {
  const [strategyId, audience] = ['c0000000-0000-4000-8000-000000000001', 'api://gateway-v1']
  const configs = { 'openid-connect': { scopes: [], auth_methods: ['bearer'], issuer: `https://sts.windows.net/${simulator.tenantId}/`, credential_claim: ['appid'] } }
  const { status } = await request(`${operationsUrl}/v2/application-auth-strategies`, 'POST', {
    strategy_type: 'openid_connect', name: 'of gateways', konnect_auth_strategy_id: strategyId, audience, configs
  }, { authorization: `Bearer ${OPERATOR_KEY}` })
  if (status !== 201) throw new Error(`The strategy was not made: ${status}`)
  const { body } = await konnect('POST', '', konnectApplication({ auth_strategy_id: strategyId }))
  const tenant = { authorityHost: simulator.url, tenantId: simulator.tenantId }
  const answer = await requestTokenV1(tenant, { clientId: body.client_id, clientSecret: body.client_secret }, audience)
  if (!('token' in answer)) throw new Error('Entra gave no token')
  return { name: 'client of A', kind: 'client', provider: 'A', scopes: [], key: answer.token }
}

/** Of everything there is before anybody calls. What the broker does by itself is left out: times, leases, marks. */
async function stateOf ({ database, simulator }: PreparedBroker): Promise<unknown> {
  const rows = async (columns: string, from: string) => (await database.query(`SELECT ${columns} FROM ${from}`)).rows
  const ofA = 'registration r ON r.id = c.registration_id JOIN provider p ON p.id = r.provider_id AND p.name = \'default\''
  return {
    registrations: await rows(`r.id, r.state, r.metadata, r.display_name, r.desired_revision, r.applied_revision, r.labels, r.owner, r.account_enabled,
      r.management_digest::text AS management`, 'registration r JOIN provider p ON p.id = r.provider_id AND p.name = \'default\' ORDER BY r.id'),
    credentials: await rows('c.id, c.state, c.key_id', `credential c JOIN ${ofA} ORDER BY c.id`),
    events: await rows('e.id', `registration_event e JOIN ${ofA.replaceAll('c.', 'e.')} ORDER BY e.id`),
    callers: await rows('id, name, scopes, provider_id, policy_id, revoked_at, expires_at', 'caller WHERE provider_id IS DISTINCT FROM (SELECT id FROM provider WHERE name <> \'default\') ORDER BY id'),
    providers: await rows('id, name, tenant_id, deleted_at, labels', 'provider ORDER BY id'),
    entra: simulator.control.state()
  }
}

async function routesInDocument (name: string): Promise<string[]> {
  const { paths } = JSON.parse(await readFile(`openapi/${name}.json`, 'utf8')) as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([path, operations]) => Object.keys(operations).map(method => `${method.toUpperCase()} ${path}`)).sort()
}
