// A broker every secret of which is a canary, and everything that leaves it: answers, log, traces, metrics, audit, database.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { readFileSync } from 'node:fs'
import { startSimulator, type Simulator } from '../../../src/simulator/simulator.ts'
import { startTestBroker, type Answer, type TestBroker } from '../../support/broker.ts'
import { databaseHaystacks, type Haystack } from '../../support/leak-search.ts'
import { createTestDatabase } from '../../support/postgres.ts'
import { startPostgresProxy, type PostgresProxy } from '../../support/postgres-proxy.ts'
import { Canaries } from './canaries.ts'
import { answerSchemaOf, bodySchemaOf, withoutMarked } from './documents.ts'
import { watchEntra } from './watched-entra.ts'

export const AUDIENCE = 'api://dcr-broker'
export const FORM = 'application/x-www-form-urlencoded'

export type Listener = 'public' | 'operations' | 'gateway'

export interface Call {
  /** Of the route, with `:name` for parameters. */
  method: string
  template: string
  params?: Record<string, string>
  query?: string
  headers?: Record<string, string>
  /** Where several have the route; default: the first of them that does. */
  listener?: Listener
  /** A string goes as it is; anything else as JSON, or as a form when `type` is one. */
  body?: unknown
  type?: string
}

export interface WatchedBroker extends TestBroker {
  canaries: Canaries
  proxy: PostgresProxy
  environment: Record<string, string>
  keys: { konnect: string, operator: string, registrant: string, gateway: string }
  /** Base of each listener. */
  bases: Record<Listener, string>
  /** Sends it, and keeps the answer for the search without what its schema marks as handed over. */
  send (call: Call): Promise<Answer>
  /** Answers that were failures, as text. */
  failures: string[]
  /** What was handed over and taken in, as `<component>.<member>`. */
  marked: Set<string>
  /** Whatever else a test wants searched. */
  haystacks: Haystack[]
  /** What the collector of traces has received. */
  traces (): string
  /** All there is to search now. */
  everything (): Promise<Haystack[]>
}

export async function startWatchedBroker (t: Test, level: 'trace' | 'info'): Promise<WatchedBroker> {
  const canaries = new Canaries()
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  canaries.add('secret of the broker', simulator.broker.clientSecret)
  const entraUrl = await watchEntra(t, simulator.url, canaries)
  const collector = await startCollector(t)
  const { database, proxy } = await databaseWithPassword(t, canaries)
  const keys = { konnect: canaries.key('Konnect key'), operator: canaries.key('operator key'), registrant: canaries.key('initial access token'), gateway: canaries.key('gateway key') }
  const environment = environmentOf(keys, entraUrl, collector.url, canaries, level)
  const broker = await startTestBroker(t, { simulator, database, environment })
  rememberKeyring(broker, canaries)
  const bases = await listenersOf(broker)

  const marked = new Set<string>()
  const failures: string[] = []
  const haystacks: Haystack[] = []
  const answers: Haystack[] = []
  const send = async (call: Call): Promise<Answer> => {
    const { method, template, body } = call
    withoutMarked(body, bodySchemaOf(method, template), member => marked.add(member))
    const answer = await fetchCall(broker, bases, call)
    const schema = answerSchemaOf(method, template, answer.status)
    const rest = documentsIn(answer.text).map(each => withoutMarked(each, schema, member => marked.add(member)))
    const name = `${answer.status} to ${method} ${template}`
    if (answer.status >= 400) failures.push(answer.text)
    answers.push({ name, bytes: Buffer.from(`${JSON.stringify([...answer.headers])}\n${JSON.stringify(rest)}`) })
    return { status: answer.status, headers: answer.headers, body: documentsIn(answer.text)[0] ?? null }
  }
  return {
    ...broker,
    canaries,
    proxy,
    environment: installationOf(broker, environment),
    keys,
    bases,
    send,
    failures,
    marked,
    haystacks,
    traces: () => collector.bodies.join('\n'),
    async everything () {
      await scrape(broker, keys.operator, haystacks)
      const log = { name: 'log', bytes: Buffer.from(broker.logLines.join('\n')) }
      const traces = { name: 'traces', bytes: Buffer.from(collector.bodies.join('\n')) }
      return [log, traces, ...answers, ...haystacks, ...await databaseHaystacks(database)]
    }
  }
}

function environmentOf (keys: WatchedBroker['keys'], entraUrl: string, collectorUrl: string, canaries: Canaries, level: string): Record<string, string> {
  return {
    KONNECT_API_KEYS: `${keys.konnect},${canaries.key('second Konnect key')}`,
    ADMIN_API_KEYS: keys.operator,
    INITIAL_ACCESS_TOKENS: keys.registrant,
    GATEWAY_API_KEYS: `${keys.gateway},${canaries.key('second gateway key')}`,
    GATEWAY_PORT: '0',
    AZURE_AUTHORITY_HOST: entraUrl,
    GRAPH_BASE_URL: entraUrl,
    REGISTER_TOKEN_AUDIENCE: AUDIENCE,
    OTEL_EXPORTER_OTLP_ENDPOINT: collectorUrl,
    LOG_LEVEL: level,
    RESUME_SCAN_MS: '100',
    SWEEP_INTERVAL_MS: '300',
    AUDIT_SEAL_INTERVAL_MS: '200'
  }
}

