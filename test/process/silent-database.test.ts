// A database behind a connection that nobody answers any more keeps neither start-up, nor readiness, nor the end waiting.
import t from 'tap'
import { checkMigrations, createMigrationsCheck, startUp, type StartupParts } from '../../src/startup.ts'
import { applyMigrations, migrationStatus } from '../../src/store/migrations.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { systemClock } from '../../src/system-clock.ts'
import { createCatalogue } from '../../src/store/catalogue.ts'
import { createEnvelopeVault } from '../../src/vault/envelope-vault.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { KONNECT_KEY, konnectApplication, request } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { startSilentPostgres } from '../support/silent-postgres.ts'
import { keyringFile, keyringOf } from '../vault/keyring-fixture.ts'
import { startMain } from './main-process.ts'

t.jobs = 4

const never = () => new AbortController().signal

t.test('a status is given up after two seconds, as a database that is away, when nobody answers the connection', async t => {
  const silent = await startSilentPostgres(t, (await createTestDatabase(t)).url)
  const startedAtMs = performance.now()
  await t.rejects(checkMigrations(silent.url, never()), { name: 'StoreUnavailableError', cause: { code: 'ETIMEDOUT' } })
  t.ok(performance.now() - startedAtMs < 30_000)
  await eventually('the connection is closed', () => silent.connections() === 0)
})

t.test('a status is given up after two seconds, as a database that is away, when nobody answers the query', async t => {
  const silent = await startSilentPostgres(t, (await createTestDatabase(t)).url, { until: 'to_regclass' })
  const startedAtMs = performance.now()
  await t.rejects(checkMigrations(silent.url, never()), { name: 'StoreUnavailableError', cause: { message: 'Query read timeout' } })
  t.ok(performance.now() - startedAtMs < 30_000)
  await eventually('the connection is closed', () => silent.connections() === 0)
})

for (const until of [undefined, 'to_regclass', 'pg_advisory_lock']) {
  t.test(`an abort ends the wait for a database that is silent ${until === undefined ? 'from the start' : `at ${until}`}`, async t => {
    const { url } = await createTestDatabase(t)
    const silent = await startSilentPostgres(t, url, until === undefined ? {} : { until })
    const stop = new AbortController()
    const work: Promise<unknown> = until === 'pg_advisory_lock'
      ? applyMigrations({ connectionString: silent.url, signal: stop.signal })
      : migrationStatus(silent.url, { signal: stop.signal })
    await eventually('it is silent', silent.isSilent)
    const startedAtMs = performance.now()
    stop.abort(new Error('enough'))
    await t.rejects(work, { message: 'enough' })
    t.ok(performance.now() - startedAtMs < 1_800)
  })
}

t.test('readiness that asks again and again holds one connection at most', async t => {
  const silent = await startSilentPostgres(t, (await createTestDatabase(t)).url)
  const check = createMigrationsCheck(silent.url)
  const asked = Array.from({ length: 5 }, () => t.rejects(check(never()), { name: 'StoreUnavailableError' }))
  await eventually('it is connected', () => silent.connections() === 1)
  await Promise.all([...asked, t.rejects(check(never()), { name: 'StoreUnavailableError' })])
  t.equal(silent.opened(), 1)
  await t.rejects(check(AbortSignal.abort(new Error('too late'))), { message: 'too late' }, 'the next one is asked anew')
})

t.test('a start that waits for a silent database ends at once when the broker closes', async t => {
  const silent = await startSilentPostgres(t, (await createTestDatabase(t)).url)
  const { run, close } = openDatabase({ connectionString: silent.url })
  t.teardown(close)
  const tenantId = '01a20951-0000-4000-8000-000000000001'
  const parts: StartupParts = {
    run,
    databaseUrl: silent.url,
    migrates: true,
    vault: createEnvelopeVault(keyringOf(keyringFile())),
    keyWatch: { look: async () => {}, fault: () => null, leave: async () => {} },
    catalogue: createCatalogue(run),
    provider: { tenantId, initialClientId: tenantId, issuer: `https://sts.windows.net/${tenantId}/` },
    callers: []
  }
  const stop = new AbortController()
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const started = startUp(parts, systemClock, log, stop.signal)
  await eventually('it is connected', () => silent.connections() === 1)
  const startedAtMs = performance.now()
  stop.abort()
  t.equal(await started, null)
  t.ok(performance.now() - startedAtMs < 1_800)
})

t.test('a broker whose database has gone silent ends in good order, and says how many delivery marks are lost', async t => {
  const database = await createTestDatabase(t)
  const proxy = await startSilentPostgres(t, database.url, { until: 'm.delivery' }) // the statement that marks deliveries
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const keyring = `${t.testdir({})}/keyring.json`
  await createKeyringFile(keyring)
  const main = startMain({
    PORT: '0',
    HOST: '127.0.0.1',
    OPERATIONS_PORT: '0',
    PUBLIC_URL: 'http://localhost:3000',
    DATABASE_URL: proxy.url,
    ENCRYPTION_KEYRING_FILE: keyring,
    AZURE_TENANT_ID: simulator.tenantId,
    AZURE_CLIENT_ID: simulator.broker.clientId,
    AZURE_CLIENT_SECRET: simulator.broker.clientSecret,
    AZURE_AUTHORITY_HOST: simulator.url,
    GRAPH_BASE_URL: simulator.url,
    KONNECT_API_KEYS: KONNECT_KEY,
    ADMIN_API_KEYS: 'operator_key_of_this_test'
  })
  t.teardown(() => main.child.kill('SIGKILL'))
  const [, url = ''] = /Server listening at ([^"]+)"[^]*"Started"/.exec(await main.output(/"Started"/)) ?? []
  t.equal((await request(`${url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': KONNECT_KEY })).status, 201)
  await eventually('the mark is on its way', proxy.isSilent)
  proxy.silence()
  const startedAtMs = performance.now()
  main.child.kill('SIGTERM')
  const { code, stdout } = await main.ended
  t.equal(code, 0)
  t.match(stdout, /"marks":1,"msg":"Delivery marks are lost/)
  t.ok(performance.now() - startedAtMs < 60_000)
})
