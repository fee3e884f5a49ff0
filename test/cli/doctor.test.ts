// dcr-broker doctor and serve, the progress line, and the page that lists every command.
import { chmod, readFile } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { readGeneratedPart } from '../../scripts/generated-part.ts'
import { createProgress } from '../../src/cli/progress.ts'
import { cliReference } from '../../src/cli/reference.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { startMain } from '../process/main-process.ts'
import { konnectApplication, OPERATOR_KEY, startTestBroker, type TestBroker } from '../support/broker.ts'
import { createTestDatabase } from '../support/postgres.ts'
import { runHere } from './run-cli.ts'

/** The environment of a running broker, as an installation has it. */
function environmentOf ({ settings, simulator, database }: Pick<TestBroker, 'settings' | 'simulator' | 'database'>): Record<string, string> {
  return {
    NODE_ENV: 'production',
    PORT: '0',
    HOST: '127.0.0.1',
    OPERATIONS_PORT: '0',
    PUBLIC_URL: 'http://localhost:3000',
    DATABASE_URL: database.url,
    ENCRYPTION_KEYRING_FILE: settings.keyringFile,
    AZURE_TENANT_ID: simulator.tenantId,
    AZURE_CLIENT_ID: simulator.broker.clientId,
    AZURE_CLIENT_SECRET: simulator.broker.clientSecret,
    AZURE_AUTHORITY_HOST: simulator.url,
    GRAPH_BASE_URL: simulator.url,
    ADMIN_API_KEYS: OPERATOR_KEY
  }
}

interface Report { healthy: boolean, findings: Array<{ area: string, status: string, found: string, advice: string | null }> }

async function doctor (environment: Record<string, string>): Promise<{ code: number, report: Report, text: string }> {
  const { code, stdout } = await runHere(['doctor', '--json'], environment)
  return { code, report: JSON.parse(stdout) as Report, text: stdout }
}

const failuresOf = ({ findings }: Report) => findings.filter(({ status }) => status === 'failed')

/** Every failure has advice, and nothing that is said holds a secret. */
function checkWords (t: Test, { report, text }: { report: Report, text: string }, secrets: readonly string[]): void {
  for (const { advice } of report.findings.filter(({ status }) => status !== 'ok')) t.match(advice, /\S+/)
  for (const secret of secrets) t.notOk(text.includes(secret))
}

t.test('a healthy installation is found healthy, part by part, and nothing is changed in Entra', async t => {
  const broker = await startTestBroker(t)
  t.equal((await broker.konnect('POST', '', konnectApplication())).status, 201)
  const environment = environmentOf(broker)
  broker.simulator.control.journal.clear()
  const result = await doctor(environment)
  t.same(failuresOf(result.report), [])
  t.match(result, { code: 0, report: { healthy: true } })
  const found = result.report.findings.map(({ area, found }) => `${area}: ${found}`).join('\n')
  for (const expected of [
    /^settings: The settings are complete/m, /^database: PostgreSQL \d+/m, /^database: The database user has the rights/m,
    /^database: The clock of PostgreSQL agrees/m, /^migrations: The database is at this release's schema/m,
    /^keyring: The file is good/m, /^keyring: It is the keyring of this database/m, /^callers: One operator key/m,
    /^tenant: Entra gives the broker a token/m, /^tenant: It has Application\.ReadWrite\.OwnedBy/m, /^tenant: It owns the newest application/m
  ]) t.match(found, expected)
  const asked = broker.simulator.control.journal.entries()
  t.ok(asked.length > 0)
  t.same(asked.filter(({ method, path }) => method !== 'GET' && !path.includes('/token')), [])
  checkWords(t, result, [broker.simulator.broker.clientSecret, OPERATOR_KEY, new URL(broker.database.url).password || 'no password'])
  const words = await runHere(['doctor'], environment)
  t.equal(words.code, 0)
  t.match(words.stdout, /^Healthy/m)
})

