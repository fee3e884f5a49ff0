// The operations listener over a real database, with registrations that the real store has written.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Policies } from '../../src/administration/policies.ts'
import type { PolicyDryRun } from '../../src/administration/policy-dry-run.ts'
import type { Strategies } from '../../src/administration/strategies.ts'
import { createLogger } from '../../src/logger.ts'
import type { RecogniseCaller } from '../../src/http/callers.ts'
import { unconnected, unconnectedIdempotency } from '../../scripts/unconnected.ts'
import { buildOperationsServer } from '../../src/http/operations-server.ts'
import type { OperationsResources } from '../../src/http/operations/routes.ts'
import { createReadiness, type Readiness } from '../../src/http/readiness.ts'
import { createRegistrationsReader } from '../../src/registration/browse.ts'
import type { RegistrationStore } from '../../src/registration/ports.ts'
import type { Caller, Credential, NewRegistration, ProductEvent, Registration, Surface } from '../../src/registration/registration.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createRegistrationBrowser } from '../../src/store/registration-browser.ts'
import { createRegistrationStore } from '../../src/store/registration-store.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { someCaller, someMetadata, someNewRegistration, someProjection } from '../support/records.ts'

type Closing = Pick<Test, 'teardown'>

export const operatorKey = 'operator-key-0123456789'
export const authorized = { authorization: `Bearer ${operatorKey}` }

/** An operator of everything, who may only read. */
export const operator: Caller = someCaller({ id: randomUUID(), kind: 'operator', scopes: ['read'] })

export function recogniser (caller: Caller): RecogniseCaller {
  return async (kind, key) => kind === caller.kind && key === operatorKey ? caller : null
}

export interface Records {
  database: TestDatabase
  store: RegistrationStore
  reader: ReturnType<typeof createRegistrationsReader>
  /** Makes a provider with its strategy and caller; resolves to its id. */
  addProvider (name: string): Promise<string>
  /** Reserves and then saves a registration, as a finished saga does. */
  add (wanted?: Wanted): Promise<Registration>
}

export interface Wanted {
  provider?: string
  callerId?: string
  surface?: Surface
  clientName?: string
  createdAt?: Date
  change?: Partial<Registration>
  credential?: Partial<Credential>
  events?: ProductEvent[]
}

export async function createRecords (t: Closing): Promise<Records> {
  const database = await createTestDatabase(t)
  const opened = openDatabase({ connectionString: database.url, maxConnections: 4 })
  t.teardown(opened.close)
  const times = { leaseMs: 15_000, attemptTimeoutMs: 3_000, redeliveryWindowMs: 120_000 }
  const store = createRegistrationStore(opened, times, () => performance.now())
  const providers = new Map<string, { id: string, strategyId: string, callerId: string }>()

  async function addProvider (name: string): Promise<string> {
    const ids = { id: randomUUID(), strategyId: randomUUID(), callerId: randomUUID() }
    providers.set(name, ids)
    await database.query("INSERT INTO provider (id, name, origin, issuer, tenant_id, initial_client_id) VALUES ($1, $2, 'environment', 'https://issuer.test', $3, $3)",
      [ids.id, name, randomUUID()])
    await database.query("INSERT INTO auth_strategy (id, provider_id, name, origin, is_default, issuer, token_version) VALUES ($1, $2, 'default', 'environment', true, 'https://issuer.test', 2)",
      [ids.strategyId, ids.id])
    await addCaller(ids.callerId, ids.id)
    return ids.id
  }

  async function addCaller (id: string, providerId: string): Promise<void> {
    await database.query("INSERT INTO caller (id, kind, name, origin, key_digest, provider_id) VALUES ($1, 'konnect', 'tests', 'environment', $2, $3) ON CONFLICT DO NOTHING",
      [id, Buffer.from(id), providerId])
  }

  async function add (wanted: Wanted = {}): Promise<Registration> {
    const provider = providers.get(wanted.provider ?? 'default')
    if (provider === undefined) throw new Error('No such provider')
    const callerId = wanted.callerId ?? provider.callerId
    await addCaller(callerId, provider.id)
    const reservation = await store.reserve(newRegistration(wanted, { providerId: provider.id, strategyId: provider.strategyId, callerId }), [])
    if (reservation.kind !== 'reserved') throw new Error('Not reserved')
    const { held, held: { registration } } = reservation
    Object.assign(registration, { state: 'active', objectId: randomUUID(), clientId: randomUUID(), principalId: randomUUID(), appliedRevision: 1, activatedAt: new Date() }, wanted.change)
    Object.assign(registration.credentials[0] ?? {}, { state: 'active', keyId: randomUUID(), hint: 'abc' }, wanted.credential)
    const saved = await store.save(held, { lease: { kind: 'release', dueInMs: null }, credentials: registration.credentials, events: wanted.events ?? [] })
    if (!saved) throw new Error('Not saved')
    return registration
  }

  await addProvider('default')
  const reader = createRegistrationsReader(createRegistrationBrowser(opened.prisma))
  return { database, store, reader, addProvider, add }
}

function newRegistration (wanted: Wanted, owner: Pick<NewRegistration, 'providerId' | 'strategyId' | 'callerId'>): NewRegistration {
  const { surface = 'konnect', clientName = 'A client', createdAt = new Date() } = wanted
  const redirectUris = ['https://app.test/callback']
  return someNewRegistration({ ...owner, id: randomUUID(), credentialId: randomUUID(), createdAt }, {
    surface,
    metadata: someMetadata({ clientName, redirectUris, grantTypes: ['authorization_code'], scopes: ['openid'], tokenEndpointAuthMethod: 'client_secret_post' }),
    projection: someProjection({ displayName: clientName, accessTokenVersion: 2, redirectUris: { web: redirectUris, publicClient: [], spa: [] } })
  })
}

export interface ServerWanted {
  records?: Pick<Records, 'reader'> & { strategies?: Strategies, policies?: Policies, dryRun?: PolicyDryRun }
  caller?: Caller
  readiness?: Readiness
}

/** Every use case fails with an error nobody knows. */
export const brokenResources = resourcesWith({})

function resourcesWith (connected: Partial<OperationsResources>): OperationsResources {
  return unconnected(() => new Error('postgresql://broker:hunter2@db'), connected)
}

function connectedOf (records: ServerWanted['records']): Partial<OperationsResources> {
  if (records === undefined) return {}
  const { reader, strategies, policies, dryRun } = records
  return {
    registrations: reader,
    ...(strategies === undefined ? {} : { strategies }),
    ...(policies === undefined ? {} : { policies }),
    ...(dryRun === undefined ? {} : { dryRun })
  }
}

const unchecked = createReadiness({ checks: {}, tenants: () => ({}) })

/** Without records: every use case fails with an error nobody knows. */
export async function createServer (t: Closing, { records, caller = operator, readiness = unchecked }: ServerWanted = {}): Promise<FastifyInstance> {
  const server = await buildOperationsServer({
    logger: createLogger({ level: 'silent' }),
    resources: resourcesWith(connectedOf(records)),
    recogniseCaller: recogniser(caller),
    idempotency: unconnectedIdempotency,
    readiness,
    documents: { public: () => ({ openapi: '3.1.0', info: { title: 'public' } }), gateway: () => ({ openapi: '3.1.0', info: { title: 'gateway' } }) },
    version: '1.2.3',
    metrics: { contentType: 'text/plain', text: async () => '' }
  })
  t.teardown(async () => await server.close())
  return server
}
