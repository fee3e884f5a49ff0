// A database that comes after the broker: waited for, said in the log and in readiness, and no request is left without an answer.
import { connect, createServer } from 'node:net'
import t from 'tap'
import { findFreePort } from '../support/free-port.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { KONNECT_KEY, konnectApplication, request } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { startMain } from './main-process.ts'

t.test('a broker that comes up before its database answers 503 and asks Graph for nothing, until the database is there', async t => {
  const { url: databaseUrl } = await createTestDatabase(t)
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const keyring = `${t.testdir({})}/keyring.json`
  await createKeyringFile(keyring)
  const [port, operationsPort, databasePort] = [await findFreePort(), await findFreePort(), await findFreePort()]
  const away = new URL(databaseUrl)
  away.host = `127.0.0.1:${databasePort}`
  const main = startMain({
    PORT: String(port),
    HOST: '127.0.0.1',
    OPERATIONS_PORT: String(operationsPort),
    PUBLIC_URL: `http://localhost:${port}`,
    DATABASE_URL: away.href,
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
  const create = () => request(`http://127.0.0.1:${port}/konnect`, 'POST', konnectApplication(), { 'x-api-key': KONNECT_KEY })
  const readiness = () => request(`http://127.0.0.1:${operationsPort}/readyz`, 'GET')
  await eventually('it listens', async () => (await request(`http://127.0.0.1:${operationsPort}/healthz`, 'GET').catch(() => null))?.status === 200)

  const early = await create()
  t.match(early, { status: 503, body: { error: 'temporarily_unavailable', error_description: String } })
  t.ok(Number(early.headers.get('retry-after')) > 0)
  t.match(await request(`http://127.0.0.1:${port}/register`, 'POST', {}, { authorization: 'Bearer some_token_of_this_test' }), {
    status: 503, body: { error: 'temporarily_unavailable' }
  })
  t.match(await request(`http://127.0.0.1:${operationsPort}/v2/registrations`, 'GET', undefined, { authorization: 'Bearer operator_key_of_this_test' }), { status: 503 })
  t.match(await readiness(), { status: 503, body: { checks: { database: 'failed', started: 'failed', keyring: 'ok' } } })
  t.match(await main.output(/"warn".*Not started yet/), /"err":\{[^\n]*ECONNREFUSED[^\n]*Not started yet; requests get 503 until this is mended/)
  t.equal(simulator.control.journal.entries().length, 0)

  const upstream = new URL(databaseUrl)
  const proxy = createServer(client => {
    const database = connect(Number(upstream.port), upstream.hostname)
    client.pipe(database).on('error', () => client.destroy())
    database.pipe(client).on('error', () => database.destroy())
  })
  proxy.listen(databasePort, '127.0.0.1')
  t.teardown(() => proxy.close())
  await eventually('it is ready', async () => (await readiness()).status === 200)
  t.match(await main.output(/"Started"/), /"level":"info"[^\n]*"Started"/)
  t.equal((await create()).status, 201)
  main.child.kill('SIGTERM')
  t.equal((await main.ended).code, 0)
})