t.test('everything that is wrong is found at once, each with what to do', async t => {
  const simulator = await startSimulator({ brokerRoles: ['Application.Read.All'] })
  t.teardown(() => simulator.close())
  const database = await createTestDatabase(t, { empty: true })
  const keyring = `${t.testdir({})}/keyring.json`
  await createKeyringFile(keyring)
  await chmod(keyring, 0o644)
  const environment = environmentOf({ simulator, database, settings: { keyringFile: keyring } as TestBroker['settings'] })
  const first = await doctor(environment)
  t.match(first, { code: 1, report: { healthy: false } })
  t.same(failuresOf(first.report).map(({ area }) => area).sort(), ['keyring', 'migrations', 'tenant'])
  t.match(failuresOf(first.report).find(({ area }) => area === 'migrations')?.advice, /dcr-broker migrate/)
  t.match(failuresOf(first.report).find(({ area }) => area === 'tenant'), { found: /does not carry Application\.ReadWrite\.OwnedBy/, advice: /admin consent/ })
  checkWords(t, first, [simulator.broker.clientSecret])

  const wrong = await doctor({ ...environment, AZURE_CLIENT_SECRET: 'hunter2-wrong-secret', DATABASE_URL: 'postgresql://broker:hunter2-db@127.0.0.1:9/dcr' })
  t.same(failuresOf(wrong.report).map(({ area }) => area).sort(), ['database', 'keyring', 'tenant'])
  t.match(failuresOf(wrong.report).find(({ area }) => area === 'tenant')?.advice, /AZURE_CLIENT_ID and the credential/)
  checkWords(t, wrong, ['hunter2'])

  const { PUBLIC_URL, ...halfConfigured } = environment
  const faulty = await doctor({ ...halfConfigured, PORT: 'many' })
  t.match(failuresOf(faulty.report).filter(({ area }) => area === 'settings').map(({ found }) => found), [/PORT/, /PUBLIC_URL is missing/])
  t.ok(failuresOf(faulty.report).some(({ area }) => area === 'migrations'), 'what can be looked at is looked at')
})

t.test('a keyring of another installation, an application that was taken away, a credential about to end', async t => {
  const broker = await startTestBroker(t)
  const { body } = await broker.konnect('POST', '', konnectApplication())
  const environment = environmentOf(broker)
  await broker.database.query(`INSERT INTO provider_credential (id, provider_id, state, kind, client_id, expires_at)
    SELECT gen_random_uuid(), id, 'active', 'federated', 'client', now() + interval '5 days 1 hour' FROM provider`)
  const keyring = `${t.testdir({})}/keyring.json`
  await createKeyringFile(keyring)
  // The simulator has no way to give an application another owner: one of somebody else's stands in for it.
  const applications = broker.simulator.control.state().applications as ReadonlyArray<{ id?: string, appId?: string }>
  const foreign = applications.find(({ appId }) => appId !== body.client_id)
  await broker.database.query('UPDATE registration SET object_id = $1', [foreign?.id])
  const { code, report } = await doctor({ ...environment, ENCRYPTION_KEYRING_FILE: keyring })
  t.equal(code, 1)
  t.match(failuresOf(report).map(({ found }) => found), [/sealed under keys that the file lacks/, /does not own applications that it made/])
  t.ok(report.findings.some(({ status, found }) => status === 'warning' && /ends in 5 days/.test(found)))
})

t.test('a sandbox has nothing to look at', async t => {
  const { code, report } = await doctor({})
  t.equal(code, 0)
  t.match(report.findings.at(-1)?.found, /sandbox/)
})

t.test('serve runs the broker in the process of the command until it is told to end', async t => {
  const broker = await startTestBroker(t)
  const served = startMain({ ...environmentOf(broker), LOG_LEVEL: 'info' }, 'cli', ['serve'])
  t.teardown(() => served.child.kill('SIGKILL'))
  await served.output(/"msg":"Started"/)
  served.child.kill('SIGTERM')
  t.equal((await served.ended).code, 0)
  const refused = await startMain({ ...environmentOf(broker), PORT: 'many' }, 'cli', ['serve']).ended
  t.equal(refused.code, 1)
  t.match(refused.stderr, /PORT/)
})

t.test('progress is one line on a terminal, written at most ten times a second, and nothing elsewhere', async t => {
  const written: string[] = []
  let now = 0
  const progress = createProgress('Rewrapping', { isTTY: true, columns: 60, write: text => written.push(text) }, () => now)
  progress.advance(1, 4)
  progress.advance(2, 4)
  now = 200
  progress.advance(3, 4)
  progress.advance(4, 4)
  progress.end()
  t.match(written, [/25 % \(1 of 4\)/, /75 % \(3 of 4\)/, /100 % \(4 of 4\)/, /^\r/])
  t.ok(written.every(text => text.startsWith('\r') && !text.includes('\n') && text.length < 70))
  createProgress('Rewrapping', { write: text => written.push(text) }).advance(1, 2)
  t.equal(written.length, 4)
})

t.test('docs/cli.md lists every command as it is now', async t => {
  t.equal(await readGeneratedPart('docs/cli.md', 'commands'), cliReference(), 'current; if not: node --import=tsx scripts/cli-docs.ts')
  t.match(await readFile('docs/cli.md', 'utf8'), /### doctor/)
})
