// The PostgreSQL of one test run, in a process of its own: it starts (or, with TEST_DATABASE_URL, borrows) a server, makes a
// migrated template database, and takes everything away again when it is told to, or when the run it belongs to has disappeared.
// Arguments: the process id of the run, and the folder for the run's state.
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedPostgres } from '../../src/sandbox/embedded-postgres.ts'
import { isAlive } from '../../src/sandbox/postgres-leftover.ts'
import { applyMigrations } from '../../src/store/migrations.ts'
import { isStateFolder, stateFolders, type TestServer } from './postgres-run.ts'

const runPid = Number(process.argv[2])
const folder = process.argv[3]
if (folder === undefined || !isStateFolder(folder)) throw new Error('usage: postgres-server <process id> <state folder>')

const closing = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => closing.abort())
const watch = setInterval(() => { if (!isAlive(runPid)) closing.abort() }, 500)

try {
  await serve(folder)
} catch (error) {
  if (!closing.signal.aborted) {
    await announce(folder, { failure: error instanceof Error ? error.stack ?? error.message : String(error) })
    await aborted()
  }
} finally {
  clearInterval(watch)
  await rm(folder, { recursive: true, force: true })
}

async function serve (folder: string): Promise<void> {
  await removeDeadRuns()
  const { TEST_DATABASE_URL: borrowed } = process.env
  if (borrowed) return await serveFrom(borrowed, folder)
  const server = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), durable: false, signal: closing.signal })
  try {
    await serveFrom(server.connectionString(), folder)
  } finally {
    await server.stop()
    await rm(server.directory, { recursive: true, force: true })
  }
}

/** Keeps one connection for the whole run; its advisory lock says to other runs on the same server that this one is alive. */
async function serveFrom (adminUrl: string, folder: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  const prefix = `dcr_test_${runPid}_${Date.now().toString(36)}`
  try {
    await client.query('SELECT pg_advisory_lock(hashtext($1))', [prefix])
    await dropDeadRuns(client)
    const template = `${prefix}_template`
    await client.query(`CREATE DATABASE ${template}`)
    const url = new URL(adminUrl)
    url.pathname = `/${template}`
    await applyMigrations({ connectionString: url.href, signal: closing.signal })
    await announce(folder, { adminUrl, template, prefix })
    await aborted()
  } finally {
    await dropDatabases(client, prefix)
    await client.end()
  }
}

/** Drops what a run that was killed has left on a server that outlives the runs. */
async function dropDeadRuns (client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ prefix: string }>(
    "SELECT DISTINCT substring(datname from '^(dcr_test_\\d+_[0-9a-z]+)_') AS prefix FROM pg_database WHERE datname LIKE 'dcr!_test!_%' ESCAPE '!'")
  for (const { prefix } of rows.filter(({ prefix }) => prefix !== null)) {
    const { rows: [lock] } = await client.query<{ free: boolean }>('SELECT pg_try_advisory_lock(hashtext($1)) AS free', [prefix])
    if (!lock?.free) continue
    await dropDatabases(client, prefix)
    await client.query('SELECT pg_advisory_unlock(hashtext($1))', [prefix])
  }
}

async function dropDatabases (client: pg.Client, prefix: string): Promise<void> {
  const { rows } = await client.query<{ datname: string }>('SELECT datname FROM pg_database WHERE starts_with(datname, $1)', [`${prefix}_`])
  for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`)
}

/** An embedded server ends with the process that started it; what a killed one leaves is its folder. */
async function removeDeadRuns (): Promise<void> {
  for (const { path, pid } of await stateFolders()) {
    if (pid !== runPid && !isAlive(pid)) await rm(path, { recursive: true, force: true })
  }
}

/** The file appears complete or not at all. */
async function announce (folder: string, server: TestServer): Promise<void> {
  await writeFile(join(folder, 'server.draft'), JSON.stringify(server), { mode: 0o600 })
  await rename(join(folder, 'server.draft'), join(folder, 'server.json'))
}

async function aborted (): Promise<void> {
  if (closing.signal.aborted) return
  await new Promise(resolve => closing.signal.addEventListener('abort', resolve, { once: true }))
}
