// The places where an operation can be made to stand still, and the wait until it stands there.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FaultRule } from '../../src/simulator/faults.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import type { Hold, PostgresProxy } from '../support/postgres-proxy.ts'

/** What stops an operation at one place: a rule of the simulator, or a statement that the proxy keeps back. */
export type Stop = { fault: FaultRule } | { statement: Hold }

export const hang = { type: 'hang' } as const

/** The commits of a create and of what follows it, by their text. */
export const RESERVE = /INSERT INTO registration \(/
export const SAVE = /WITH held AS/
export const MARK = /delivery = m\.delivery/
/** Of a save, by its parameters: the one that makes a client active. */
export const ACTIVATES = /registration\.activated/

export const APPLICATION = { method: 'PATCH', path: '/applications\\(uniqueName' }
export const PRINCIPAL = { method: 'PATCH', path: '/servicePrincipals\\(appId' }
export const ADD_PASSWORD = { method: 'POST', path: '/addPassword$' }
export const REMOVE_PASSWORD = { method: 'POST', path: '/removePassword$' }

const PATIENCE_MS = 40_000

/** Arms a stop. Resolves when an operation stands there; what it was about to do, or has done, nobody has heard of. */
export async function stopAt ({ simulator, proxy }: { simulator: Simulator, proxy: PostgresProxy }, stop: Stop): Promise<void> {
  if ('statement' in stop) return await proxy.hold(stop.statement)
  const ruleId = simulator.control.faults.add(stop.fault)
  const isMade = (body: unknown): boolean => stop.fault.when !== 'after' || body !== null
  const signal = AbortSignal.timeout(PATIENCE_MS)
  // A change is made in the turn in which its body was read.
  while (!simulator.control.journal.entries().some(entry => entry.faultId === ruleId && isMade(entry.body))) await nextTurn(undefined, { signal })
}
