// The counted part: what PostgreSQL saw during one life of a broker with registrations, less what it saw during one that was idle for as long.
// Start, stop and background work are in both and cancel out.
import { setTimeout as wait } from 'node:timers/promises'
import type { BrokerProcess } from './broker.ts'
import { createRequests } from './create-requests.ts'
import type { BenchDatabase, StatementCounts } from './database.ts'
import { runLoad } from './load.ts'
import type { Case } from './measure.ts'

export interface PerRegistration {
  registrations: number
  /** Transactions, by pg_stat_database. */
  commits: number
  /** Of these, the batched marks of what became of the answers: written beside the request, outside its two commits. */
  markCommits: number
  statements: number
  /** The statements by text, the most frequent first. */
  byText: Array<{ text: string, calls: number }>
}

/** How the statement that writes the marks is recognised. */
const MARKS = /SET\s+delivery = m\.delivery/
/** Less than this per registration is a difference between two lives, not work for a registration. */
const NOISE = 0.02

export async function countStatements (
  startBroker: () => Promise<BrokerProcess>, database: BenchDatabase, { concurrency }: Pick<Case, 'concurrency'>, registrations: number
): Promise<PerRegistration> {
  let loadMs = 0
  await database.pauseAutovacuum()
  const before = await database.counts()
  await live(startBroker, async broker => { loadMs = await register(broker, concurrency, registrations) })
  const between = await database.counts()
  await live(startBroker, async () => { await wait(loadMs) })
  const after = await database.counts()
  return difference(before, between, after, registrations)
}

async function live (startBroker: () => Promise<BrokerProcess>, work: (broker: BrokerProcess) => Promise<void>): Promise<void> {
  const broker = await startBroker()
  try {
    await work(broker)
  } finally {
    await broker.close()
  }
}

async function register (broker: BrokerProcess, concurrency: number, requests: number): Promise<number> {
  const { send, close } = createRequests(broker.url, concurrency)
  try {
    return (await runLoad(send, concurrency, { requests })).elapsedMs
  } finally {
    await close()
  }
}

function difference (before: StatementCounts, between: StatementCounts, after: StatementCounts, registrations: number): PerRegistration {
  const each = (valueOf: (counts: StatementCounts) => number) => (2 * valueOf(between) - valueOf(before) - valueOf(after)) / registrations
  const byText = [...after.calls.keys()]
    .map(text => ({ text, calls: each(counts => counts.calls.get(text) ?? 0) }))
    .filter(({ calls }) => calls >= NOISE)
    .sort((one, other) => other.calls - one.calls)
  const sum = (statements: typeof byText) => statements.reduce((total, { calls }) => total + calls, 0)
  return {
    registrations,
    commits: each(counts => counts.commits),
    markCommits: sum(byText.filter(({ text }) => MARKS.test(text))),
    statements: sum(byText),
    byText
  }
}
