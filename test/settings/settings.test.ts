// Settings: read once, typed, frozen, with every fault told at once.
import t from 'tap'
import { completeSettings } from '../../src/settings/complete-settings.ts'
import { readSettings, SettingsError } from '../../src/settings/settings.ts'
import { faultsOf, installation } from './environment-fixture.ts'

t.test('an installation with the necessary settings gets the documented defaults', async t => {
  const settings = readSettings(installation)
  t.strictSame(settings, {
    publicListener: { host: '0.0.0.0', port: 3000, url: 'https://dcr.example.com' },
    operationsListener: { host: '127.0.0.1', port: 3001 },
    gatewayListener: null,
    requests: { trustedProxies: [], authenticationFailuresPerMinute: 30 },
    database: { url: installation.DATABASE_URL },
    keyringFile: installation.ENCRYPTION_KEYRING_FILE,
    entra: {
      tenant: {
        tenantId: installation.AZURE_TENANT_ID,
        clientId: installation.AZURE_CLIENT_ID,
        credential: { kind: 'secret', secret: installation.AZURE_CLIENT_SECRET },
        authorityHost: 'https://login.microsoftonline.com',
        graphBaseUrl: 'https://graph.microsoft.com'
      },
      traffic: { writesPerSecond: 18, burst: 90, concurrency: 64 },
      federatedTokenFile: null
    },
    callers: { konnectApiKeys: [], adminApiKeys: [], gatewayApiKeys: [], initialAccessTokens: [] },
    registrationMode: 'token',
    serviceTokens: { audiences: [], role: 'Registration.Create' },
    operatorTokens: {
      audiences: [], roles: { 'Broker.Read': ['read', 'audit'], 'Broker.Admin': ['register', 'read', 'rotate', 'delete', 'admin', 'audit'] }
    },
    limits: {
      requestDeadlineMs: 8000,
      attemptTimeoutMs: 3000,
      leaseMs: 15_000,
      resumeScanMs: 5000,
      redeliveryWindowMs: 120_000,
      sweepIntervalMs: 300_000,
      sweepDelaysMs: [600_000, 86_400_000],
      supersededGraceMs: 60_000,
      maxSecretsPerClient: 5,
      maxExpiredPerRun: 50,
      auditSealIntervalMs: 1000
    },
    reconciliation: {
      intervalMs: 3_600_000,
      minAgeMs: 3_600_000,
      secondLookMs: 600_000,
      verificationHours: 24,
      neverLinkedDays: 0,
      neverLinkedGraceDays: 30
    },
    purgeAfterHours: 168,
    secretLifetimeDays: { konnect: 730, register: 180 },
    probeNewSecrets: false,
    logLevel: 'info',
    telemetry: null,
    sandbox: null,
    warnings: []
  })
})

t.test('values are coerced, lists are split, empty ones count as not set', async t => {
  const settings = readSettings({
    ...installation,
    PORT: '0',
    HOST: '',
    OPERATIONS_HOST: '0.0.0.0',
    GRAPH_WRITES_PER_SECOND: '0.5',
    PROBE_NEW_SECRETS: 'true',
    KONNECT_API_KEYS: 'first_key_0001, second_key_002,',
    ADMIN_API_KEYS: 'operator-key.0001',
    INITIAL_ACCESS_TOKENS: '',
    LOG_LEVEL: 'debug',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318'
  })
  t.match(settings, {
    publicListener: { host: '0.0.0.0', port: 0 },
    entra: { traffic: { writesPerSecond: 0.5 } },
    probeNewSecrets: true,
    callers: { konnectApiKeys: ['first_key_0001', 'second_key_002'], adminApiKeys: ['operator-key.0001'] },
    logLevel: 'debug',
    telemetry: { otlpEndpoint: 'http://collector:4318' }
  })
  t.strictSame(settings.callers.initialAccessTokens, [])
})

t.test('settings are frozen through and through, and the environment is left as it was', async t => {
  const environment = { ...installation, PORT: '3005' }
  const settings = readSettings(environment)
  t.strictSame(environment, { ...installation, PORT: '3005' })
  const thawed: string[] = []
  const visit = (path: string, value: unknown) => {
    if (typeof value !== 'object' || value === null) return
    if (!Object.isFrozen(value)) thawed.push(path)
    for (const [name, member] of Object.entries(value)) visit(`${path}.${name}`, member)
  }
  visit('settings', settings)
  visit('sandbox settings', readSettings({}))
  visit('complete settings', completeSettings(settings))
  t.strictSame(thawed, [])
  t.throws(() => Object.assign(settings.limits, { leaseMs: 1 }), TypeError)
})

