// What a run has counted, and the sentences of its verdict.
import type { Probed } from './probe-file.ts'

export const LEAST_SHARE = 0.6
export const MOST_REFUSAL_P99_MS = 50
/** What a heap may have grown by: a tenth, or this. Caches of bounded size fill as a run goes on. */
const HEAP_ALLOWANCE_BYTES = 8 * 1024 * 1024
/** The kernel gives pages back when it likes. */
const RSS_ALLOWANCE_BYTES = 64 * 1024 * 1024

const SLOWEST_KEPT = 12

export interface Refusal {
  number: number
  status: number
  tookMs: number
}

export class Tally {
  cases = 0
  /** Cases that were HTTP at all. */
  requests = 0
  reached = 0
  unanswered = 0
  closed = 0
  crashes = 0
  serverFaults = 0
  readonly routes = new Map<string, Map<string, number>>()
  readonly refusalsMs: number[] = []
  /** The longest refusals. */
  readonly slowest: Refusal[] = []
  /** A sentence for each case that failed, with how to repeat it. */
  readonly failures: string[] = []

  count (route: string, outcome: string): void {
    const counts = this.routes.get(route) ?? new Map<string, number>()
    this.routes.set(route, counts)
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  }

  refused (refusal: Refusal): void {
    this.refusalsMs.push(refusal.tookMs)
    if (refusal.tookMs <= (this.slowest[SLOWEST_KEPT - 1]?.tookMs ?? 0)) return
    this.slowest.push(refusal)
    this.slowest.sort((one, other) => other.tookMs - one.tookMs).splice(SLOWEST_KEPT)
  }

  table (): string[] {
    const width = Math.max(...[...this.routes.keys()].map(name => name.length))
    return [...this.routes].sort(([one], [other]) => one.localeCompare(other)).map(([name, counts]) => {
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
      return `${name.padEnd(width)} ${String(total).padStart(6)}  ${[...counts].sort(([one], [other]) => one.localeCompare(other)).map(([outcome, count]) => `${outcome}: ${count}`).join('  ')}`
    })
  }
}

export function percentile (values: readonly number[], share: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}

export interface Line {
  text: string
  isGood: boolean
}

export function verdictOf (tally: Tally, start: Probed, end: Probed): Line[] {
  const share = tally.reached / tally.cases
  const p50 = percentile(tally.refusalsMs, 0.5)
  const p99 = percentile(tally.refusalsMs, 0.99)
  const mb = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`
  const heapLimit = start.heapUsed + Math.max(HEAP_ALLOWANCE_BYTES, start.heapUsed / 10)
  const rssLimit = start.rss + RSS_ALLOWANCE_BYTES
  const changed = end.prototypes.join() !== start.prototypes.join()
  return [
    { text: `${tally.cases} cases, ${tally.requests} of them requests, ${(share * 100).toFixed(1)} % of all reached validation (at least ${LEAST_SHARE * 100} %)`, isGood: share >= LEAST_SHARE },
    { text: `${tally.serverFaults} answers of 500 and above (0)`, isGood: tally.serverFaults === 0 },
    { text: `${tally.crashes} crashes (0)`, isGood: tally.crashes === 0 },
    { text: `${tally.unanswered} neither answered nor closed in time (0); ${tally.closed} closed without an answer`, isGood: tally.unanswered === 0 },
    { text: `${tally.refusalsMs.length} refusals: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (under ${MOST_REFUSAL_P99_MS}), longest ${percentile(tally.refusalsMs, 1).toFixed(0)} ms`, isGood: p99 < MOST_REFUSAL_P99_MS },
    { text: `longest: ${tally.slowest.map(({ number, status, tookMs }) => `--only ${number}: ${status} ${tookMs.toFixed(0)} ms`).join(', ')}`, isGood: true },
    { text: `event loop delay of the broker: p99 ${end.loopDelayP99Ms.toFixed(1)} ms, longest ${end.loopDelayMaxMs.toFixed(0)} ms`, isGood: true },
    { text: `heap after collection: ${mb(start.heapUsed)} after warming up, ${mb(end.heapUsed)} at the end (up to ${mb(heapLimit)})`, isGood: end.heapUsed <= heapLimit },
    { text: `resident: ${mb(start.rss)} after warming up, ${mb(end.rss)} at the end (up to ${mb(rssLimit)})`, isGood: end.rss <= rssLimit },
    { text: `what every object inherits is ${changed ? 'changed' : 'unchanged'}`, isGood: !changed },
    { text: `${tally.failures.length} cases failed (0)`, isGood: tally.failures.length === 0 }
  ]
}
