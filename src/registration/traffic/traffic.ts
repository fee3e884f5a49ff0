// What goes to each tenant, and when: turns of the write budget, pauses a tenant asked for, calls at once. One object a process.
import type { Deadline } from '../deadline.ts'
import { DirectoryError, type Clock, type Log, type TrafficStore } from '../ports.ts'
import { CallGate } from './call-gate.ts'
import { Pause } from './pause.ts'
import type { Turn } from './turn.ts'
import { WriteQueue, type WriteBudget } from './write-queue.ts'

export interface TrafficReading {
  providerId: string
  /** Writes that wait for their turn in this process. */
  waitingWrites: number
  pausedMs: number
}

export interface Traffic {
  /**
   * Asks for the turn of `writes` writes. Parties with something to do get the same share of the budget.
   * @throws DirectoryError `throttled` when they could not be made before the deadline
   */
  join (providerId: string, party: string, writes: number, deadline: Deadline): Turn
  /**
   * Makes a call when the tenant lets it.
   * @throws DirectoryError `throttled` or `unavailable` when that is too late; whatever `work` throws
   */
  call<T> (providerId: string, work: () => Promise<T>, deadline: Deadline, signal?: AbortSignal): Promise<T>
  /** Learns which tenants other replicas were asked to leave alone. */
  follow (): Promise<void>
  readings (): TrafficReading[]
}

/** An attempt with less time than this is not worth starting: it would end unknown. */
export const SHORTEST_ATTEMPT_MS = 200
/** How often those who wait look what became of the one call that finds out. */
const PROBE_POLL_MS = 50
/** What a pause must at least gain to be worth telling the other replicas. */
const TOLD_MS = 100

interface Tenant {
  pause: Pause
  gate: CallGate
  queue: WriteQueue
}

export function createTraffic (store: TrafficStore, clock: Clock, log: Log, settings: WriteBudget): Traffic {
  const tenants = new Map<string, Tenant>()

  function tenantOf (providerId: string): Tenant {
    const known = tenants.get(providerId)
    if (known !== undefined) return known
    const tenant: Tenant = {
      pause: new Pause(clock),
      gate: new CallGate(settings.concurrency, clock),
      queue: new WriteQueue({ providerId, budget: settings, store, clock, log })
    }
    tenants.set(providerId, tenant)
    return tenant
  }

  /** True: whoever waited finds out whether the tenant takes calls again. */
  async function waitForPause ({ pause }: Tenant, deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
    for (;;) {
      if (!pause.letsOnlyOne) return false
      if (pause.remainingMs === 0 && pause.probe()) return true
      const waitMs = Math.max(pause.remainingMs, PROBE_POLL_MS)
      if (waitMs + SHORTEST_ATTEMPT_MS > deadline.remainingMs()) throw paused(pause.remainingMs)
      await clock.sleep(waitMs, signal)
    }
  }

  function throttled (providerId: string, { pause, queue }: Tenant, retryAfterMs: number | undefined): void {
    const gainedMs = pause.throttled(retryAfterMs)
    if (gainedMs < TOLD_MS) return
    queue.pause(pause.remainingMs)
    store.pauseProvider(providerId, pause.remainingMs).catch((error: unknown) => {
      log.debug({ err: error, providerId }, 'The other replicas could not be told that a tenant throttles')
    })
  }

  return {
    join (providerId, party, writes, deadline) {
      const { pause, queue } = tenantOf(providerId)
      if (pause.remainingMs + SHORTEST_ATTEMPT_MS > deadline.remainingMs()) throw paused(pause.remainingMs)
      return queue.join(party, writes, deadline)
    },
    async call (providerId, work, deadline, signal) {
      const tenant = tenantOf(providerId)
      const isProbe = await waitForPause(tenant, deadline, signal)
      try {
        const passed = await tenant.gate.pass(work, deadline, signal)
        if (passed === null) throw new DirectoryError('unavailable', 'Too many calls to this tenant are under way')
        tenant.pause.passed()
        return passed.result
      } catch (error) {
        if (error instanceof DirectoryError) {
          if (error.fault === 'throttled' && error.isTenantWide) throttled(providerId, tenant, error.retryAfterMs)
          else if (isAnswer(error)) tenant.pause.passed()
        }
        throw error
      } finally {
        if (isProbe) tenant.pause.settled()
      }
    },
    async follow () {
      for (const [providerId, remainingMs] of await store.pauses()) {
        const { pause, queue } = tenantOf(providerId)
        pause.extend(remainingMs)
        queue.pause(remainingMs)
      }
    },
    readings: () => [...tenants].map(([providerId, { pause, queue }]) => ({ providerId, waitingWrites: queue.waiting, pausedMs: pause.remainingMs }))
  }
}

/** Graph has looked at the request. Whether it takes any is not to be learnt from a timeout, nor from a token that was refused. */
function isAnswer ({ fault }: DirectoryError): boolean {
  return !['throttled', 'unavailable', 'unauthenticated'].includes(fault)
}

function paused (remainingMs: number): DirectoryError {
  return new DirectoryError('throttled', 'The tenant asked to be left alone until after the deadline', { retryAfterMs: Math.max(1_000, remainingMs) })
}
