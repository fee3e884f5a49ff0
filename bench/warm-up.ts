// Before anything is measured: until the code is compiled, by the count of requests; by time where the machine is too busy for that.
import type { Figures } from './contest.ts'

const TURN_MS = 1000

export interface WarmUp {
  requests: number
  /** At most; the turn under way then ends. */
  durationMs: number
}

/** @param turn load for so many milliseconds; its figures say how many requests that were */
export async function warmUp (turn: (durationMs: number) => Promise<Figures>, { requests, durationMs }: WarmUp): Promise<void> {
  const endsMs = performance.now() + durationMs
  let done = 0
  while (done < requests && performance.now() < endsMs) done += (await turn(TURN_MS))['requests'] ?? 0
}
