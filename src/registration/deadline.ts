// A point on the monotonic clock that a piece of work must not pass.
import type { Clock } from './ports.ts'

export interface Deadline {
  /** Milliseconds left; 0 when it has passed. */
  remainingMs (): number
}

export function deadlineIn (ms: number, clock: Clock): Deadline {
  const endsAtMs = clock.monotonicMs() + ms
  return { remainingMs: () => Math.max(0, endsAtMs - clock.monotonicMs()) }
}

/** The same deadline, `ms` earlier: what is kept back for the work that must follow. */
export function earlier (deadline: Deadline, ms: number): Deadline {
  return { remainingMs: () => Math.max(0, deadline.remainingMs() - ms) }
}

/** Resolves when the work has ended or its time has; the work goes on. It must not reject. */
export async function atMostUntil (deadline: Deadline, work: Promise<void>, clock: Clock): Promise<void> {
  const over = new AbortController()
  await Promise.race([work, clock.sleep(deadline.remainingMs(), over.signal)])
  over.abort('done')
}
