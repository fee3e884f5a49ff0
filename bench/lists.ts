// The benchmark of long lists: the same pages and claims over few registrations and over many, in turn, as ratios.
//   npm run bench:lists                    1,000 and 100,000 registrations
//   npm run bench:lists -- --rows 1000000
// Exits with 1 when something that should be flat is not. docs/performance.md says how to read the figures.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import pg from 'pg'
import { MAX_NUMBERED_ROW, type ListPosition } from '../src/listing/query.ts'
import { createRegistrationsReader, type RegistrationsReader } from '../src/registration/browse.ts'
import type { RegistrationStore } from '../src/registration/ports.ts'
import type { Caller } from '../src/registration/registration.ts'
import { startEmbeddedPostgres } from '../src/sandbox/embedded-postgres.ts'
import { applyMigrations } from '../src/store/migrations.ts'
import { openDatabase } from '../src/store/prisma-client.ts'
import { createRegistrationBrowser } from '../src/store/registration-browser.ts'
import { createRegistrationStore } from '../src/store/registration-store.ts'
import { fillWithRegistrations } from './registration-rows.ts'
import { spreadOf, type Spread } from './statistics.ts'

const FEW = 1_000
const ROUNDS = 60
const MOST_TIMES = 1.5
/** An export of many registrations may hold so much more than one of few. */
const MOST_MORE_MIB = 5
/** Pages between two looks at the heap. */
const LOOK_EVERY = 10
const SIZE = 100
/** What upkeep claims at once. */
const CLAIMED = 8

const { values: { rows: many } } = parseArgs({ options: { rows: { type: 'string', default: '100000' } } })

interface Subject {
  rows: number
  reader: RegistrationsReader
  store: RegistrationStore
  close (): Promise<void>
}

const operator: Caller = {
  id: '00000000-0000-4000-8000-000000000001', kind: 'operator', name: 'bench', providerId: null, scopes: ['read'], policyId: null, maxRegistrations: null
}
const sort = { field: 'createdAt', descending: true } as const

/** A case resolves to what has to be timed; what prepares it is not. */
const cases: Record<string, { isFlat: boolean, prepare: (subject: Subject) => Promise<() => Promise<unknown>> }> = {
  'first page': { isFlat: true, prepare: async ({ reader }) => () => reader.list({ filters: [], sort, size: SIZE, start: { number: 1 } }, operator) },
  'page by cursor, in the middle': {
    isFlat: true,
    async prepare (subject) {
      const after = await positionAt(subject, Math.floor(subject.rows / 2))
      return () => subject.reader.list({ filters: [], sort, size: SIZE, start: { after } }, operator)
    }
  },
  // Counting what matches reads rows, up to 10,001 of them.
  'first page, one state': {
    isFlat: false,
    prepare: async ({ reader }) => () => reader.list({ filters: [{ field: 'state', operator: 'in', values: ['active'] }], sort, size: SIZE, start: { number: 1 } }, operator)
  },
  'claim of what is due': { isFlat: true, prepare: async ({ store }) => () => store.claimDue(CLAIMED) },
  'last numbered page': {
    isFlat: false,
    prepare: async ({ reader, rows }) => () =>
      reader.list({ filters: [], sort, size: SIZE, start: { number: Math.min(rows, MAX_NUMBERED_ROW) / SIZE } }, operator)
  }
}

process.exitCode = await benchmark()

