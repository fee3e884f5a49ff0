// What a create asks of Graph and of PostgreSQL, counted without a clock: what PostgreSQL saw during one life of a broker with registrations,
// less what it saw during one that was idle for as long. Start, stop and background work are in both and cancel out.
import { setTimeout as wait } from 'node:timers/promises'
import type { BrokerProcess } from '../broker.ts'
import { count } from '../contest.ts'
import { createRequests } from '../create-requests.ts'
import type { StatementCounts } from '../database.ts'
import { runLoad, type Limit, type LoadResult } from '../load.ts'
import type { Surroundings } from '../surroundings.ts'
import { CONCURRENCY } from './creates.ts'
import type { Group } from './group.ts'

const MOST_GRAPH_CALLS = 3
const MOST_COMMITS = 2
/** On a machine that is busy there are fewer registrations, not a longer wait. */
const MOST_MS = 20_000

export const createStatements: Group = {
  name: 'create-statements',
  async run (surroundings, { counted }, tell) {
    tell('counting')
    const perRegistration = await countStatements(surroundings, { requests: counted, durationMs: MOST_MS })
    const { graphCalls, commits, markCommits } = perRegistration
    // Counted from outside, over all the process did: a few of the hundreds of commits differ between two lives of a broker.
    const pathCommits = Math.round((commits - markCommits) * 10) / 10
    return {
      rows: [
        count('create: calls to Graph', 'each', graphCalls, { atMost: MOST_GRAPH_CALLS }),
        count('create: commits on the path of the request', 'each', pathCommits, { atMost: MOST_COMMITS })
      ],
      notes: describe(perRegistration)
    }
  }
}

interface PerRegistration {
  registrations: number
  graphCalls: number
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

async function countStatements ({ database, upstream, startBroker }: Surroundings, limit: Limit): Promise<PerRegistration> {
  let load: LoadResult = { latenciesMs: [], elapsedMs: 0 }
  await database.pauseAutovacuum()
  const before = await database.counts()
  await live(startBroker, async broker => {
    // What it asked at its start is no registration's.
    await upstream.setLatency(0)
    load = await register(broker, limit)
  })
  const { calls } = await upstream.setLatency(0)
  const between = await database.counts()
  await live(startBroker, async () => { await wait(load.elapsedMs) })
  const after = await database.counts()
  const registrations = load.latenciesMs.length
  const graphCalls = (calls.application + calls.principal + calls.password + calls.other) / registrations
  return { graphCalls, ...difference(before, between, after, registrations) }
}

async function live (startBroker: Surroundings['startBroker'], work: (broker: BrokerProcess) => Promise<void>): Promise<void> {
  const broker = await startBroker()
  try {
    await work(broker)
  } finally {
    await broker.close()
  }
}

async function register (broker: BrokerProcess, limit: Limit): Promise<LoadResult> {
  const { send, close } = createRequests(broker.url, CONCURRENCY)
  try {
    return await runLoad(send, CONCURRENCY, limit)
  } finally {
    await close()
  }
}

function difference (before: StatementCounts, between: StatementCounts, after: StatementCounts, registrations: number): Omit<PerRegistration, 'graphCalls'> {
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

function describe ({ registrations, commits, markCommits, statements, byText }: PerRegistration): string[] {
  return [
    `PostgreSQL, per registration (${registrations} of them, idle life subtracted): ${statements.toFixed(2)} statements, ${commits.toFixed(2)} commits, of which ${markCommits.toFixed(2)} for batched delivery marks`,
    ...byText.map(({ text, calls }) => `  ${calls.toFixed(2)}  ${text.replaceAll(/\s+/g, ' ').trim().slice(0, 110)}`)
  ]
}