function installationOf ({ settings, simulator }: TestBroker, environment: Record<string, string>): Record<string, string> {
  return {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    OPERATIONS_PORT: '0',
    PUBLIC_URL: 'http://localhost:3000',
    DATABASE_URL: settings.database.url,
    ENCRYPTION_KEYRING_FILE: settings.keyringFile,
    AZURE_TENANT_ID: simulator.tenantId,
    AZURE_CLIENT_ID: simulator.broker.clientId,
    AZURE_CLIENT_SECRET: simulator.broker.clientSecret,
    ...environment
  }
}

/** The server of the tests may trust everybody: then any password does. */
async function databaseWithPassword (t: Test, canaries: Canaries) {
  const { url, query } = await createTestDatabase(t)
  const proxy = await startPostgresProxy(t, url)
  const proxied = new URL(proxy.url)
  if (proxied.password === '') proxied.password = canaries.key('database password')
  else canaries.add('database password', proxied.password)
  return { database: { url: proxied.href, query }, proxy }
}

function rememberKeyring ({ settings }: TestBroker, canaries: Canaries): void {
  for (const [index, [, k = '']] of [...readFileSync(settings.keyringFile, 'utf8').matchAll(/"k": "([^"]+)"/g)].entries()) {
    canaries.add(`keyring material ${index}`, k)
    canaries.bytes(`bytes of keyring material ${index}`, Buffer.from(k, 'base64url'))
  }
}

async function listenersOf ({ broker: { gatewayServer }, url, operationsUrl }: TestBroker): Promise<Record<Listener, string>> {
  if (gatewayServer === null) throw new Error('There is no gateway listener')
  return { public: url, operations: operationsUrl, gateway: await gatewayServer.listen({ host: '127.0.0.1', port: 0 }) }
}

async function fetchCall ({ broker }: TestBroker, bases: Record<Listener, string>, call: Call) {
  const { method, template, params = {}, query = '', headers = {}, body, type = 'application/json' } = call
  const path = template.replaceAll(/:(\w+)/g, (_match, name: string) => encodeURIComponent(params[name] ?? 'default')).replace('*', 'x')
  const servers = { public: broker.publicServer, gateway: broker.gatewayServer, operations: broker.operationsServer }
  const names = Object.keys(servers) as Listener[]
  const having = names.filter(name => servers[name]?.declaredRoutes().some(route => route.method === method && route.url === template))
  const listener = call.listener ?? having[0] ?? 'operations'
  const response = await fetch(`${bases[listener]}${path}${query}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': type }), ...headers },
    ...(body === undefined ? {} : { body: bytesOf(body, type) })
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}

function bytesOf (body: unknown, type: string): string {
  if (typeof body === 'string') return body
  return type === FORM ? new URLSearchParams(body as Record<string, string>).toString() : JSON.stringify(body)
}

/** One JSON document, or one in each line, or a text. */
function documentsIn (text: string): any[] {
  try {
    return [JSON.parse(text)]
  } catch {
    try {
      return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as unknown)
    } catch {
      return [text]
    }
  }
}

async function scrape ({ operationsUrl }: TestBroker, key: string, haystacks: Haystack[]): Promise<void> {
  for (const [name, path] of [['metrics', '/metrics'], ['audit', '/v2/audit-events?page[size]=100'], ['export', '/v2/registrations/export']] as const) {
    const response = await fetch(`${operationsUrl}${path}`, { headers: { authorization: `Bearer ${key}` } })
    haystacks.push({ name, bytes: Buffer.from(await response.text()) })
  }
}

/** Takes spans as a collector does. */
async function startCollector (t: Test): Promise<{ url: string, bodies: string[] }> {
  const bodies: string[] = []
  const server = createServer((request, answer) => {
    let body = ''
    request.setEncoding('utf8').on('data', (chunk: string) => { body += chunk }).on('end', () => {
      bodies.push(body)
      answer.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies }
}

/** An access token of a service that may register. */
export async function serviceToken ({ simulator, canaries }: { simulator: Simulator, canaries: Canaries }): Promise<string> {
  simulator.control.addResource({ displayName: 'DCR Broker API', identifierUris: [AUDIENCE], appRoles: ['Registration.Create'] })
  const service = simulator.control.addClient('Portal')
  simulator.control.assignRole(service.clientId, AUDIENCE, 'Registration.Create')
  const form = { grant_type: 'client_credentials', client_id: service.clientId, client_secret: service.clientSecret, scope: `${AUDIENCE}/.default` }
  const answer = await fetch(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(form) })
  return canaries.add('access token of a service', (await answer.json() as { access_token: string }).access_token)
}