async function benchmark (): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-bench-lists-'))
  await chmod(folder, 0o711)
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), durable: false })
  const subjects: Subject[] = []
  try {
    for (const rows of [FEW, Number(many)]) subjects.push(await startSubject(postgres.connectionString, rows))
    let isKept = true
    for (const [name, { isFlat, prepare }] of Object.entries(cases)) {
      const [few, lots] = await timed(await Promise.all(subjects.map(prepare)))
      if (few === undefined || lots === undefined) throw new Error('Two subjects are compared')
      const ratio = lots.median / few.median
      const verdict = !isFlat ? 'reported' : ratio <= MOST_TIMES ? 'kept' : 'BROKEN'
      isKept &&= verdict !== 'BROKEN'
      console.log(`${verdict.padEnd(9)} ${name.padEnd(30)} ${textOf(few)} at ${FEW}, ${textOf(lots)} at ${many}: ratio ${ratio.toFixed(2)}`)
    }
    const heaps: number[] = []
    for (const subject of subjects) heaps.push(await heapOfExport(subject))
    const [fewMiB = 0, manyMiB = 0] = heaps.map(bytes => bytes / 2 ** 20)
    const isFlat = manyMiB <= fewMiB + MOST_MORE_MIB
    console.log(`${isFlat ? 'kept' : 'BROKEN'}${' '.repeat(isFlat ? 6 : 4)}${'heap of an export'.padEnd(30)} ${fewMiB.toFixed(1)} MiB at ${FEW}, ${manyMiB.toFixed(1)} MiB at ${many}`)
    return isKept && isFlat ? 0 : 1
  } finally {
    for (const subject of subjects) await subject.close()
    await postgres.stop()
    for (const path of new Set([folder, postgres.directory])) await rm(path, { recursive: true, force: true })
  }
}

async function startSubject (connectionString: (database?: string) => string, rows: number): Promise<Subject> {
  const name = `rows_${rows}`
  const own = new pg.Client({ connectionString: connectionString() })
  await own.connect()
  await own.query(`CREATE DATABASE ${name}`)
  await own.end()
  const url = connectionString(name)
  await applyMigrations({ connectionString: url })
  await fillWithRegistrations(url, rows, done => process.stderr.write(`\r${done} of ${rows} registrations `))
  process.stderr.write('\n')
  const database = openDatabase({ connectionString: url, maxConnections: 2 })
  const times = { leaseMs: 1, attemptTimeoutMs: 0, redeliveryWindowMs: 120_000 }
  return {
    rows,
    reader: createRegistrationsReader(createRegistrationBrowser(database.prisma)),
    store: createRegistrationStore(database.prisma, times, () => performance.now()),
    close: database.close
  }
}

async function positionAt ({ reader }: Subject, row: number): Promise<ListPosition> {
  let after: ListPosition | null = null
  for (let read = 0; read < row; read += SIZE) {
    const page: Awaited<ReturnType<RegistrationsReader['list']>> = await reader.list({ filters: [], sort, size: SIZE, start: after === null ? { number: 1 } : { after } }, operator)
    after = page.next
  }
  if (after === null) throw new Error('There are not so many rows')
  return after
}

/** The most that an export holds at a time, above what was there: what is garbage is collected before each look. */
async function heapOfExport ({ reader }: Subject): Promise<number> {
  const collect = globalThis.gc ?? (() => {})
  collect()
  const before = process.memoryUsage().heapUsed
  let most = 0
  let pages = 0
  for await (const page of reader.export([], operator)) {
    if (page.length === 0 || pages++ % LOOK_EVERY !== 0) continue
    collect()
    most = Math.max(most, process.memoryUsage().heapUsed - before)
  }
  return most
}

/** In turn, so that what disturbs the machine disturbs all alike. The first tenth warms up. */
async function timed (works: ReadonlyArray<() => Promise<unknown>>): Promise<Spread[]> {
  const measured = works.map(() => [] as number[])
  for (let round = 0; round < ROUNDS * 1.1; round++) {
    for (const [index, work] of works.entries()) {
      const startedMs = performance.now()
      await work()
      if (round >= ROUNDS * 0.1) measured[index]?.push(performance.now() - startedMs)
    }
  }
  return measured.map(spreadOf)
}

function textOf ({ median, min, max }: Spread): string {
  return `${median.toFixed(1)} ms (${min.toFixed(1)}-${max.toFixed(1)})`
}
