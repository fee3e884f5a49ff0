// The migrations and prisma/schema.prisma describe one and the same database (Prisma cannot see partial indexes and checks).
import { resolve } from 'node:path'
import t from 'tap'
import { schemaDifference } from '../../scripts/schema-difference.ts'
import { createTestDatabase } from '../support/postgres.ts'

const schema = resolve('prisma/schema.prisma')
const statements = (sql: string) => sql.split('\n').filter(line => line.trim() !== '' && !line.startsWith('--'))

t.test('the migrations lead to the schema, nothing is missing and nothing is left over', async t => {
  const { url } = await createTestDatabase(t)
  t.same(statements(await schemaDifference(url, schema)), [])
})

t.test('a column that only the database has is noticed', async t => {
  const { url, query } = await createTestDatabase(t)
  await query('ALTER TABLE registration ADD COLUMN forgotten text')
  t.match(await schemaDifference(url, schema), 'DROP COLUMN "forgotten"')
})
