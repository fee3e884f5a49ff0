// A migrated database of its own for each test: a clone of the run's template, on TEST_DATABASE_URL's server or an embedded one.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Test } from 'tap'
import { findTestServer } from './postgres-run.ts'

/** A database that is dropped when the test has ended. */
export interface TestDatabase {
  url: string
  /** Runs one statement over a connection of its own (one per database, opened at the first call). */
  query: <Row extends pg.QueryResultRow = pg.QueryResultRow> (sql: string, params?: unknown[]) => Promise<pg.QueryResult<Row>>
}

/**
 * Makes a database with the current schema for this test.
 *
 * @param options.empty without the schema
 */
export async function createTestDatabase (t: Pick<Test, 'teardown'>, options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { adminUrl, template, prefix } = await findTestServer()
  const name = `${prefix}_${randomUUID().replaceAll('-', '').slice(0, 12)}`
  // A template can be copied by one session at a time; the lock makes the others wait instead of fail. Files are copied in a quarter of
  // the time that writing each block of them to the log takes.
  await administer(adminUrl, [
    `SELECT pg_advisory_lock(hashtext('${template}'))`,
    `CREATE DATABASE ${name} TEMPLATE ${options.empty ? 'template0' : template} STRATEGY = FILE_COPY`
  ])
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  const pool = new pg.Pool({ connectionString: url.href, max: 1 })
  pool.on('error', () => {}) // a test may cut the database's connections
  t.teardown(async () => {
    await pool.end()
    await administer(adminUrl, [`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`])
  })
  return { url: url.href, query: async (sql, params) => await pool.query(sql, params) }
}

async function administer (adminUrl: string, statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}
