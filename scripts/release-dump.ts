// Writes what a release leaves for the releases after it (npm run release:dump): the schema its migrations make, data of its own making, the
// statements it sends, and what opens and explains them. Run once, at the release; the files are never changed afterwards.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { Test } from 'tap'
import { readMigrations } from '../src/store/migration-files.ts'
import { createRecord } from '../src/store/migrations.ts'
import { version } from '../src/version.ts'
import { startTestBroker } from '../test/support/broker.ts'
import { createTestDatabase, type TestDatabase } from '../test/support/postgres.ts'
import { startPostgresProxy, type SentStatement } from '../test/support/postgres-proxy.ts'
import { fixturePath, keyringOf, recordOf, type ReleaseStory } from '../test/support/release-fixtures.ts'
import { furnish, liveThrough, settled } from './release-story.ts'
import { insertsOf } from './table-rows.ts'

type Run = Pick<Test, 'teardown'>

await within(async run => {
  await mkdir('test/fixtures', { recursive: true })
  await write('schema', await schema())
  const database = await createTestDatabase(run)
  const story = await within(run => writeData(run, database))
  await within(run => writeStatements(run, database, story))
})
// The PostgreSQL that was started for this process ends with it.
process.exit()

/** Migrations are the schema's only source: their text, in order, and Prisma's record of them. */
async function schema (): Promise<string> {
  const migrations = await readMigrations()
  // Ids and times are made up, so that the file is the same whenever it is made.
  const rows = migrations.map(({ name, checksum }, index) => {
    const id = `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`
    return `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, applied_steps_count) VALUES ('${id}', '${checksum}', '${name}', '2026-01-01', '2026-01-01', 1);`
  })
  return [
    `-- The schema of release ${version}. Made by npm run release:dump; never changed.`,
    ...migrations.map(({ name, sql }) => `-- ${name}\n${sql.trim()}`),
    `${createRecord};`,
    `${rows.join('\n')}\n`
  ].join('\n\n')
}

async function writeData (run: Run, database: TestDatabase): Promise<ReleaseStory> {
  const broker = await startTestBroker(run, { database, environment: { AUDIT_SEAL_INTERVAL_MS: '50' } })
  await broker.broker.started
  const clients = await furnish(broker)
  await settled(broker, { sealed: true })
  await write('data', await insertsOf(database.query))
  const keyring = JSON.parse(await readFile(broker.settings.keyringFile, 'utf8')) as object
  const story = { keyring, entra: broker.simulator.snapshot(), clients }
  await write('story', `${JSON.stringify(story, null, 1)}\n`)
  return story
}

// Only what the story itself causes: what a background claims depends on when it looks.
async function writeStatements (run: Run, database: TestDatabase, story: ReleaseStory): Promise<void> {
  const sent: SentStatement[] = []
  const proxy = await startPostgresProxy(run, database.url, statement => { sent.push(statement) })
  const broker = await startTestBroker(run, {
    database: { ...database, url: proxy.url },
    simulator: { state: story.entra },
    environment: { ENCRYPTION_KEYRING_FILE: await keyringOf(run, story), AUDIT_SEAL_INTERVAL_MS: '0', RESUME_SCAN_MS: '600000', GATEWAY_PORT: '0' }
  })
  await broker.broker.started
  await liveThrough(broker)
  await settled(broker, { sealed: false })
  await write('statements', `${JSON.stringify(recordOf(sent), null, 1)}\n`)
}

async function write (kind: Parameters<typeof fixturePath>[0], text: string): Promise<void> {
  const path = fixturePath(kind, version)
  await writeFile(path, text)
  console.log(`Wrote ${path} (${Math.round(text.length / 1024)} KiB).`)
}

async function within<Result> (work: (run: Run) => Promise<Result>): Promise<Result> {
  const teardowns: Array<() => unknown> = []
  try {
    return await work({ teardown: teardown => { teardowns.push(teardown) } })
  } finally {
    for (const teardown of teardowns.reverse()) await teardown()
  }
}
