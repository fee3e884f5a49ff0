// Last use of clients, collected and written in batches: a request costs no commit for it. What a crash loses is a few seconds of a date.
import type { Clock, Log } from '../registration/ports.ts'
import type { GatewayStore } from './port.ts'

/** So often at most. */
export const USES_FLUSH_MS = 10_000
/** More is written at once. */
const MOST_COLLECTED = 5_000
/** While the database is away: what is older is written, what is beyond is lost. */
const MOST_KEPT = 50_000

export interface Uses {
  note (registrationId: string): void
  /** Writes what was collected. Also when there is nothing: that nobody came is a report, too. */
  flush (): Promise<void>
}

export function createUses (store: Pick<GatewayStore, 'recordUses'>, clock: Pick<Clock, 'now'>, log: Log): Uses {
  let collected = new Map<string, Date>()
  let writing: Promise<void> | null = null

  async function write (): Promise<void> {
    const batch = collected
    collected = new Map()
    try {
      await store.recordUses(batch)
    } catch (error) {
      // Later ones count.
      for (const [id, at] of batch) if (collected.size < MOST_KEPT && !collected.has(id)) collected.set(id, at)
      throw error
    } finally {
      writing = null
    }
  }

  async function flush (): Promise<void> {
    // What came meanwhile goes with the next one, and whoever flushes last wants it written.
    if (writing !== null) await writing.catch(() => undefined)
    writing ??= write()
    await writing
  }

  return {
    note (registrationId) {
      collected.set(registrationId, clock.now())
      if (collected.size === MOST_COLLECTED) flush().catch((error: unknown) => log.debug({ err: error }, 'Last uses could not be written; they are tried again'))
    },
    flush
  }
}
