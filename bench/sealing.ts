// What sealing the audit costs: creates on two brokers that differ in nothing but the sealer, in turns. Each has a database of its
// own on one server, so that the events of the one are no work for the other.
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import type { BrokerProcess } from './broker.ts'
import { measure, type Case, type CaseResult } from './measure.ts'
import { spreadOf, type Spread } from './statistics.ts'
import type { Upstream } from './upstream.ts'

/** The promise: sealing takes at most this part of the creates. */
const MOST_LOST = 0.1
const POLL_MS = 100
const CASE: Case = { upstreamMs: 0, concurrency: 16 }

export interface SealingExtent {
  warmUp: { requests: number, durationMs: number }
  /** Pairs of rounds, each with and without. */
  pairs: number
  durationMs: number
}

export interface Sealing {
  /** Creates per second with the sealer by those without, pair by pair. */
  ratio: Spread
  withSealer: Spread
  withoutSealer: Spread
  /** CPU time of the broker per create; null where the system does not tell. */
  cpuMs: { withSealer: number, withoutSealer: number } | null
  kept: boolean
}

interface Subject { broker: BrokerProcess, databaseUrl: string }

export async function measureSealing (withSealer: Subject, withoutSealer: Subject, upstream: Upstream, extent: SealingExtent): Promise<Sealing> {
  for (const { broker } of [withSealer, withoutSealer]) await measure({ broker, upstream }, [CASE], 1, extent.warmUp)
  const rounds: Array<{ on: CaseResult, off: CaseResult }> = []
  for (let pair = 0; pair < extent.pairs; pair++) {
    const results = new Map<Subject, CaseResult>()
    // Who goes first changes: what slows down by and by slows both alike.
    for (const subject of pair % 2 === 0 ? [withSealer, withoutSealer] : [withoutSealer, withSealer]) {
      await untilSealed(withSealer.databaseUrl)
      const [result] = await measure({ broker: subject.broker, upstream }, [CASE], 1, { durationMs: extent.durationMs })
      if (result !== undefined) results.set(subject, result)
    }
    const [on, off] = [results.get(withSealer), results.get(withoutSealer)]
    if (on !== undefined && off !== undefined) rounds.push({ on, off })
  }
  const perSecond = (result: CaseResult): number => result.requestsPerSecond.median
  const ratio = spreadOf(rounds.map(({ on, off }) => perSecond(on) / perSecond(off)))
  return {
    ratio,
    withSealer: spreadOf(rounds.map(({ on }) => perSecond(on))),
    withoutSealer: spreadOf(rounds.map(({ off }) => perSecond(off))),
    cpuMs: cpuOf(rounds),
    kept: ratio.median >= 1 - MOST_LOST
  }
}

export function describeSealing ({ ratio, withSealer, withoutSealer, cpuMs, kept }: Sealing): string {
  const spread = ({ median, min, max }: Spread, digits: number) => `${median.toFixed(digits)} (${min.toFixed(digits)}-${max.toFixed(digits)})`
  return [
    `Creates per second, ${CASE.concurrency} at once, instant upstream; median (least-most) of the rounds`,
    `  with the sealer     ${spread(withSealer, 0)}`,
    `  without             ${spread(withoutSealer, 0)}`,
    `  ratio, pair by pair ${spread(ratio, 3)}`,
    ...(cpuMs === null ? [] : [`  CPU per create      ${cpuMs.withSealer.toFixed(2)} ms with, ${cpuMs.withoutSealer.toFixed(2)} ms without`]),
    `${kept ? 'kept' : 'BROKEN'}: sealing the audit takes at most ${MOST_LOST * 100} % of the creates`
  ].join('\n')
}

// What is left to seal is work of the round that made it, not of the next.
async function untilSealed (databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const open = 'SELECT (SELECT count(*) FROM audit_event) = (SELECT count(*) FROM audit_seal) AS sealed'
    while ((await client.query<{ sealed: boolean }>(open)).rows[0]?.sealed !== true) await wait(POLL_MS)
  } finally {
    await client.end()
  }
}

function cpuOf (rounds: ReadonlyArray<{ on: CaseResult, off: CaseResult }>): Sealing['cpuMs'] {
  const median = (values: number[]) => spreadOf(values).median
  const [on, off] = [rounds.map(round => round.on.brokerCpuMsPerRegistration), rounds.map(round => round.off.brokerCpuMsPerRegistration)]
  const known = (values: Array<number | null>): values is number[] => values.every(value => value !== null)
  return known(on) && known(off) ? { withSealer: median(on), withoutSealer: median(off) } : null
}
