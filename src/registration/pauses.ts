// How long a tenant asked us to stay away. Requests made while it throttles count against the quota too, so nobody makes any.
import type { Clock } from './ports.ts'

export interface Pauses {
  /** Milliseconds until calls for this provider may start again; 0: at once. */
  remainingMs (providerId: string): number
  /** A later end wins over an earlier one. */
  pause (providerId: string, ms: number): void
}

export function createPauses (clock: Clock): Pauses {
  const until = new Map<string, number>()
  return {
    remainingMs: providerId => Math.max(0, (until.get(providerId) ?? 0) - clock.monotonicMs()),
    pause (providerId, ms) {
      until.set(providerId, Math.max(until.get(providerId) ?? 0, clock.monotonicMs() + ms))
    }
  }
}
