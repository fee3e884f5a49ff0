// What became of answers, collected and written in batches: a mark costs the happy path no commit.
import { DeliveryMarks, type SeenAnswer } from './delivery-marks.ts'
import type { Clock, DeliveryOutcome, DeliveryStore, Log } from './ports.ts'

export { FLUSH_INTERVAL_MS } from './delivery-marks.ts'

/** A request that needs the marks written waits no longer for a database that hangs. */
const FLUSH_WAIT_MS = 500
const CLOSE_WAIT_MS = 3_000
/** Answers remembered to tell a repeat from a request that came while the first was under way. */
const MAX_RECENT = 10_000

export interface Deliveries {
  /** Remembers an outcome; a later `delivered` wins over an earlier `not_delivered`. */
  mark (registrationId: string, outcome: DeliveryOutcome): void
  /** What this process has seen of the answer, not long ago, and when on its monotonic clock. */
  seen (registrationId: string): SeenAnswer | null
  /** Resolves when all marks are written, after half a second at the latest. Never rejects. */
  flush (): Promise<void>
  /** Tries once more and gives up after three seconds; what is not written by then is lost and counted in the log. Never rejects. */
  close (): Promise<void>
}

export function createDeliveries (store: Pick<DeliveryStore, 'markDeliveries'>, clock: Pick<Clock, 'monotonicMs' | 'sleep'>, log: Log): Deliveries {
  const marks = new DeliveryMarks(store, clock, log)
  /** When answers left, the newest last. */
  const recent = new Map<string, SeenAnswer>()

  /** `patient`: a failure is waited out as well, so that a caller who asks again does not spin. */
  async function writeWithin (ms: number, patient: boolean): Promise<void> {
    const finished = new AbortController()
    const timeUp = clock.sleep(ms, finished.signal)
    await Promise.race([marks.write().then(succeeded => succeeded || !patient ? true : timeUp), timeUp])
    finished.abort('finished')
  }

  return {
    mark (registrationId, outcome) {
      const answer: SeenAnswer = { outcome, atMs: clock.monotonicMs() }
      marks.add(registrationId, answer)
      if (recent.get(registrationId)?.outcome !== 'delivered') recent.set(registrationId, answer)
      if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value as string)
    },
    seen: registrationId => recent.get(registrationId) ?? null,
    flush: () => writeWithin(FLUSH_WAIT_MS, true),
    async close () {
      marks.stop()
      await writeWithin(CLOSE_WAIT_MS, false)
      // Their rows end as `unknown`: kept and listed, never undone.
      if (marks.unwritten > 0) log.warn({ marks: marks.unwritten }, 'Delivery marks are lost: the database did not take them before the end')
    }
  }
}
