// A PostgreSQL that belongs to one test, which can really die: the one of the run serves others. Durable, as in production.
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/sandbox/embedded-postgres.ts'
import { applyMigrations } from '../../src/store/migrations.ts'
import { eventually } from '../support/eventually.ts'
import { isAlive } from '../../src/sandbox/postgres-leftover.ts'
import type { TestDatabase } from '../support/postgres.ts'

export interface OwnPostgres {
  /** With the schema; good for as long as the server runs. */
  database: TestDatabase
  /** SIGQUIT: it ends at once, in the middle of everything, and has its log to recover from. */
  crash (): Promise<void>
  /** Starts it again, on another port. Resolves to the new address. */
  start (): Promise<string>
}

export async function startOwnPostgres (t: Pick<Test, 'teardown'>): Promise<OwnPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'dcr-postgres-'))
  await chmod(directory, 0o755) // PostgreSQL's account passes through it when we are root
  let server: EmbeddedPostgres = await startEmbeddedPostgres({ directory })
  let url = server.connectionString()
  t.teardown(async () => {
    await server.stop()
    await rm(server.directory, { recursive: true, force: true })
    await rm(directory, { recursive: true, force: true })
  })
  await applyMigrations({ connectionString: url, signal: new AbortController().signal })
  return {
    database: {
      url,
      async query (sql, params) {
        const client = new pg.Client({ connectionString: url })
        await client.connect()
        try {
          return await client.query(sql, params)
        } finally {
          await client.end()
        }
      }
    },
    async crash () {
      const pid = Number((await readFile(join(server.directory, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
      process.kill(pid, 'SIGQUIT')
      await eventually('PostgreSQL is gone', () => !isAlive(pid))
    },
    async start () {
      server = await startEmbeddedPostgres({ directory: server.directory })
      url = server.connectionString()
      return url
    }
  }
}
