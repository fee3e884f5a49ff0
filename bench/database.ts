// A PostgreSQL of the benchmark's own, as durable as in production (fsync, synchronous_commit and full_page_writes on), with
// pg_stat_statements loaded; and what it counted.
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { startEmbeddedPostgres } from '../src/sandbox/embedded-postgres.ts'
import { applyMigrations } from '../src/store/migrations.ts'

const DATABASE = 'broker'
const POLL_MS = 20

export interface BenchDatabase {
  url: string
  /** Of the server's owner, in a database that nobody counts. */
  ownerUrl: string
  /** Name and value of what decides the cost of a commit. */
  settings: Record<string, string>
  /** Waits for the end of the broker's sessions: they report their transactions with a delay, and at their end. */
  counts (): Promise<StatementCounts>
  /** Autovacuum commits too, whenever it likes: it rests while commits are counted. */
  pauseAutovacuum (): Promise<void>
  /** Another database of a broker on the same server. Resolves to its URL. */
  another (name: string): Promise<string>
  close (): Promise<void>
}

/** Since the server was started, in the broker's database only. */
export interface StatementCounts {
  /** Transactions as pg_stat_database counts them. */
  commits: number
  /** Calls by statement text (constants replaced). */
  calls: Map<string, number>
}

/** @param directory where the data goes; made when missing, @param log takes PostgreSQL's own log, line by line */
export async function startDatabase (directory: string, log: (line: string) => void = () => {}): Promise<BenchDatabase> {
  await loadStatementStatistics(directory)
  const server = await startEmbeddedPostgres({ directory, log })
  // Ours is another database than the one that is counted.
  const own = new pg.Client({ connectionString: server.connectionString() })
  own.on('error', () => {})
  await own.connect()
  await own.query('CREATE EXTENSION pg_stat_statements')
  const another = async (name: string): Promise<string> => {
    await own.query(`CREATE DATABASE ${name}`)
    const url = server.connectionString(name)
    await applyMigrations({ connectionString: url })
    return url
  }
  const url = await another(DATABASE)
  return {
    url,
    ownerUrl: server.connectionString(),
    settings: await readSettings(own),
    counts: () => readCounts(own),
    another,
    async pauseAutovacuum () {
      await own.query('ALTER SYSTEM SET autovacuum = off')
      await own.query('SELECT pg_reload_conf()')
    },
    async close () {
      await own.end()
      await server.stop()
    }
  }
}

// Loaded at the server's start only: so it is started once to be told.
async function loadStatementStatistics (directory: string): Promise<void> {
  const server = await startEmbeddedPostgres({ directory })
  try {
    const client = new pg.Client({ connectionString: server.connectionString() })
    await client.connect()
    await client.query('ALTER SYSTEM SET shared_preload_libraries = \'pg_stat_statements\'')
    await client.end()
  } finally {
    await server.stop()
  }
}

async function readSettings (client: pg.Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string, setting: string }>(`
    SELECT name, current_setting(name) AS setting FROM pg_settings
    WHERE name IN ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers', 'shared_preload_libraries')
    ORDER BY name`)
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
}

async function readCounts (client: pg.Client): Promise<StatementCounts> {
  const sessions = 'SELECT FROM pg_stat_activity WHERE datname = $1'
  while ((await client.query(sessions, [DATABASE])).rowCount !== 0) await wait(POLL_MS)
  const database = await client.query<{ commits: string }>('SELECT xact_commit AS commits FROM pg_stat_database WHERE datname = $1', [DATABASE])
  const statements = await client.query<{ query: string, calls: string }>(`
    SELECT s.query, sum(s.calls) AS calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
    WHERE d.datname = $1 GROUP BY s.query`, [DATABASE])
  return {
    commits: Number(database.rows[0]?.commits ?? 0),
    calls: new Map(statements.rows.map(({ query, calls }) => [query, Number(calls)]))
  }
}
