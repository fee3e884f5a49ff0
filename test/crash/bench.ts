// What a crash test works with: a broker that can be killed, a simulator and a database that outlive it, and ways to stop it midway.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Test } from 'tap'
import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { rest } from '../faults/invariants.ts'
import { prepareBrokerProcess, type BrokerProcess } from '../support/broker-process.ts'
import { startPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import type { Stop } from './gaps.ts'

export interface Bench {
  simulator: Simulator
  database: TestDatabase
  proxy: PostgresProxy
  broker: BrokerProcess
}

/** An attempt has to outlast the bringing of all registrations into their gaps; a lease, an attempt and 5 s. */
export const ATTEMPT_TIMEOUT_MS = 3_000
const TIMES = {
  ATTEMPT_TIMEOUT_MS: String(ATTEMPT_TIMEOUT_MS),
  LEASE_MS: String(ATTEMPT_TIMEOUT_MS + 5_100),
  REQUEST_DEADLINE_MS: '5000',
  RESUME_SCAN_MS: '100',
  SWEEP_FIRST_LOOK_MS: '300',
  SWEEP_SECOND_LOOK_MS: '600'
}
/** The death of a holder is over after its lease and one attempt; the rest is work on a busy machine. */
export const PATIENCE_MS = 40_000

/** Everything a series of rounds needs, each part its own. */
export async function openBench (t: Test, redeliveryWindowMs: number): Promise<Bench> {
  const database = await createTestDatabase(t)
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const proxy = await startPostgresProxy(t, database.url)
  const broker = await prepareBrokerProcess(t, simulator, { ...TIMES, REDELIVERY_WINDOW_MS: String(redeliveryWindowMs) })
  return { simulator, database, proxy, broker }
}

/** Arms a stop. Resolves when an operation stands there; what it was about to do, or has done, nobody has heard of. */
export async function stopAt ({ simulator, proxy }: Bench, stop: Stop): Promise<void> {
  if ('statement' in stop) return await proxy.hold(stop.statement)
  const ruleId = simulator.control.faults.add(stop.fault)
  const isMade = (body: unknown): boolean => stop.fault.when !== 'after' || body !== null
  const signal = AbortSignal.timeout(PATIENCE_MS)
  // A change is made in the turn in which its body was read.
  while (!simulator.control.journal.entries().some(entry => entry.faultId === ruleId && isMade(entry.body))) await nextTurn(undefined, { signal })
}

/** Waits until every window is closed and the broker's own work is done but for the checks it makes minutes later. */
export async function settled ({ database }: Bench): Promise<void> {
  await rest({ database }, PATIENCE_MS)
}
