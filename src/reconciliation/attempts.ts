// Graph calls that belong to no registration, under the retry rule of the core and in the tenant's traffic.
import type { Core } from '../registration/core.ts'
import { deadlineIn, type Deadline } from '../registration/deadline.ts'
import { waitBeforeRepeat } from '../registration/failures.ts'
import { DirectoryError } from '../registration/ports.ts'
import { LARGEST_TURN } from '../registration/traffic/write-queue.ts'

/** What the reconciler needs of the core. */
export type Tools = Pick<Core, 'ports' | 'settings' | 'traffic'>

/** A page of 999 applications takes Graph longer than one object. */
const PAGE_ATTEMPTS = 4

/** One call, repeated until the deadline, when the tenant lets it. @throws DirectoryError of the last attempt */
export async function attempt<T> (tools: Tools, providerId: string, deadline: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { ports: { clock }, settings, traffic } = tools
  for (let attempts = 0; ; attempts++) {
    try {
      return await traffic.call(providerId, async () => {
        const signal = AbortSignal.timeout(Math.ceil(Math.min(PAGE_ATTEMPTS * settings.attemptTimeoutMs, deadline.remainingMs())))
        return await work(signal)
      }, deadline)
    } catch (error) {
      if (!(error instanceof DirectoryError)) throw error
      const waitMs = waitBeforeRepeat(error, attempts, clock.random())
      if (waitMs === null || waitMs >= deadline.remainingMs()) throw error
      await clock.sleep(waitMs)
    }
  }
}

/** Like `attempt`, in a turn of the tenant's budget of writes. */
export async function attemptWrite<T> (tools: Tools, providerId: string, deadline: Deadline, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const turn = tools.traffic.join(providerId, 'broker', LARGEST_TURN, deadline)
  try {
    await turn.begin(deadline)
    return await attempt(tools, providerId, deadline, work)
  } finally {
    turn.end()
  }
}

/** How long the background works on one thing. */
export function backgroundDeadline ({ ports: { clock }, settings }: Tools): Deadline {
  return deadlineIn(settings.backgroundBudgetMs, clock)
}
