// What is fuzzed: a broker process with its database and simulator, and things in it that requests can name and may destroy.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findFreePort } from '../support/free-port.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { INITIAL_ACCESS_TOKEN, KONNECT_KEY, OPERATOR_KEY, request, type Answer } from '../support/broker.ts'
import { makeKeyring, prepareBrokerProcess, type BrokerProcess } from '../support/broker-process.ts'
import { eventually } from '../support/eventually.ts'
import { createTestDatabase } from '../support/postgres.ts'
import type { Teardowns } from '../faults/program.ts'
import type { Listener } from './described-routes.ts'
import { PROBE_FILE, type Probed } from './probe-file.ts'

export interface Installation {
  broker: BrokerProcess
  ports: Record<Listener, number>
  /** What the marks in cases stand for. */
  known: Map<string, string>
  /** The broker at the tenant of the provider contoso. */
  contoso: { clientId: string, clientSecret: string }
  /** Texts that no error of a listener may show. Operators know the tenants and where they are. */
  hidden: Record<Listener, string[]>
  /** `reset`: delays of the event loop are counted anew from here. */
  probe: (reset?: 'reset') => Promise<Probed>
  /** Makes again what has been destroyed. */
  mend: () => Promise<void>
  ask: (listener: Listener, method: string, path: string, body?: unknown, bearer?: string) => Promise<Answer>
}

/** Of the examples in the documents. */
const TENANT = '11111111-2222-4333-8444-555555555555'
const ISSUER = `https://sts.windows.net/${TENANT}/`

export async function openInstallation (t: Teardowns): Promise<Installation> {
  const database = await createTestDatabase(t)
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  simulator.control.journal.enabled = false
  const { broker: contoso } = simulator.control.addTenant(TENANT)
  const keyringFile = await makeKeyring(t)
  const operationsPort = await findFreePort()
  const broker = await prepareBrokerProcess(t, simulator, {
    keyringFile,
    preload: ['test/fuzz/broker-probe'],
    environment: { OPERATIONS_PORT: String(operationsPort), INITIAL_ACCESS_TOKENS: INITIAL_ACCESS_TOKEN, PURGE_AFTER_HOURS: '0' }
  })
  await broker.start(database.url)
  const ports = { public: Number(new URL(broker.url).port), operations: operationsPort }
  const probePort = await eventually('the probe listens', async () => await readFile(join(broker.folder, PROBE_FILE), 'utf8').catch(() => false as const))
  const known = new Map([['konnect key', KONNECT_KEY], ['operator key', OPERATOR_KEY], ['version', '1']])

  const ask: Installation['ask'] = async (listener, method, path, body, bearer = OPERATOR_KEY) =>
    await request(`http://127.0.0.1:${ports[listener]}${path}`, method, body, { authorization: `Bearer ${bearer}`, 'x-api-key': KONNECT_KEY })

  const secrets = [
    KONNECT_KEY, OPERATOR_KEY, INITIAL_ACCESS_TOKEN, contoso.clientSecret, simulator.broker.clientSecret, database.url, broker.folder, keyringFile,
    ...await keysOf(keyringFile)
  ]
  const installation: Installation = {
    broker,
    ports,
    known,
    ask,
    contoso,
    hidden: { public: [...secrets, simulator.tenantId, TENANT, '127.0.0.1:'], operations: secrets },
    probe: async reset => JSON.parse(await (await fetch(`http://127.0.0.1:${probePort}/${reset ?? ''}`)).text()) as Probed,
    mend: async () => await mend(installation)
  }
  await mend(installation)
  return installation
}

async function keysOf (keyringFile: string): Promise<string[]> {
  type Keys = Record<string, { k: string }>
  const { keys, peppers } = JSON.parse(await readFile(keyringFile, 'utf8')) as { keys: Keys, peppers: { keys: Keys } }
  return [...Object.values(keys), ...Object.values(peppers.keys)].map(({ k }) => k)
}

const CLIENT = { client_name: 'Target', redirect_uris: ['https://orders.example.com/callback'] }
const SCOPES = ['register', 'read', 'rotate', 'delete']

type Ask = () => Promise<Answer>

async function mend (installation: Installation): Promise<void> {
  const { known } = installation
  await mendOperators(installation)
  await mendClients(installation, 'default')
  await mendClients(installation, 'contoso')
  await hold(known, 'konnect client', async () => await installation.ask('public', 'GET', `/konnect/${nameIn(known, 'konnect client')}/secrets`),
    async () => await installation.ask('public', 'POST', '/konnect', CLIENT), 'client_id')
  const secrets = await installation.ask('public', 'GET', `/konnect/${nameIn(known, 'konnect client')}/secrets`)
  known.set('secretId', secrets.body.secrets?.[0]?.secret_id ?? 'none')
}

