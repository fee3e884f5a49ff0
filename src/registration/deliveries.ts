// What became of answers, collected and written in batches: a mark costs the happy path no commit.
import type { Clock, DeliveryOutcome, DeliveryStore, Log } from './ports.ts'

export const FLUSH_INTERVAL_MS = 50
/** Marks kept while the database is away; beyond it the oldest are forgotten and their rows end as `unknown`. */
const MAX_PENDING = 100_000
/** Answers remembered to tell a repeat from a request that came while the first was under way. */
const MAX_RECENT = 10_000

export interface SeenAnswer {
  outcome: DeliveryOutcome
  atMs: number
}

export interface Deliveries {
  /** Remembers an outcome; a later `delivered` wins over an earlier `not_delivered`. */
  mark (registrationId: string, outcome: DeliveryOutcome): void
  /** What this process has seen of the answer, not long ago, and when on its monotonic clock. */
  seen (registrationId: string): SeenAnswer | null
  flush (): Promise<void>
  close (): Promise<void>
}

export function createDeliveries (store: DeliveryStore, clock: Pick<Clock, 'monotonicMs'>, log: Log): Deliveries {
  /** When answers left, the newest last. */
  const recent = new Map<string, SeenAnswer>()
  let pending = new Map<string, DeliveryOutcome>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  function mark (registrationId: string, outcome: DeliveryOutcome): void {
    if (pending.get(registrationId) !== 'delivered') pending.set(registrationId, outcome)
    if (recent.get(registrationId)?.outcome !== 'delivered') recent.set(registrationId, { outcome, atMs: clock.monotonicMs() })
    if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value as string)
    if (pending.size > MAX_PENDING) pending.delete(pending.keys().next().value as string)
    timer ??= setTimeout(() => { flush().catch(() => {}) }, FLUSH_INTERVAL_MS)
  }

  function flush (): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    running = running.then(write)
    return running
  }

  async function write (): Promise<void> {
    if (pending.size === 0) return
    const batch = pending
    pending = new Map()
    try {
      await store.markDeliveries(batch)
    } catch (error) {
      log.warn({ err: error, marks: batch.size }, 'Delivery marks could not be written; they are tried again')
      const kept = [...batch, ...pending]
      pending = new Map()
      for (const [registrationId, outcome] of kept) mark(registrationId, outcome)
    }
  }

  return {
    mark,
    seen: registrationId => recent.get(registrationId) ?? null,
    flush,
    async close () {
      await flush()
      clearTimeout(timer)
    }
  }
}
