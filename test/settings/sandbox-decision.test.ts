// A sandbox replaces what is missing; an installation, and above all a half-configured one, never gets a replacement.
import { join } from 'node:path'
import t from 'tap'
import { completeSettings } from '../../src/settings/complete-settings.ts'
import { isLoopbackHost } from '../../src/settings/endpoints.ts'
import { readSettings } from '../../src/settings/settings.ts'
import { faultsOf, installation, local } from './environment-fixture.ts'

const tenantOnly = {
  AZURE_TENANT_ID: installation.AZURE_TENANT_ID,
  AZURE_CLIENT_ID: installation.AZURE_CLIENT_ID,
  AZURE_CLIENT_SECRET: installation.AZURE_CLIENT_SECRET
}
const { DATABASE_URL: localDatabase, ...localTenant } = local

t.test('which environments are sandboxes, and what is replaced in them', async t => {
  const all = ['database', 'tenant', 'keyring', 'konnectKeys', 'adminKeys', 'initialAccessTokens']
  const but = (...kept: string[]) => all.filter(part => !kept.includes(part))
  const cases: Array<[string, NodeJS.ProcessEnv, string[] | null]> = [
    ['nothing is set', {}, all],
    ['only ports are set', { PORT: '4000', SIMULATOR_PORT: '0' }, all],
    ['a development environment', { NODE_ENV: 'development' }, all],
    ['keys alone', { KONNECT_API_KEYS: 'konnect_key_0001', ADMIN_API_KEYS: 'operator-key-1' }, but('konnectKeys', 'adminKeys')],
    ['a public address alone, as of a tunnel', { PUBLIC_URL: 'https://tunnel.example.com' }, all],
    ['a local database', { DATABASE_URL: localDatabase }, but('database')],
    ['a local database behind a socket', { DATABASE_URL: 'postgresql://u@%2Fvar%2Frun%2Fpostgresql/x' }, but('database')],
    ['a local database and a keyring', { DATABASE_URL: localDatabase, ENCRYPTION_KEYRING_FILE: '/k' }, but('database', 'keyring')],
    ['a local tenant', localTenant, but('tenant')],
    ['everything local', { ...local, ENCRYPTION_KEYRING_FILE: '/k', PUBLIC_URL: 'http://localhost:3000' }, but('database', 'tenant', 'keyring')],

    ['production without settings', { NODE_ENV: 'production' }, null],
    ['production with a local database', { NODE_ENV: 'production', DATABASE_URL: localDatabase }, null],
    ['production with everything local but the keyring', { NODE_ENV: 'production', ...local }, null],
    ['a remote database', { DATABASE_URL: installation.DATABASE_URL }, null],
    ['a remote database that looks local', { DATABASE_URL: 'postgresql://u@localhost/x?host=db.example.com' }, null],
    ['a database of no address', { DATABASE_URL: 'nonsense' }, null],
    ['a tenant of the public cloud', tenantOnly, null],
    ['a tenant of the public cloud and a local database', { ...tenantOnly, DATABASE_URL: localDatabase }, null],
    ['a keyring alone', { ENCRYPTION_KEYRING_FILE: '/k' }, null],
    ['a local database and a remote Graph', { ...local, GRAPH_BASE_URL: 'https://graph.microsoft.com' }, null],
    ['a local database and a public address', { DATABASE_URL: localDatabase, PUBLIC_URL: 'https://dcr.example.com' }, null],
    ['a database from a file that is not there', { DATABASE_URL_FILE: '/nowhere/at/all' }, null]
  ]
  for (const [name, environment, replaced] of cases) {
    if (replaced === null) {
      t.ok(faultsOf(environment).some(fault => /is missing/.test(fault)), `${name}: refused`)
      continue
    }
    const { sandbox, database, entra, keyringFile } = readSettings(environment)
    const replace: Readonly<Record<string, boolean>> = { ...sandbox?.replace }
    t.strictSame(Object.keys(replace).filter(part => replace[part]), replaced, name)
    t.strictSame([database === null, entra.tenant === null, keyringFile === null],
      [replace.database, replace.tenant, replace.keyring], `${name}: what is replaced is null`)
  }
})

