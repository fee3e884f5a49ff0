// What a crash test works with: a broker that can be killed, a simulator and a database that outlive it.
import type { Test } from 'tap'
import { openCluster, type Cluster } from '../faults/cluster.ts'

export type Bench = Cluster

/** An attempt and a request have to outlast the bringing of all registrations into their gaps; a lease, an attempt and 5 s. */
export const ATTEMPT_TIMEOUT_MS = 10_000
export const DEADLINE_MS = ATTEMPT_TIMEOUT_MS
const TIMES = { ATTEMPT_TIMEOUT_MS: String(ATTEMPT_TIMEOUT_MS), LEASE_MS: String(ATTEMPT_TIMEOUT_MS + 5_100), REQUEST_DEADLINE_MS: String(DEADLINE_MS) }

/** Everything a series of rounds needs, each part its own. */
export async function openBench (t: Test, redeliveryWindowMs: number): Promise<Bench> {
  return await openCluster(t, { environment: { ...TIMES, REDELIVERY_WINDOW_MS: String(redeliveryWindowMs) } })
}

/** Nobody lives who holds a lease: as if what is left of it, and one attempt, had passed. */
export async function endLeases ({ database }: Bench): Promise<void> {
  await database.query("UPDATE registration SET lease_until = now() - interval '1 minute', due_at = now() WHERE lease_until IS NOT NULL")
}