t.test('many faults of every kind are told in one error, a line for each that says what is accepted', async t => {
  const environment = {
    NODE_ENV: 'production',
    PORT: '70000',
    OPERATIONS_PORT: 'tcp://10.0.0.1:3001',
    LOG_LEVEL: 'loud',
    AZURE_TENANT_ID: 'contoso',
    AZURE_CLIENT_SECRET: 'a',
    AZURE_CLIENT_CERTIFICATE_PATH: '/c.pem',
    GRAPH_BASE_URL: 'http://graph.example.com',
    PUBLIC_URL: 'dcr.example.com',
    KONNECT_API_KEYS: 'short',
    ADMIN_API_KEYS_FILE: '/nowhere/at/all',
    ATTEMPT_TIMEOUT_MS: '10000',
    LEASE_MS: '15000'
  }
  const named = [
    'PORT', 'OPERATIONS_PORT', 'LOG_LEVEL', 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'GRAPH_BASE_URL', 'PUBLIC_URL',
    'KONNECT_API_KEYS', 'ADMIN_API_KEYS_FILE', 'LEASE_MS', 'REQUEST_DEADLINE_MS', 'DATABASE_URL', 'ENCRYPTION_KEYRING_FILE'
  ]
  const faults = faultsOf(environment)
  for (const name of named) t.equal(faults.filter(fault => fault.startsWith(name)).length, 1, name)
  t.equal(faults.length, named.length)
  for (const fault of faults) t.match(fault, /Accepted: .+\.$/)
  t.throws(() => readSettings(environment), new SettingsError(faults))
  const lines = new SettingsError(faults).message.split('\n')
  t.strictSame(lines.slice(1), faults.map(fault => `  - ${fault}`))
})