t.test('a complete installation is no sandbox, whatever its environment is called', async t => {
  for (const NODE_ENV of ['production', 'development', undefined]) t.equal(readSettings({ ...installation, NODE_ENV }).sandbox, null)
})

t.test('production without settings is refused with every missing part and the reason', async t => {
  const faults = faultsOf({ NODE_ENV: 'production' })
  for (const name of ['DATABASE_URL', 'AZURE_TENANT_ID', 'ENCRYPTION_KEYRING_FILE', 'PUBLIC_URL', 'AZURE_CLIENT_ID', 'The credential']) {
    t.ok(faults.some(fault => fault.startsWith(name)), name)
  }
  t.match(faults.join('\n'), /NODE_ENV=production never is a sandbox/)
})

t.test('a half-configured installation is told that it is one, and by which settings', async t => {
  const faults = faultsOf({ ...tenantOnly, PUBLIC_URL: installation.PUBLIC_URL })
  const reason = /^(DATABASE_URL|ENCRYPTION_KEYRING_FILE) is missing \(half-configured: with AZURE_TENANT_ID, PUBLIC_URL set/
  t.equal(faults.length, 2)
  for (const fault of faults) t.match(fault, reason)
})

t.test('a tenant of which only a part is given is a fault, not a reason to replace it', async t => {
  const { AZURE_TENANT_ID: tenantId, ...rest } = tenantOnly
  t.match(faultsOf(rest), [/^AZURE_TENANT_ID is missing \(half-configured: AZURE_CLIENT_ID, AZURE_CLIENT_SECRET set\)/])
  t.match(faultsOf({ ...localTenant, AZURE_CLIENT_ID: '' }), [/^AZURE_CLIENT_ID is missing/])
})

t.test('a sandbox listens on loopback, hands out a local URL and keeps its state in one folder', async t => {
  const settings = readSettings({ PORT: '4000', SANDBOX_DIR: 'state' }, { workingDirectory: '/srv/broker' })
  t.match(settings, {
    publicListener: { host: '127.0.0.1', port: 4000, url: 'http://localhost:4000' },
    operationsListener: { host: '127.0.0.1' },
    sandbox: { dir: join('/srv/broker', 'state'), simulatorPort: 3002 }
  })
  t.equal(readSettings({ PORT: '0' }).publicListener.url, null, 'a free port has no URL yet')
  t.equal(readSettings({ PORT: '0', PUBLIC_URL: 'http://localhost:1/' }).publicListener.url, 'http://localhost:1')
})

t.test('an endpoint that the simulator overrides is warned about', async t => {
  const { warnings } = readSettings({ GRAPH_BASE_URL: 'https://graph.microsoft.com' })
  t.equal(warnings.length, 1)
  t.match(warnings[0], /^GRAPH_BASE_URL has no effect without AZURE_TENANT_ID/)
})

t.test('what the sandbox has made takes the place of what is missing and of nothing else', async t => {
  const settings = readSettings({ DATABASE_URL: localDatabase, KONNECT_API_KEYS: 'konnect_key_0001' })
  const tenant = readSettings(installation).entra.tenant ?? undefined
  t.throws(() => completeSettings(settings), /has not replaced every missing part/)
  const complete = completeSettings(settings, {
    databaseUrl: 'postgresql://other',
    keyringFile: '/made',
    ...(tenant && { tenant }),
    konnectApiKeys: ['made_key_00001'],
    adminApiKeys: ['made-operator']
  })
  t.match(complete, {
    database: { url: localDatabase },
    keyringFile: '/made',
    entra: { tenant: { tenantId: installation.AZURE_TENANT_ID }, traffic: { writesPerSecond: 18 } },
    callers: { konnectApiKeys: ['konnect_key_0001'], adminApiKeys: ['made-operator'], initialAccessTokens: [] }
  })
})

t.test('loopback is this machine and nothing that only looks like it', async t => {
  const ours = ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.1', '::1', '[::1]', '[::ffff:7f00:1]', '/var/run']
  for (const host of ours) t.ok(isLoopbackHost(host), host)
  const others = ['', '0.0.0.0', '::', '[::]', '10.0.0.1', '127.0.0.1.example.com', 'localhost.example.com', '127.0.0.1,db', '[::ffff:a00:1]']
  for (const host of others) t.notOk(isLoopbackHost(host), host)
})
