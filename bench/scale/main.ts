// The benchmark of scale: the same operations over 1,000 registrations and over a million, in turns, as ratios; and the plans at a million.
//   npm run bench:scale                       under 15 minutes on a quiet machine, most of them for loading
//   npm run bench:scale -- --rows 100000      for a first impression
// Exits with 1 when something that should be flat is not, or a plan reads a big table to its end. docs/performance.md says how to read it.
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createKeyringFile, extendKeyringFile } from '../../src/vault/keyring.ts'
import { startDatabase } from '../database.ts'
import { spreadOf, type Spread } from '../statistics.ts'
import { heapOfExport } from './exporting.ts'
import { operations, timeInTurns } from './operations.ts'
import { createPlanLog, readingAll, type Plan, type PlanLog } from './plans.ts'
import { timeComparison } from './reconciling.ts'
import { timeSlice } from './rewrapping.ts'
import { describe, judge, type Line } from './report.ts'
import { openSubject, type Subject } from './subject.ts'

const FEW = 1_000
/** So often an operation runs while its plans are taken down: in sessions that have run it often enough for a generic plan. */
const PLANNED = 4
const COMPARISONS = 8
const SLICES = 5
const root = resolve(import.meta.dirname, '..', '..')

const { values: { rows: given } } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } })
const many = Number(given)
if (!Number.isInteger(many) || many <= FEW || many % FEW !== 0) throw new RangeError(`--rows takes thousands, more than ${FEW}`)

process.exitCode = await benchmark()

async function benchmark (): Promise<number> {
  const startedAt = new Date().toISOString()
  const lines = await withSubjects(async (few, lots, plans) => [
    ...await timeOperations(few, lots, plans),
    await timeComparisons(few, lots, plans),
    await timeRewrap(few, lots, plans),
    await weighExports(few, lots)
  ])
  const verdicts = judge(lines)
  console.log(describe(lines, FEW, many))
  const file = join(root, 'bench', 'results', `scale-${startedAt.replaceAll(/[:.]/g, '-')}.json`)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, `${JSON.stringify({ startedAt, node: process.version, few: FEW, many, lines, verdicts }, null, 2)}\n`)
  console.log(`\nKept in ${file}`)
  return verdicts.every(verdict => verdict !== 'BROKEN') ? 0 : 1
}

async function timeOperations (few: Subject, lots: Subject, plans: PlanLog): Promise<Line[]> {
  const lines: Line[] = []
  for (const { name, isReported = false, prepare } of operations) {
    const [work, most] = [await prepare(few), await prepare(lots)]
    const [atFew, atMany] = await timeInTurns([work, most])
    if (atFew === undefined || atMany === undefined) throw new Error('Two subjects are compared')
    const seen = await plans.during(lots.name, async () => { for (let run = 0; run < PLANNED; run++) await most() })
    lines.push(lineOf(name, 'ms', isReported, atFew, atMany, seen))
    progress(`${name}: ${atFew.median.toFixed(2)} ms, ${atMany.median.toFixed(2)} ms`)
  }
  return lines
}

/** Whole comparisons: those of the few before and after the one of the many. */
async function timeComparisons (few: Subject, lots: Subject, plans: PlanLog): Promise<Line> {
  const atFew: number[] = []
  const compareFew = async (): Promise<void> => { for (let run = 0; run < COMPARISONS / 2; run++) atFew.push(await timeComparison(few)) }
  await timeComparison(few)
  await compareFew()
  let atMany = NaN
  // Every page has the same statements: their plans are taken down at the beginning and at the end, not a thousand times.
  lots.tenant.onPage = async (page, pages) => {
    if (page % 50 === 0) progress(`compared ${page} of ${pages} pages`)
    if (page === 3 && pages > 6) await plans.set(false)
    if (page === pages - 1) await plans.set(true)
  }
  const seen = await plans.during(lots.name, async () => { atMany = await timeComparison(lots) })
  await compareFew()
  return lineOf('reconcile, per application', 'ms', false, spreadOf(atFew), spreadOf([atMany]), seen)
}

async function timeRewrap (few: Subject, lots: Subject, plans: PlanLog): Promise<Line> {
  const [atFew, atMany]: [number[], number[]] = [[], []]
  for (let slice = 0; slice < SLICES; slice++) {
    atFew.push(await timeSlice(few))
    atMany.push(await timeSlice(lots))
    progress(`rewrapped slice ${slice + 1} of ${SLICES}`)
  }
  // Logging a plan takes longer than a value: this slice is not timed.
  const seen = await plans.during(lots.name, () => timeSlice(lots))
  return lineOf('rewrap, per value', 'ms', false, spreadOf(atFew), spreadOf(atMany), seen)
}

async function weighExports (few: Subject, lots: Subject): Promise<Line> {
  const [atFew, atMany] = [await heapOfExport(few), await heapOfExport(lots)]
  return lineOf('heap of an export', 'MiB', false, spreadOf([atFew]), spreadOf([atMany]), [])
}

function lineOf (name: string, unit: Line['unit'], isReported: boolean, few: Spread, lots: Spread, plans: Plan[]): Line {
  const statements = new Set(plans.map(({ statement }) => statement)).size
  return { name, unit, isReported, few, many: lots, ratio: lots.median / few.median, statements, faults: readingAll(plans) }
}

async function withSubjects<Result> (work: (few: Subject, lots: Subject, plans: PlanLog) => Promise<Result>): Promise<Result> {
  const closers: Array<() => Promise<unknown>> = []
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => { throw new Error('Interrupted') })
  interrupted.catch(() => {})
  async function run (): Promise<Result> {
    const folder = await mkdtemp(join(tmpdir(), 'dcr-bench-scale-'))
    closers.push(() => rm(folder, { recursive: true, force: true }))
    // PostgreSQL may run under another account than ours and has to pass through.
    await chmod(folder, 0o711)
    const first = join(folder, 'keyring.json')
    const both = join(folder, 'keyring-two.json')
    await createKeyringFile(first)
    await extendKeyringFile(first, both)
    const planLog = createPlanLog()
    const database = await startDatabase(join(folder, 'postgres'), planLog.line)
    closers.push(database.close)
    const plans = await planLog.open(database)
    closers.push(plans.close)
    const open = async (rows: number): Promise<Subject> => {
      const subject = await openSubject(database, rows, both, progress)
      closers.push(subject.close)
      return subject
    }
    return await work(await open(FEW), await open(many), plans)
  }
  try {
    return await Promise.race([run(), interrupted])
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

function progress (text: string): void {
  process.stderr.write(`${(performance.now() / 1_000).toFixed(0).padStart(4)} s  ${text}\n`)
}