t.test('each rule refuses what it is for and accepts the nearest good value', async t => {
  const key = 'konnect_key_0001'
  const cases: Array<[string, NodeJS.ProcessEnv, RegExp | null]> = [
    ['Graph over http', { GRAPH_BASE_URL: 'http://graph.example.com' }, /^GRAPH_BASE_URL uses http/],
    ['Graph over http on loopback', { GRAPH_BASE_URL: 'http://[::1]:3002' }, null],
    ['Graph with a version', { GRAPH_BASE_URL: 'https://graph.microsoft.com/v1.0/' }, /^GRAPH_BASE_URL ends with a version/],
    ['an authority over http', { AZURE_AUTHORITY_HOST: 'http://login.microsoftonline.com' }, /^AZURE_AUTHORITY_HOST uses http/],
    ['an authority of no known cloud', { AZURE_AUTHORITY_HOST: 'https://login.example.com' }, /^GRAPH_BASE_URL is missing/],
    ['the same with Graph', { AZURE_AUTHORITY_HOST: 'https://login.example.com', GRAPH_BASE_URL: 'https://graph.example.com' }, null],
    ['a public URL over http', { PUBLIC_URL: 'http://dcr.example.com' }, /^PUBLIC_URL uses http/],
    ['a public URL over http on loopback', { PUBLIC_URL: 'http://localhost:3000' }, null],
    ['a public URL with a query', { PUBLIC_URL: 'https://dcr.example.com/?' }, /^PUBLIC_URL must not have/],
    ['a public URL with a user', { PUBLIC_URL: 'https://a:b@dcr.example.com' }, /^PUBLIC_URL must not have/],
    ['another database', { DATABASE_URL: 'mysql://db/x' }, /^DATABASE_URL is not a PostgreSQL URL/],
    ['a database without a host', { DATABASE_URL: 'postgresql:///x' }, /^DATABASE_URL is not a PostgreSQL URL/],
    ['no credential', { AZURE_CLIENT_SECRET: '' }, /^The credential for Entra is missing/],
    ['two credentials', { AZURE_CLIENT_CERTIFICATE_PATH: '/c.pem' }, /^AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH are set together/],
    ['an open operations listener without a key', { OPERATIONS_HOST: '0.0.0.0' }, /^OPERATIONS_HOST is not loopback/],
    ['the same with a key', { OPERATIONS_HOST: '0.0.0.0', ADMIN_API_KEYS: 'operator-key-1' }, null],
    ['a short Konnect key', { KONNECT_API_KEYS: 'elevenchars' }, /^KONNECT_API_KEYS entry 1 is not acceptable/],
    ['a long Konnect key', { KONNECT_API_KEYS: 'k'.repeat(257) }, /^KONNECT_API_KEYS entry 1 is not acceptable/],
    ['Konnect keys at both bounds', { KONNECT_API_KEYS: `${'k'.repeat(12)},${'k'.repeat(256)}` }, null],
    ['a Konnect key with a dash', { KONNECT_API_KEYS: `${key},konnect-key-0001` }, /^KONNECT_API_KEYS entry 2 is not acceptable/],
    ['a Konnect key twice', { KONNECT_API_KEYS: `${key},${key}` }, /^KONNECT_API_KEYS entry 2 is the same as KONNECT_API_KEYS entry 1/],
    ['a key for two kinds of caller', { KONNECT_API_KEYS: key, ADMIN_API_KEYS: key }, /^ADMIN_API_KEYS entry 1 is the same as KONNECT_API_KEYS/],
    ['a list of commas', { KONNECT_API_KEYS: ' , ' }, /^KONNECT_API_KEYS holds no key/],
    ['a mode of no meaning', { REGISTRATION_MODE: 'closed' }, /^REGISTRATION_MODE .*open, token, disabled/],
    ['audiences of service tokens', { REGISTER_TOKEN_AUDIENCE: 'api://dcr, 5c0d2f7e-8a53-4a55-9a53-0b8c0b7e9f10' }, null],
    ['a list of no audience', { REGISTER_TOKEN_AUDIENCE: ' , ' }, /^REGISTER_TOKEN_AUDIENCE is not acceptable/],
    ['an audience with a space', { REGISTER_TOKEN_AUDIENCE: 'api://dcr broker' }, /^REGISTER_TOKEN_AUDIENCE is not acceptable/],
    ['operator roles', { OPERATOR_TOKEN_ROLES: 'Support.Read=read, Support.Lead=read+rotate' }, null],
    ['an operator role without a scope', { OPERATOR_TOKEN_ROLES: 'Broker.Read' }, /^OPERATOR_TOKEN_ROLES is not acceptable/],
    ['an operator role with a scope nobody knows', { OPERATOR_TOKEN_ROLES: 'Broker.Read=read+everything' }, /^OPERATOR_TOKEN_ROLES is not acceptable/],
    ['two roles', { REGISTER_TOKEN_ROLE: 'One,Two' }, /^REGISTER_TOKEN_ROLE is not acceptable/],
    ['an expiry that is off', { EXPIRY_MAX_PER_RUN: '0' }, null],
    ['an expiry without a bound', { EXPIRY_MAX_PER_RUN: '10001' }, /^EXPIRY_MAX_PER_RUN is not acceptable/],
    ['a port twice', { OPERATIONS_PORT: '3000' }, /^OPERATIONS_PORT is the same as PORT/],
    ['two free ports', { PORT: '0', OPERATIONS_PORT: '0' }, null],
    ['a port of gateways that is another\'s', { GATEWAY_PORT: '3001' }, /^GATEWAY_PORT is the same as OPERATIONS_PORT/],
    ['three free ports', { PORT: '0', OPERATIONS_PORT: '0', GATEWAY_PORT: '0' }, null],
    ['a port of gateways that is none', { GATEWAY_PORT: '65536' }, /^GATEWAY_PORT is not acceptable/],
    ['gateways elsewhere whose keys are made at run time', { GATEWAY_PORT: '3003', GATEWAY_HOST: '0.0.0.0' }, null],
    ['a short key of a gateway', { GATEWAY_API_KEYS: 'elevenchars' }, /^GATEWAY_API_KEYS entry 1 is not acceptable/],
    ['a key of a gateway with a space', { GATEWAY_API_KEYS: 'a gateway key' }, /^GATEWAY_API_KEYS entry 1 is not acceptable/],
    ['a key for a gateway and an operator', { ADMIN_API_KEYS: key, GATEWAY_API_KEYS: key }, /^GATEWAY_API_KEYS entry 1 is the same as ADMIN_API_KEYS/],
    ['failures without a bound', { GATEWAY_FAILURES_PER_MINUTE: '10001' }, /^GATEWAY_FAILURES_PER_MINUTE is not acceptable/],
    ['a lease that allows no call', { LEASE_MS: '8000' }, /^LEASE_MS is too short/],
    ['the shortest lease', { LEASE_MS: '8001' }, null],
    ['a window shorter than a request', { REDELIVERY_WINDOW_MS: '7999' }, /^REDELIVERY_WINDOW_MS is too short/],
    ['a time in which nobody links a client', { NEVER_LINKED_DAYS: '6' }, /^NEVER_LINKED_DAYS is too short/],
    ['looks in the wrong order', { SWEEP_SECOND_LOOK_MS: '599999' }, /^SWEEP_SECOND_LOOK_MS is too short/],
    ['a proxy that is no address', { TRUSTED_PROXIES: '10.0.0.1, proxy.example.com' }, /^TRUSTED_PROXIES has an entry/],
    ['everybody as a proxy', { TRUSTED_PROXIES: '0.0.0.0/0' }, /^TRUSTED_PROXIES has an entry/],
    ['a network larger than there are', { TRUSTED_PROXIES: '10.0.0.0/33' }, /^TRUSTED_PROXIES has an entry/],
    ['proxies by address and network', { TRUSTED_PROXIES: '10.0.0.1, 10.1.0.0/16,2001:db8::/32' }, null],
    ['a collector that is no URL', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector:4318' }, /^OTEL_EXPORTER_OTLP_ENDPOINT is not a URL/]
  ]
  for (const [name, change, fault] of cases) {
    const faults = faultsOf({ ...installation, ...change })
    if (fault === null) t.strictSame(faults, [], name)
    else t.ok(faults.length === 1 && fault.test(faults[0] ?? ''), name, { faults })
  }
})

t.test('gateways are listened to where a port is given, and beyond loopback /verify asks for a key', async t => {
  const of = (environment: NodeJS.ProcessEnv) => readSettings({ ...installation, GATEWAY_PORT: '3003', ...environment }).gatewayListener
  t.strictSame(of({}), { host: '127.0.0.1', port: 3003, needsKey: false, failuresPerMinute: 30 })
  for (const host of ['127.0.0.2', '::1', 'localhost']) t.match(of({ GATEWAY_HOST: host }), { host, needsKey: false })
  for (const host of ['0.0.0.0', '::', '10.0.0.7', 'gateway.internal', '127.0.0.1.example.com']) t.match(of({ GATEWAY_HOST: host }), { host, needsKey: true })
  t.strictSame(of({ GATEWAY_PORT: '' }), null)
  t.match(readSettings({ ...installation, GATEWAY_API_KEYS: 'gateway_key_1, gateway_key_2' }).callers, { gatewayApiKeys: ['gateway_key_1', 'gateway_key_2'] })
})

t.test('service tokens are for the broker\'s own app at each provider unless an audience is set', async t => {
  t.strictSame(completeSettings(readSettings(installation)).serviceTokens, { audiences: [], role: 'Registration.Create' })
  const other = { ...installation, REGISTER_TOKEN_AUDIENCE: 'api://dcr , api://other', REGISTER_TOKEN_ROLE: 'Clients.Make' }
  t.strictSame(completeSettings(readSettings(other)).serviceTokens, { audiences: ['api://dcr', 'api://other'], role: 'Clients.Make' })
})

t.test('the cloud of the authority decides about Graph', async t => {
  const clouds = [
    ['https://login.microsoftonline.us/', 'https://graph.microsoft.us'],
    ['https://login.partner.microsoftonline.cn', 'https://microsoftgraph.chinacloudapi.cn']
  ]
  for (const [authority, graph] of clouds) {
    t.equal(readSettings({ ...installation, AZURE_AUTHORITY_HOST: authority }).entra.tenant?.graphBaseUrl, graph)
  }
})

t.test('a certificate or a federated token takes the place of the secret', async t => {
  const { AZURE_CLIENT_SECRET: _, ...without } = installation
  t.strictSame(readSettings({ ...without, AZURE_CLIENT_CERTIFICATE_PATH: '/c.pem' }).entra.tenant?.credential, { kind: 'certificate', path: '/c.pem' })
  t.strictSame(readSettings({ ...without, AZURE_FEDERATED_TOKEN_FILE: '/t' }).entra.tenant?.credential, { kind: 'federated', tokenFile: '/t' })
})

t.test('the platform\'s token file may stand beside the default provider\'s own credential: other providers use it', async t => {
  const { entra } = readSettings({ ...installation, AZURE_FEDERATED_TOKEN_FILE: '/t' })
  t.match(entra, { tenant: { credential: { kind: 'secret' } }, federatedTokenFile: '/t' })
})
