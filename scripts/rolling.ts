// Rolls from another release to this one and back under traffic, on one database and one simulated Entra: npm run rolling -- <git ref>
// The older release starts, migrations are applied while it works, both work side by side, the older one goes, and comes back once more.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { startEmbeddedPostgres } from '../src/sandbox/embedded-postgres.ts'
import { startSimulator } from '../src/simulator/simulator.ts'
import { createKeyringFile } from '../src/vault/keyring.ts'
import { violations } from '../test/faults/invariants.ts'
import { entraEnvironment } from '../test/support/entra-environment.ts'
import { ourApplications, secretWorks } from '../test/support/entra-truth.ts'
import { eventually } from '../test/support/eventually.ts'
import { buildOther, buildThis, runCommand, startReplica, type Replica } from './rolling-release.ts'
import { startTraffic, type Traffic } from './rolling-traffic.ts'

/** How long each stretch of the way is travelled. */
const STRETCH_MS = 6_000
const QUIET_MS = 120_000
const KONNECT_KEY = 'konnect_key_of_the_rolling_1'

const ref = process.argv[2]
if (ref === undefined) {
  console.error('usage: npm run rolling -- <git ref of another release>')
  process.exit(2)
}

const say = (line: string): void => console.log(line)
say(`Building ${ref} and this release.`)
const [older, newer] = [await buildOther(ref), await buildThis()]
const folder = await mkdtemp(join(tmpdir(), 'dcr-rolling-'))
const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), durable: false })
const simulator = await startSimulator()
const pool = new pg.Pool({ connectionString: postgres.connectionString() })
const keyringFile = join(folder, 'keyring.json')
await createKeyringFile(keyringFile)
const environment = {
  PUBLIC_URL: 'http://localhost:3000',
  DATABASE_URL: postgres.connectionString(),
  ENCRYPTION_KEYRING_FILE: keyringFile,
  ...entraEnvironment(simulator),
  KONNECT_API_KEYS: KONNECT_KEY,
  ADMIN_API_KEYS: 'operator_key_of_the_rolling_1',
  REDELIVERY_WINDOW_MS: '10000',
  RESUME_SCAN_MS: '500'
}

let faults: string[] = []
try {
  faults = await roll()
} finally {
  await pool.end()
  await simulator.close()
  await postgres.stop()
  for (const path of new Set([folder, postgres.directory, older.folder])) await rm(path, { recursive: true, force: true })
}
for (const fault of faults) console.error(fault)
say(faults.length === 0 ? 'Nothing is lost, doubled or left behind.' : `${faults.length} faults.`)
process.exit(faults.length === 0 ? 0 : 1)

async function roll (): Promise<string[]> {
  let replicas: Replica[] = []
  const come = async (release: typeof older): Promise<Replica> => {
    const replica = await startReplica(release, environment)
    replicas = [...replicas, replica]
    return replica
  }
  // Load balancers are told first.
  const go = async (replica: Replica): Promise<void> => {
    replicas = replicas.filter(other => other !== replica)
    await replica.stop()
  }

  await runCommand(older, ['migrate'], environment)
  const first = await come(older)
  const traffic = startTraffic(() => replicas, KONNECT_KEY)
  await stretch(`${ref} alone`)
  await runCommand(newer, ['migrate'], environment)
  await stretch(`${ref} on the new schema`)
  const second = await come(newer)
  await stretch('both side by side')
  await go(first)
  await stretch('this release alone')
  const third = await come(older)
  await stretch(`${ref} again beside it`)
  await go(second)
  await stretch(`${ref} alone on the new schema`)
  await traffic.stop()
  for (const [answer, count] of [...traffic.answers].sort()) say(`  ${String(count).padStart(5)}  ${answer}`)
  await eventually('nothing is under way any more', async () =>
    (await pool.query("SELECT FROM registration WHERE state NOT IN ('active', 'deleted', 'undone') OR lease_until > now() OR due_at < now() + interval '1 minute'")).rowCount === 0, QUIET_MS)
  await go(third)
  return await faultsOf(traffic)
}

async function stretch (what: string): Promise<void> {
  say(`${what} …`)
  await delay(STRETCH_MS)
}

async function faultsOf ({ known }: Traffic): Promise<string[]> {
  const found = await violations({ simulator, database: { url: environment.DATABASE_URL, query: async (sql, params) => await pool.query(sql, params) } })
  const living = new Set(ourApplications(simulator).map(({ appId }) => appId))
  for (const { clientId, secret, isDeleted } of known) {
    if (isDeleted === living.has(clientId)) found.push(`the client ${clientId} is ${isDeleted ? 'still' : 'no longer'} there`)
    if (!isDeleted && secret !== null && !await secretWorks(simulator, clientId, secret)) found.push(`the last secret of ${clientId} does not work`)
  }
  if (known.length === 0) found.push('no client came')
  say(`${known.length} clients, ${living.size} of them living.`)
  return found
}
