// The timed part: every case once per round, the rounds in turn, so that what disturbs the machine for a while disturbs all cases alike.
import type { BrokerProcess } from './broker.ts'
import { createRequests } from './create-requests.ts'
import { runLoad, type Limit, type LoadResult } from './load.ts'
import { percentile, spreadOf, type Spread } from './statistics.ts'
import type { Upstream } from './upstream.ts'

export interface Case {
  /** Latency of each call to the upstream. */
  upstreamMs: number
  concurrency: number
}

export interface CaseResult extends Case {
  requests: number
  /** Over the rounds. */
  requestsPerSecond: Spread
  medianMs: Spread
  /** Over the requests of all rounds together. */
  latencyMs: { p50: number, p90: number, p99: number, max: number }
  /** Median answer by the time three calls take upstream; null for an instant upstream. */
  overUpstream: number | null
  graphCallsPerRegistration: number
  /** How long the stub really held an answer back. */
  meanHoldMs: number
  /** CPU time of the broker's process; null where the system does not tell. */
  brokerCpuMsPerRegistration: number | null
}

interface Round extends LoadResult {
  graphCalls: number
  meanHoldMs: number
  cpuMs: number | null
}

const GRAPH_CALLS_OF_A_CREATE = 3

export interface Subject {
  broker: BrokerProcess
  upstream: Upstream
}

export async function measure (subject: Subject, cases: readonly Case[], rounds: number, limit: Limit): Promise<CaseResult[]> {
  const measured = cases.map(() => [] as Round[])
  for (let round = 0; round < rounds; round++) {
    for (const [index, each] of cases.entries()) measured[index]?.push(await runRound(subject, each, limit))
  }
  return cases.map((each, index) => summarise(each, measured[index] ?? []))
}

async function runRound ({ broker, upstream }: Subject, { upstreamMs, concurrency }: Case, limit: Limit): Promise<Round> {
  const requests = createRequests(broker.url, concurrency)
  try {
    await upstream.setLatency(upstreamMs)
    const cpuBeforeMs = await broker.cpuMs()
    const result = await runLoad(requests.send, concurrency, limit)
    const cpuAfterMs = await broker.cpuMs()
    const { calls, meanHoldMs } = await upstream.setLatency(upstreamMs)
    return {
      ...result,
      graphCalls: calls.application + calls.principal + calls.password + calls.other,
      meanHoldMs,
      cpuMs: cpuBeforeMs === null || cpuAfterMs === null ? null : cpuAfterMs - cpuBeforeMs
    }
  } finally {
    await requests.close()
  }
}

function summarise (each: Case, rounds: readonly Round[]): CaseResult {
  const latenciesMs = rounds.flatMap(round => round.latenciesMs)
  const requests = latenciesMs.length
  const total = (valueOf: (round: Round) => number) => rounds.reduce((sum, round) => sum + valueOf(round), 0)
  const p50 = percentile(latenciesMs, 0.5)
  return {
    ...each,
    requests,
    requestsPerSecond: spreadOf(rounds.map(round => round.latenciesMs.length / round.elapsedMs * 1000)),
    medianMs: spreadOf(rounds.map(round => percentile(round.latenciesMs, 0.5))),
    latencyMs: { p50, p90: percentile(latenciesMs, 0.9), p99: percentile(latenciesMs, 0.99), max: percentile(latenciesMs, 1) },
    overUpstream: each.upstreamMs === 0 ? null : p50 / (GRAPH_CALLS_OF_A_CREATE * each.upstreamMs),
    graphCallsPerRegistration: total(round => round.graphCalls) / requests,
    meanHoldMs: total(round => round.meanHoldMs) / rounds.length,
    brokerCpuMsPerRegistration: rounds.some(round => round.cpuMs === null) ? null : total(round => round.cpuMs ?? 0) / requests
  }
}
