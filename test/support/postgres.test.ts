import t from 'tap'
import { createTestDatabase } from './postgres.ts'

t.test('a test database has the current schema and is not shared', async t => {
  const [one, other] = await Promise.all([createTestDatabase(t), createTestDatabase(t)])
  const { rows } = await one.query<{ count: string }>('SELECT count(*) FROM _prisma_migrations WHERE finished_at IS NOT NULL')
  t.ok(Number(rows[0]?.count) > 0)
  await one.query('CREATE TABLE only_here (n int)')
  const { rows: [found] } = await other.query("SELECT to_regclass('only_here') AS found")
  t.equal(found?.found, null)
})

t.test('a test database is gone when its test has ended', async t => {
  const { query } = await createTestDatabase(t)
  const count = async (name: string) => (await query('SELECT FROM pg_database WHERE datname = $1', [name])).rowCount
  let name = ''
  await t.test('it is there while its test runs', async t => {
    name = new URL((await createTestDatabase(t)).url).pathname.slice(1)
    t.equal(await count(name), 1)
  })
  t.equal(await count(name), 0)
})
