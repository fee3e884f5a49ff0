// The figures as a table, the promises they are held against, and the file they are kept in.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { PerRegistration } from './count.ts'
import type { CaseResult } from './measure.ts'

/** The promises: at most so many calls to Graph and commits per registration, and so much of the upstream's own time. */
const MOST_GRAPH_CALLS = 3
const MOST_COMMITS = 2
const MOST_OVER_UPSTREAM = 1.15

export interface Results {
  startedAt: string
  circumstances: Record<string, string>
  cases: CaseResult[]
  perRegistration: PerRegistration
}

export interface Verdict {
  promise: string
  found: string
  kept: boolean
}

const columns: ReadonlyArray<[title: string, cell: (result: CaseResult) => string]> = [
  ['upstream', ({ upstreamMs }) => upstreamMs === 0 ? 'instant' : `${upstreamMs} ms`],
  ['at once', ({ concurrency }) => String(concurrency)],
  ['requests', ({ requests }) => String(requests)],
  ['req/s', ({ requestsPerSecond: { median, min, max } }) => `${median.toFixed(0)} (${min.toFixed(0)}-${max.toFixed(0)})`],
  ['p50 ms', ({ latencyMs }) => latencyMs.p50.toFixed(1)],
  ['p50 by round', ({ medianMs }) => `${medianMs.min.toFixed(1)}-${medianMs.max.toFixed(1)}`],
  ['p90', ({ latencyMs }) => latencyMs.p90.toFixed(1)],
  ['p99', ({ latencyMs }) => latencyMs.p99.toFixed(1)],
  ['max', ({ latencyMs }) => latencyMs.max.toFixed(1)],
  ['p50 / 3 calls', ({ overUpstream }) => overUpstream?.toFixed(3) ?? '-'],
  ['Graph calls', ({ graphCallsPerRegistration }) => graphCallsPerRegistration.toFixed(2)],
  ['held ms', ({ upstreamMs, meanHoldMs }) => upstreamMs === 0 ? '-' : meanHoldMs.toFixed(1)],
  ['broker CPU ms', ({ brokerCpuMsPerRegistration }) => brokerCpuMsPerRegistration?.toFixed(2) ?? '-']
]

export function judge ({ cases, perRegistration: { commits, markCommits } }: Results): Verdict[] {
  const mostCalls = Math.max(...cases.map(result => result.graphCallsPerRegistration))
  // Counted from outside, over all the process did: a few of the hundreds of commits differ between two lives of a broker.
  const pathCommits = Math.round((commits - markCommits) * 10) / 10
  return [
    { promise: `at most ${MOST_GRAPH_CALLS} Graph calls per registration`, found: mostCalls.toFixed(2), kept: mostCalls <= MOST_GRAPH_CALLS },
    { promise: `at most ${MOST_COMMITS} commits per registration`, found: pathCommits.toFixed(1), kept: pathCommits <= MOST_COMMITS },
    ...cases.flatMap(({ overUpstream, upstreamMs, concurrency }) => overUpstream === null
      ? []
      : [{
          promise: `median at most ${MOST_OVER_UPSTREAM} x 3 x ${upstreamMs} ms, ${concurrency} at once`,
          found: overUpstream.toFixed(3),
          kept: overUpstream <= MOST_OVER_UPSTREAM
        }])
  ]
}

export function describe (results: Results, verdicts: readonly Verdict[]): string {
  const { circumstances, cases, perRegistration } = results
  return [
    ...Object.entries(circumstances).map(([name, value]) => `${name}: ${value}`),
    '',
    ...table([columns.map(([title]) => title), ...cases.map(result => columns.map(([, cell]) => cell(result)))]),
    '',
    ...describeStatements(perRegistration),
    '',
    ...verdicts.map(({ promise, found, kept }) => `${kept ? 'kept  ' : 'BROKEN'}  ${promise}: ${found}`)
  ].join('\n')
}

function describeStatements ({ registrations, commits, markCommits, statements, byText }: PerRegistration): string[] {
  return [
    `PostgreSQL, per registration (${registrations} of them, idle life subtracted): ${statements.toFixed(2)} statements, ${commits.toFixed(2)} commits, of which ${markCommits.toFixed(2)} for batched delivery marks`,
    ...byText.map(({ text, calls }) => `  ${calls.toFixed(2)}  ${text.replaceAll(/\s+/g, ' ').trim().slice(0, 110)}`)
  ]
}

function table (rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => row.map((cell, column) => cell.padStart(widths[column] ?? 0)).join('  '))
}

export async function keep (path: string, results: Results, verdicts: readonly Verdict[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, `${JSON.stringify({ ...results, verdicts }, null, 2)}\n`)
}
