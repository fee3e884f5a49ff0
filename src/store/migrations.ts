// Applies the packaged migrations without Prisma's command line (which needs a downloaded engine), and keeps Prisma's
// own record of them, so that `prisma migrate status`, `deploy` and `resolve` work on the same database.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { withClient } from './migration-client.ts'
import { hasChecksum, readMigrations, type Migration } from './migration-files.ts'

/** The migrations cannot go on; the message says which one is the matter and what to do. */
export class MigrationError extends Error {
  override name = 'MigrationError'
}

/** Where to work. */
export interface MigrationOptions {
  /** Folder of migration folders; default: the package's own. */
  directory?: string
  signal?: AbortSignal
}

/** What a database lacks or has too much of, by migration names. */
export interface MigrationStatus {
  /** In this release and not applied yet. */
  pending: string[]
  /** In this release, begun, and neither finished nor marked as rolled back. */
  failed: string[]
  /** Applied with another content than this release has. */
  changed: string[]
  /** Recorded, applied or failed, by another, usually newer, release. */
  unknown: string[]
}

interface Recorded {
  name: string
  checksum: string
  finished: boolean
  logs: string | null
}

// Prisma's own lock: a `prisma migrate deploy` and ours never run side by side.
const lockKey = 72707369
const lockTimeoutMs = 120_000
const takeLock = `SET lock_timeout = ${lockTimeoutMs}; SELECT pg_advisory_lock(${lockKey}); RESET lock_timeout`
// For a look at the record. A migration itself may take as long as it takes.
const queryTimeoutMs = 2_000

/** Prisma's own table. */
export const createRecord = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`

/**
 * Brings the database to this release's schema. Several processes may call it at once: one works, the others wait and find
 * nothing to do. A database that a newer release has migrated further is left alone: migrations only ever add, so this release
 * can work on it.
 *
 * @throws {MigrationError} when a migration fails, an earlier one has failed, or an applied one was changed since
 */
export async function applyMigrations (
  { connectionString, log = () => {}, ...options }: MigrationOptions & { connectionString: string, log?: (line: string) => void }
): Promise<{ applied: string[], alreadyApplied: number }> {
  const migrations = await readMigrations(options.directory)
  return await withClient(connectionString, { signal: options.signal }, async client => {
    await lock(client)
    await client.query(createRecord)
    const recorded = await readRecord(client)
    const status = compare(migrations, recorded)
    refuse(status, recorded)
    for (const name of status.unknown) log(`The database has the migration ${name} of another release.`)
    const applied: string[] = []
    for (const migration of migrations.filter(({ name }) => status.pending.includes(name))) {
      log(`Applying the migration ${migration.name}.`)
      await apply(client, migration)
      applied.push(migration.name)
    }
    return { applied, alreadyApplied: migrations.length - applied.length }
  })
}

/** Compares a database with this release's migrations; changes nothing. Bounded: a database that is silent is given up after seconds. */
export async function migrationStatus (connectionString: string, options: MigrationOptions = {}): Promise<MigrationStatus> {
  const migrations = await readMigrations(options.directory)
  return await withClient(connectionString, { signal: options.signal, queryTimeoutMs }, async client => compare(migrations, await readRecord(client)))
}

/**
 * Records that a failed migration has left nothing behind, so that the next run applies it again
 * (what `prisma migrate resolve --rolled-back` does).
 *
 * @returns whether there was such a failed migration
 */
export async function markRolledBack (connectionString: string, name: string, signal?: AbortSignal): Promise<boolean> {
  return await withClient(connectionString, { signal }, async client => {
    await lock(client)
    const { rowCount } = await client.query(
      'UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = $1 AND finished_at IS NULL AND rolled_back_at IS NULL',
      [name])
    return rowCount !== null && rowCount > 0
  })
}

async function lock (client: pg.Client): Promise<void> {
  try {
    await client.query(takeLock)
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError) || cause.code !== '55P03') throw cause
    throw new MigrationError(`Another process has held the migration lock for ${lockTimeoutMs / 1000} s.`, { cause })
  }
}

async function readRecord (client: pg.Client): Promise<Recorded[]> {
  const { rows: [table] } = await client.query<{ exists: boolean }>(
    "SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists")
  if (!table?.exists) return []
  const { rows } = await client.query<Recorded>(`SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished, logs
    FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`)
  return rows
}

function compare (migrations: Migration[], recorded: Recorded[]): MigrationStatus {
  const known = new Map(migrations.map(migration => [migration.name, migration]))
  const finished = recorded.filter(row => row.finished)
  const isChanged = ({ name, checksum }: Recorded) => {
    const migration = known.get(name)
    return migration !== undefined && !hasChecksum(migration, checksum)
  }
  return {
    pending: migrations.map(({ name }) => name).filter(name => !recorded.some(row => row.name === name)),
    // A failed migration of a newer release does not stop this one: going back to this one is the way out of it.
    failed: recorded.filter(row => !row.finished && known.has(row.name)).map(({ name }) => name),
    changed: finished.filter(isChanged).map(({ name }) => name),
    unknown: recorded.map(({ name }) => name).filter(name => !known.has(name))
  }
}

function refuse ({ failed: [broken], changed }: MigrationStatus, recorded: Recorded[]): void {
  if (broken !== undefined) {
    const reason = recorded.find(row => row.name === broken && !row.finished)?.logs?.split('\n')[0]
    throw new MigrationError(`The migration ${broken} has failed before${reason ? ` (${reason})` : ', or was interrupted'}. ` +
      `Remove the cause and what it has left behind, then run "dcr-broker migrate --rolled-back ${broken}" and start again.`)
  }
  if (changed.length > 0) {
    throw new MigrationError(`The migration ${changed.join(', ')} was changed after it had been applied to this database. ` +
      'Restore the file as it was released and put the change into a new migration.')
  }
}

/** As Prisma does: a row first, then the whole file as one multi-statement query (one transaction, unless the file says otherwise). */
async function apply (client: pg.Client, { name, sql, checksum }: Migration): Promise<void> {
  const id = randomUUID()
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) VALUES ($1, $2, $3, now())', [id, checksum, name])
  try {
    await client.query(sql)
  } catch (cause) {
    const reason = (cause as Error).message
    await client.query('ROLLBACK').catch(() => {}) // the file may have opened a transaction of its own
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, reason]).catch(() => {})
    throw new MigrationError(`The migration ${name} failed: ${reason}`, { cause })
  }
  await client.query('UPDATE _prisma_migrations SET applied_steps_count = 1, finished_at = now() WHERE id = $1', [id])
}
