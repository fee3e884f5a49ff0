// A whole broker for a test: real PostgreSQL, the simulator, real sockets on free ports.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { assemble, type Broker } from '../../src/assemble.ts'
import { createLogger } from '../../src/logger.ts'
import { completeSettings, type CompleteSettings } from '../../src/settings/complete-settings.ts'
import { readSettings } from '../../src/settings/settings.ts'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { entraEnvironment } from './entra-environment.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'

export const KONNECT_KEY = 'konnect_key_of_the_tests_1'
export const SECOND_KONNECT_KEY = 'konnect_key_of_the_tests_2'
export const OPERATOR_KEY = 'operator_key_of_the_tests_1'
export const INITIAL_ACCESS_TOKEN = 'initial_access_token_of_the_tests_1'

export interface TestBroker {
  broker: Broker
  simulator: Simulator
  database: TestDatabase
  settings: CompleteSettings
  /** Base of the public listener. */
  url: string
  /** Of the provider `default`, as the metadata says it. */
  issuer: string
  /** Base of the operations listener. */
  operationsUrl: string
  /** Everything the broker logged, as lines. */
  logLines: string[]
  konnect: (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>
  /** POST /register, with the initial access token of the environment unless another (or null: none) is given. */
  register: (document: unknown, token?: string | null, headers?: Record<string, string>) => Promise<Answer>
  /** GET, PUT or DELETE on a registration_client_uri, whatever host it names. */
  manage: (method: string, managementUri: string, token: string | null, body?: unknown) => Promise<Answer>
}

export interface Answer {
  status: number
  headers: Headers
  body: any
}

export interface TestBrokerOptions {
  simulator?: SimulatorOptions | Simulator
  database?: TestDatabase
  environment?: Record<string, string>
  /** The issuer is where the broker listens, for clients that look it up there; else http://localhost:3000. */
  isAtItsIssuer?: boolean
}

export async function startTestBroker (t: Pick<Test, 'teardown'>, options: TestBrokerOptions = {}): Promise<TestBroker> {
  const database = options.database ?? await createTestDatabase(t)
  const simulator = await simulatorOf(t, options.simulator)
  const folder = await mkdtemp(join(tmpdir(), 'dcr-test-'))
  const keyringFile = join(folder, 'keyring.json')
  await createKeyringFile(keyringFile)
  const complete = completeSettings(readSettings({
    PORT: '0',
    OPERATIONS_PORT: '0',
    HOST: '127.0.0.1',
    PUBLIC_URL: 'http://localhost:3000',
    DATABASE_URL: database.url,
    ENCRYPTION_KEYRING_FILE: keyringFile,
    ...entraEnvironment(simulator),
    // Its list would come between the calls that tests count.
    RECONCILE_INTERVAL_MS: '0',
    KONNECT_API_KEYS: `${KONNECT_KEY},${SECOND_KONNECT_KEY}`,
    ADMIN_API_KEYS: OPERATOR_KEY,
    INITIAL_ACCESS_TOKENS: INITIAL_ACCESS_TOKEN,
    // Many tests show wrong keys, all from one address.
    AUTHENTICATION_FAILURES_PER_MINUTE: '0',
    LOG_LEVEL: 'debug',
    ...options.environment
  }))
  const settings = options.isAtItsIssuer === true ? { ...complete, publicListener: { ...complete.publicListener, url: null } } : complete
  const logLines: string[] = []
  const log = createLogger({ level: settings.logLevel, pretty: false, destination: { write: line => { logLines.push(line) } } })
  const broker = await assemble(settings, log)
  t.teardown(async () => {
    await broker.close()
    await rm(folder, { recursive: true, force: true })
  })
  const url = await broker.publicServer.listen({ host: '127.0.0.1', port: 0 })
  const operationsUrl = await broker.operationsServer.listen({ host: '127.0.0.1', port: 0 })
  await broker.started
  return {
    broker,
    simulator,
    database,
    settings,
    url,
    issuer: settings.publicListener.url ?? `http://localhost:${new URL(url).port}`,
    operationsUrl,
    logLines,
    konnect: (method, path, body, headers = {}) => request(`${url}/konnect${path}`, method, body, { 'x-api-key': KONNECT_KEY, ...headers }),
    register: (document, token = INITIAL_ACCESS_TOKEN, headers = {}) => request(`${url}/register`, 'POST', document, { ...bearer(token), ...headers }),
    manage: (method, managementUri, token, body) => request(`${url}${new URL(managementUri).pathname}`, method, body, bearer(token))
  }
}

function bearer (token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` }
}

async function simulatorOf (t: Pick<Test, 'teardown'>, given: SimulatorOptions | Simulator | undefined): Promise<Simulator> {
  if (given !== undefined && 'close' in given) return given
  const simulator = await startSimulator(given ?? {})
  t.teardown(() => simulator.close())
  return simulator
}

export async function request (url: string, method: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === '' ? null : parse(text) }
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What Konnect sends, all members of its contract. */
export function konnectApplication (changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    client_name: 'Orders app',
    application_description: 'Reads orders',
    redirect_uris: ['https://orders.example.com/callback'],
    grant_types: ['client_credentials'],
    scopes: ['openid'],
    token_endpoint_auth_method: 'client_secret_post',
    portal_id: 'b1b9a4e5-8f8f-4f11-9d3b-111111111111',
    organization_id: 'b1b9a4e5-8f8f-4f11-9d3b-222222222222',
    developer_id: 'b1b9a4e5-8f8f-4f11-9d3b-333333333333',
    auth_strategy_id: 'b1b9a4e5-8f8f-4f11-9d3b-444444444444',
    dcr_provider_id: 'b1b9a4e5-8f8f-4f11-9d3b-555555555555',
    ...changes
  }
}
