// dcr-broker migrate.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createTestDatabase } from '../support/postgres.ts'
import { runCli, runHere } from './run-cli.ts'

t.test('migrate brings an empty database up to date; a second run finds nothing to do', async t => {
  const { url, query } = await createTestDatabase(t, { empty: true })
  const environment = { DATABASE_URL: url }
  const before = await runHere(['migrate', '--status'], environment)
  t.equal(before.code, 1)
  t.match(before.stdout, /_initial: not applied\n(\w+: not applied\n)*The database is not up to date\.\n$/)

  const first = await runCli(['migrate'], environment)
  t.equal(first.code, 0)
  t.match(first.stdout, /Applying the migration \d+_initial\.\n/)
  t.same(first.complaints, [])
  t.equal((await query('SELECT FROM registration')).rowCount, 0)

  const second = await runHere(['migrate'], environment)
  t.equal(second.code, 0)
  t.match(second.stdout, 'Nothing to do')
  const after = await runHere(['migrate', '--status', '--json'], environment)
  t.equal(after.code, 0)
  t.same(JSON.parse(after.stdout), { up_to_date: true, pending: [], failed: [], changed: [], unknown: [] })
})

t.test('with --json stdout is one JSON document and progress goes to stderr; the URL may come from a file', async t => {
  const { url } = await createTestDatabase(t, { empty: true })
  const file = join(t.testdir(), 'database-url')
  await writeFile(file, `${url}\n`)
  const { code, stdout, complaints } = await runHere(['migrate', '--json'], { DATABASE_URL_FILE: file })
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { applied: [/_initial$/], already_applied: 0 })
  t.match(complaints, [/^Applying/])
})

t.test('a migration that failed before stops migrate with one line, until it is marked as rolled back', async t => {
  const { url, query } = await createTestDatabase(t, { empty: true })
  const environment = { DATABASE_URL: url }
  t.equal((await runHere(['migrate'], environment)).code, 0)
  const { rows: [row] } = await query<{ name: string }>(
    "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%_initial' RETURNING migration_name AS name")
  const name = row?.name ?? ''
  const stopped = await runHere(['migrate'], environment)
  t.equal(stopped.code, 1)
  t.equal(stopped.complaints.length, 1)
  t.match(stopped.complaints[0], `migrate --rolled-back ${name}`)
  t.equal((await runHere(['migrate', '--rolled-back', name], environment)).code, 0)
  t.match(await runHere(['migrate', '--rolled-back', name], environment), { code: 1, complaints: [/no failed migration/] })
})

t.test('a database that can\'t be reached, or none at all, is one line without the password and exit code 1', async t => {
  const cases: Array<Record<string, string>> = [
    { DATABASE_URL: 'postgresql://broker:hunter2@127.0.0.1:1/dcr' },
    { DATABASE_URL: 'mysql://broker:hunter2@127.0.0.1:1/dcr' },
    { DATABASE_URL_FILE: '/nonexistent/file' },
    { DATABASE_URL: 'postgresql://broker:hunter2@h/d', DATABASE_URL_FILE: '/nonexistent/file' },
    {}
  ]
  for (const environment of cases) {
    const { code, stdout, complaints } = await runHere(['migrate'], environment)
    t.equal(code, 1)
    t.equal(stdout, '')
    t.equal(complaints.length, 1, complaints.join('\n'))
    t.notMatch(complaints[0], 'hunter2')
  }
})
