// What earlier releases have left under test/fixtures (`npm run release:dump` makes it): schema, data, the keyring that opens it, Entra as it
// was then, and every statement the release sends.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import pg from 'pg'
import type { Test } from 'tap'
import type { SimulatorSnapshot } from '../../src/simulator/simulator.ts'
import { createTestDatabase, type TestDatabase } from './postgres.ts'
import type { SentStatement } from './postgres-proxy.ts'

/** Releases whose code may run beside this one's: each keeps its files. */
export const RELEASES = ['0.1.0'] as const
export type Release = typeof RELEASES[number]

/** What the release's story knows and the database does not. */
export interface ReleaseStory {
  keyring: object
  entra: SimulatorSnapshot
  /** Clients as their owners got them. */
  clients: {
    konnect: { client_id: string, client_secret: string }
    /** The whole answer of POST /register. */
    registered: { client_id: string, client_secret: string, registration_access_token: string, registration_client_uri: string }
  }
}

/** One execution; `statement` is an index into the texts. Binary parameters are `{ base64 }`. */
export interface RecordedExecution {
  statement: number
  parameters: Array<string | null | { base64: string }>
  rows: number
}

export interface RecordedStatements {
  texts: string[]
  /** In the order in which they were executed, from a database as the data describe it. */
  executions: RecordedExecution[]
}

export function fixturePath (kind: 'schema' | 'data' | 'statements' | 'story', release: string): string {
  return resolve(join('test/fixtures', `${kind}-${release}.${kind === 'schema' || kind === 'data' ? 'sql' : 'json'}`))
}

export async function readStory (release: Release): Promise<ReleaseStory> {
  return JSON.parse(await readFile(fixturePath('story', release), 'utf8')) as ReleaseStory
}

export async function readStatements (release: Release): Promise<RecordedStatements> {
  return JSON.parse(await readFile(fixturePath('statements', release), 'utf8')) as RecordedStatements
}

/** The release's keyring as a file that goes when the test has ended. */
export async function keyringOf (t: Pick<Test, 'teardown'>, { keyring }: ReleaseStory): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-release-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'keyring.json')
  await writeFile(path, JSON.stringify(keyring), { mode: 0o600 })
  return path
}

/** A database as the release has left it, with its data unless told. */
export async function restoreRelease (t: Pick<Test, 'teardown'>, release: Release, { withData = true } = {}): Promise<TestDatabase> {
  const database = await createTestDatabase(t, { empty: true })
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    await client.query(await readFile(fixturePath('schema', release), 'utf8'))
    if (withData) await client.query(await readFile(fixturePath('data', release), 'utf8'))
  } finally {
    await client.end()
  }
  return database
}

/** The form of the fixture: texts once, parameters as JSON can hold them. */
export function recordOf (statements: readonly SentStatement[]): RecordedStatements {
  const texts = [...new Set(statements.map(({ text }) => text))]
  return {
    texts,
    executions: statements.map(({ text, parameters, rows }) => ({
      statement: texts.indexOf(text),
      parameters: parameters.map(value => Buffer.isBuffer(value) ? { base64: value.toString('base64') } : value),
      rows
    }))
  }
}

export function parametersOf ({ parameters }: RecordedExecution): SentStatement['parameters'] {
  return parameters.map(value => typeof value === 'object' && value !== null ? Buffer.from(value.base64, 'base64') : value)
}
