// The record of migrations: what was applied is applied once, what went wrong is said, and Prisma's own tools can read it.
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import t, { type Test } from 'tap'
import { applyMigrations, markRolledBack, migrationStatus } from '../../src/store/migrations.ts'
import { createTestDatabase } from '../support/postgres.ts'

const first = 'CREATE TABLE fruit (name text PRIMARY KEY);\nINSERT INTO fruit VALUES (\'apple\');\n'
const second = 'ALTER TABLE fruit ADD COLUMN colour text;\n'

async function setUp (t: Test, migrations: Record<string, string>) {
  const directory = t.testdir({ 'migration_lock.toml': 'provider = "postgresql"\n' })
  const write = (name: string, sql: string) => {
    mkdirSync(join(directory, name), { recursive: true })
    writeFileSync(join(directory, name, 'migration.sql'), sql)
  }
  for (const [name, sql] of Object.entries(migrations)) write(name, sql)
  const { url, query } = await createTestDatabase(t, { empty: true })
  return { write, query, url, directory, apply: () => applyMigrations({ connectionString: url, directory }) }
}

t.test('migrations are applied in the order of their names, and only once', async t => {
  const { apply, write, query } = await setUp(t, { '2_second': second, '1_first': first })
  t.same(await apply(), { applied: ['1_first', '2_second'], alreadyApplied: 0 })
  write('3_third', 'INSERT INTO fruit VALUES (\'pear\', \'green\')')
  t.same(await apply(), { applied: ['3_third'], alreadyApplied: 2 })
  t.same(await apply(), { applied: [], alreadyApplied: 3 })
  t.same((await query('SELECT name, colour FROM fruit ORDER BY name')).rows, [
    { name: 'apple', colour: null }, { name: 'pear', colour: 'green' }
  ])
})

t.test('the record has the form that Prisma writes and reads', async t => {
  const { apply, query } = await setUp(t, { '1_first': first })
  await apply()
  const columns = await query(`SELECT column_name, data_type, character_maximum_length AS length, is_nullable = 'YES' AS nullable
    FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`)
  t.same(columns.rows, [
    { column_name: 'id', data_type: 'character varying', length: 36, nullable: false },
    { column_name: 'checksum', data_type: 'character varying', length: 64, nullable: false },
    { column_name: 'finished_at', data_type: 'timestamp with time zone', length: null, nullable: true },
    { column_name: 'migration_name', data_type: 'character varying', length: 255, nullable: false },
    { column_name: 'logs', data_type: 'text', length: null, nullable: true },
    { column_name: 'rolled_back_at', data_type: 'timestamp with time zone', length: null, nullable: true },
    { column_name: 'started_at', data_type: 'timestamp with time zone', length: null, nullable: false },
    { column_name: 'applied_steps_count', data_type: 'integer', length: null, nullable: false }
  ])
  const { rows: [row] } = await query('SELECT * FROM _prisma_migrations')
  t.match(row, {
    id: /^[0-9a-f-]{36}$/,
    checksum: createHash('sha256').update(first).digest('hex'),
    migration_name: '1_first',
    logs: null,
    rolled_back_at: null,
    applied_steps_count: 1
  })
  t.ok(row?.finished_at >= row?.started_at)
})

t.test('several replicas that start at once apply each migration once', async t => {
  const { apply } = await setUp(t, { '1_first': first, '2_second': second })
  const results = await Promise.all([apply(), apply(), apply(), apply()])
  t.same(results.flatMap(({ applied }) => applied), ['1_first', '2_second'])
})

t.test('a migration waits while somebody holds the lock of Prisma, and gives up when it is aborted', async t => {
  const { query, url, directory } = await setUp(t, { '1_first': first })
  await query('SELECT pg_advisory_lock(72707369)')
  const stop = new AbortController()
  const waiting = applyMigrations({ connectionString: url, directory, signal: stop.signal })
  const watcher = new pg.Client({ connectionString: url })
  await watcher.connect()
  t.teardown(() => watcher.end())
  // In this database: other tests wait on this server, too.
  const isWaiting = async () => (await watcher.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)).rowCount === 1
  while (!await isWaiting());
  stop.abort(new Error('enough'))
  await t.rejects(waiting, { message: 'enough' })
  t.same((await migrationStatus(url, { directory })).pending, ['1_first'])
})

t.test('a migration that fails leaves nothing behind but its row, and the next run says what to do', async t => {
  const { apply, write, query, url, directory } = await setUp(t, { '1_first': first, '2_broken': `${second} SELECT nonsense;` })
  await t.rejects(apply(), { name: 'MigrationError', message: /2_broken failed: column "nonsense" does not exist/ })
  t.same((await query('SELECT * FROM fruit')).rows, [{ name: 'apple' }])
  t.match((await query('SELECT * FROM _prisma_migrations WHERE finished_at IS NULL')).rows, [
    { migration_name: '2_broken', logs: 'column "nonsense" does not exist', applied_steps_count: 0 }
  ])
  t.same(await migrationStatus(url, { directory }), { pending: [], failed: ['2_broken'], changed: [], unknown: [] })

  await t.rejects(apply(), { name: 'MigrationError', message: /2_broken has failed before \(column "nonsense" does not exist\).*--rolled-back 2_broken/ })
  write('2_broken', second)
  t.equal(await markRolledBack(url, '2_broken'), true)
  t.same(await apply(), { applied: ['2_broken'], alreadyApplied: 1 })
  t.equal(await markRolledBack(url, '2_broken'), false)
})

t.test('a migration that opened a transaction of its own and fails is recorded as failed', async t => {
  const { apply, url, directory } = await setUp(t, { '1_first': `BEGIN; ${first} SELECT nonsense; COMMIT;` })
  await t.rejects(apply(), { name: 'MigrationError' })
  t.same((await migrationStatus(url, { directory })).failed, ['1_first'])
})

t.test('a migration that was changed after it was applied is refused, other line ends are not a change', async t => {
  const { apply, write, url, directory } = await setUp(t, { '1_first': first })
  await apply()
  write('1_first', first.replaceAll('\n', '\r\n'))
  t.same(await apply(), { applied: [], alreadyApplied: 1 })
  write('1_first', first.replace('apple', 'orange'))
  write('2_second', second)
  await t.rejects(apply(), { name: 'MigrationError', message: /1_first was changed/ })
  t.same(await migrationStatus(url, { directory }), { pending: ['2_second'], failed: [], changed: ['1_first'], unknown: [] })
})

t.test('a database that a newer release has migrated, or has failed to migrate, still serves this release', async t => {
  const { apply, query, url, directory } = await setUp(t, { '1_first': first })
  await apply()
  await query(`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('a', 'b', '8_newer', now());
    INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('c', 'd', '9_newest')`)
  t.same(await apply(), { applied: [], alreadyApplied: 1 })
  t.same(await migrationStatus(url, { directory }), { pending: [], failed: [], changed: [], unknown: ['8_newer', '9_newest'] })
})

t.test('the packaged migrations apply to an empty database, which then lacks nothing', async t => {
  const { url } = await createTestDatabase(t, { empty: true })
  const before = await migrationStatus(url)
  t.not(before.pending.length, 0)
  t.same((await applyMigrations({ connectionString: url })).applied, before.pending)
  t.same(await migrationStatus(url), { pending: [], failed: [], changed: [], unknown: [] })
})
