// Whether this replica can serve: the state of its own parts. Tenants are shown and never decide: an Entra outage must not take every replica out.
import { setTimeout as wait } from 'node:timers/promises'

const CHECK_TIMEOUT_MS = 2_000
const CACHE_MS = 1_000

export type CheckState = 'ok' | 'failed' | 'timed_out'

/** What is known of a tenant, from the work done so far. */
export type TenantState = 'unknown' | 'usable' | 'failing'

export interface ReadinessReport {
  ready: boolean
  draining: boolean
  checks: Record<string, CheckState>
  tenants: Record<string, TenantState>
}

export interface Readiness {
  /** Never throws. Asks the parts at most once a second, however often it is called. */
  report (): Promise<ReadinessReport>
  /** A part is another than it was: what was found a moment ago counts no more. */
  askAgain (): void
  /** Not ready from now on: load balancers take the replica out before it stops listening. */
  drain (): void
}

export interface ReadinessOptions {
  /** Resolves when the part is well. The signal aborts when the time is over. */
  checks: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>
  tenants: () => Record<string, TenantState>
  /** Told the reason when a part fails; the report names none. */
  onFailure?: (check: string, error: unknown) => void
  checkTimeoutMs?: number
  cacheMs?: number
  /** Milliseconds on a clock that never jumps. */
  monotonicMs?: () => number
}

export function createReadiness (options: ReadinessOptions): Readiness {
  const { checks, tenants, onFailure = () => {}, checkTimeoutMs = CHECK_TIMEOUT_MS, cacheMs = CACHE_MS, monotonicMs = () => performance.now() } = options
  let draining = false
  let last: { at: number, states: Promise<Record<string, CheckState>> } | null = null

  async function stateOf (name: string, check: (signal: AbortSignal) => Promise<void>): Promise<[string, CheckState]> {
    const finished = new AbortController()
    const timeout = AbortSignal.timeout(checkTimeoutMs)
    try {
      const inTime = wait(checkTimeoutMs, false, { signal: finished.signal }).catch(() => false)
      const passed = await Promise.race([check(timeout).then(() => true), inTime])
      if (passed) return [name, 'ok']
      onFailure(name, new Error(`No answer within ${checkTimeoutMs} ms`))
      return [name, 'timed_out']
    } catch (error) {
      onFailure(name, error)
      return [name, 'failed']
    } finally {
      finished.abort()
    }
  }

  async function askAll (): Promise<Record<string, CheckState>> {
    return Object.fromEntries(await Promise.all(Object.entries(checks).map(([name, check]) => stateOf(name, check))))
  }

  return {
    async report () {
      const now = monotonicMs()
      if (last === null || now - last.at >= cacheMs) last = { at: now, states: askAll() }
      const states = await last.states
      const ready = !draining && Object.values(states).every(state => state === 'ok')
      return { ready, draining, checks: states, tenants: tenants() }
    },
    askAgain () {
      last = null
    },
    drain () {
      draining = true
    }
  }
}

/** A check that is not asked again once it has passed: for what a running process can't lose. */
export function untilPassed (check: (signal: AbortSignal) => Promise<void>): (signal: AbortSignal) => Promise<void> {
  let passed = false
  return async signal => {
    if (passed) return
    await check(signal)
    passed = true
  }
}