const nameIn = (known: ReadonlyMap<string, string>, name: string): string => known.get(name) ?? 'none'

/** Sets the mark, unless what it stands for is still there. Resolves to what was made. */
async function hold (known: Map<string, string>, name: string, isThere: Ask, make: Ask, member = 'id'): Promise<Answer['body'] | null> {
  const found = known.has(name) ? await isThere() : null
  if (found?.status === 200 && (found.body?.state === undefined || ['active', 'living'].includes(found.body.state))) return null
  const made = await make()
  // A case has just made one of that name: the next time it is gone, or found.
  if (made.status === 409) return null
  if (made.status >= 400) throw new Error(`${name} can't be made: ${made.status} ${JSON.stringify(made.body)}`)
  known.set(name, String(made.body[member]))
  return made.body
}

async function mendOperators ({ ask, known, contoso }: Installation): Promise<void> {
  const resource = async (name: string, body: object) => {
    const show = async () => await ask('operations', 'GET', `/v2/${name}/${nameIn(known, name)}`)
    return await hold(known, name, show, async () => await ask('operations', 'POST', `/v2/${name}`, body))
  }
  const provider = (name: string, credential: { clientId: string, clientSecret: string }) =>
    ({ provider_type: 'azureAd', name, issuer: ISSUER, dcr_config: { initial_client_id: credential.clientId, initial_client_secret: credential.clientSecret } })
  // Clients are registered at one; the other is a target whose credential may be spoilt.
  if (!known.has('contoso')) known.set('contoso', (await ask('operations', 'POST', '/v2/dcr-providers', provider('contoso', contoso))).body.id)
  await resource('dcr-providers', provider(unique('target'), { ...contoso, clientSecret: 'none-that-entra-knows' }))
  const policies = await ask('operations', 'GET', '/v2/policies?filter[name]=partners')
  if (policies.body.data.length === 0) known.delete('policies')
  await resource('policies', { name: 'partners', rules: { max_clients: 50 } })
  await resource('callers', { kind: 'konnect', name: unique('target'), provider: 'default', scopes: ['read'] })
  await resource('application-auth-strategies', {
    name: unique('target'),
    display_name: 'Target',
    strategy_type: 'openid_connect',
    dcr_provider_id: nameIn(known, 'dcr-providers'),
    configs: { 'openid-connect': { issuer: ISSUER, credential_claim: ['appid'], scopes: [], auth_methods: ['client_credentials', 'bearer'] } }
  })
  if (!known.has('kid')) known.set('kid', (await ask('operations', 'GET', '/v2/encryption-keys')).body.data[0].kid)
  known.set('credentialId', (await ask('operations', 'GET', `/v2/dcr-providers/${nameIn(known, 'dcr-providers')}/credentials`)).body.data[0]?.id ?? 'none')
}

/** Tokens and clients of RFC 7591 at a provider. Marks of another than the default one end with its name. */
async function mendClients ({ ask, known }: Installation, provider: 'default' | 'contoso'): Promise<void> {
  const [prefix, suffix] = provider === 'default' ? ['', ''] : [`/t/${provider}`, ` of ${provider}`]
  const get = (name: string) => nameIn(known, name + suffix)
  const token = async (name: string, kind: string, scopes: string[]) => {
    const made = await hold(known, `${name}${suffix}`, async () => await ask('operations', 'GET', `/v2/callers/${get(name)}`),
      async () => await ask('operations', 'POST', '/v2/callers', { kind, name: unique(name), provider, scopes }))
    if (made !== null) known.set(`${name} token${suffix}`, made.token)
  }
  await token('initial', 'initial_access_token', ['register'])
  await token('service', 'service', SCOPES)
  const client = await hold(known, `client${suffix}`, async () => await ask('public', 'GET', `${prefix}/register/${get('client')}`, undefined, get('management token')),
    async () => await ask('public', 'POST', `${prefix}/register`, CLIENT, get('initial token')), 'client_id')
  if (client !== null) known.set(`management token${suffix}`, client.registration_access_token)
  await hold(known, `registrations${suffix}`, async () => await ask('operations', 'GET', `/v2/registrations/${get('registrations')}`), async () => {
    const made = await ask('public', 'POST', `${prefix}/register`, CLIENT, get('service token'))
    if (made.status !== 201) return made
    const list = await ask('operations', 'GET', `/v2/registrations?filter[client_id]=${made.body.client_id}`)
    return { ...list, body: list.body.data[0] }
  })
}

function unique (name: string): string {
  return `${name} ${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}`
}
