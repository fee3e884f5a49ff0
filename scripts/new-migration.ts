// Writes the migration that leads from the packaged migrations to prisma/schema.prisma: npm run migration:new -- <name>
// It works on an embedded PostgreSQL in a temporary folder. What Prisma's schema language cannot say (partial
// indexes, checks) is added to the file by hand; a migration that was released is never changed.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { startEmbeddedPostgres } from '../src/sandbox/embedded-postgres.ts'
import { applyMigrations } from '../src/store/migrations.ts'
import { schemaDifference } from './schema-difference.ts'

const name = process.argv[2]
if (name === undefined || !/^[a-z][a-z0-9_]*$/.test(name)) {
  console.error('usage: npm run migration:new -- <name in snake_case>')
  process.exit(2)
}

const folder = await mkdtemp(join(tmpdir(), 'dcr-migration-'))
const postgres = await startEmbeddedPostgres({ directory: folder, durable: false })
try {
  const connectionString = postgres.connectionString()
  await applyMigrations({ connectionString })
  await write(name, await schemaDifference(connectionString, resolve('prisma/schema.prisma')))
} finally {
  await postgres.stop()
  for (const path of new Set([folder, postgres.directory])) await rm(path, { recursive: true, force: true })
}

async function write (name: string, sql: string): Promise<void> {
  if (!/^\w/m.test(sql)) {
    console.log('The migrations already lead to prisma/schema.prisma; nothing to write.')
    return
  }
  const time = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 14)
  const file = join('prisma/migrations', `${time}_${name}`, 'migration.sql')
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, sql)
  console.log(`Wrote ${file}.`)
  const destructive = sql.split('\n').filter(line => /\b(DROP|RENAME|SET NOT NULL|ALTER COLUMN)\b/i.test(line))
  if (destructive.length > 0) {
    console.log('These statements break the release that is still running while this one starts (expand first, contract a release later):\n' +
      destructive.map(line => `  ${line.trim()}`).join('\n'))
  }
}
