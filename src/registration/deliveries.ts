// What became of answers, collected and written in batches: a mark costs the happy path no commit.
import type { DeliveryOutcome, DeliveryStore, Log } from './ports.ts'

export const FLUSH_INTERVAL_MS = 50
/** Marks kept while the database is away; beyond it the oldest are forgotten and their rows end as `unknown`. */
const MAX_PENDING = 100_000

export interface Deliveries {
  /** Remembers an outcome; a later `delivered` wins over an earlier `not_delivered`. */
  mark (registrationId: string, outcome: DeliveryOutcome): void
  flush (): Promise<void>
  close (): Promise<void>
}

export function createDeliveries (store: DeliveryStore, log: Log): Deliveries {
  let pending = new Map<string, DeliveryOutcome>()
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()

  function mark (registrationId: string, outcome: DeliveryOutcome): void {
    if (pending.get(registrationId) !== 'delivered') pending.set(registrationId, outcome)
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
    flush,
    async close () {
      await flush()
      clearTimeout(timer)
    }
  }
}
