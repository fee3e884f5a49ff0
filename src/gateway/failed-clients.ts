// How often one client is refused. It never decides about who shows what is right: beyond the allowance less is done about a refusal.
const WINDOW_MS = 60_000
/** Somebody may invent client ids; those that are counted exist. */
const MOST_COUNTED = 10_000

export interface FailedClients {
  /** One more; true: within the allowance of this client and minute. */
  count (clientId: string): boolean
  isWithin (clientId: string): boolean
}

export interface FailedClientsOptions {
  /** Of one client; 0: no limit. */
  perMinute: number
  monotonicMs: () => number
  /** Told once for each client and minute. */
  onExceeded (clientId: string): void
}

export function createFailedClients ({ perMinute, monotonicMs, onExceeded }: FailedClientsOptions): FailedClients {
  const failures = new Map<string, number>()
  let endsAtMs = -Infinity

  function failuresOf (clientId: string): number {
    const nowMs = monotonicMs()
    if (nowMs >= endsAtMs) {
      failures.clear()
      endsAtMs = nowMs + WINDOW_MS
    }
    return failures.get(clientId) ?? 0
  }

  const isWithin = (clientId: string): boolean => perMinute === 0 || failuresOf(clientId) < perMinute

  return {
    isWithin,
    count (clientId) {
      const failed = failuresOf(clientId) + 1
      if (failures.has(clientId) || failures.size < MOST_COUNTED) failures.set(clientId, failed)
      if (perMinute !== 0 && failed === perMinute) onExceeded(clientId)
      return perMinute === 0 || failed <= perMinute
    }
  }
}
