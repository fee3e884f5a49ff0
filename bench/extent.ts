// How long everything takes.
import type { WarmUp } from './warm-up.ts'

export interface Extent {
  /** Of each process. V8 compiles the last hot function after some 4,000 registrations. */
  warmUp: WarmUp
  rounds: number
  turnMs: number
  /** Starts of each program. */
  starts: number
  /** Registrations whose statements are counted. */
  counted: number
  sealing: { rounds: number, turnMs: number }
}

export const full: Extent = {
  warmUp: { requests: 6000, durationMs: 15_000 },
  rounds: 7,
  turnMs: 2000,
  starts: 7,
  counted: 1500,
  sealing: { rounds: 15, turnMs: 3500 }
}

export const quick: Extent = {
  warmUp: { requests: 2000, durationMs: 5000 },
  rounds: 3,
  turnMs: 800,
  starts: 3,
  counted: 300,
  sealing: { rounds: 6, turnMs: 1500 }
}
