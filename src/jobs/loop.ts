// The background: a piece of work every so often, one round after the other.
import type { Log } from '../registration/ports.ts'

export interface Loop {
  /** Stops after the round at hand; resolves when it has ended. */
  close (): Promise<void>
}

/** Told of every round; null: it failed. */
export type RoundObserver = (name: string, report: object | null) => void

/** Whoever has waited for the start is answered first: the first rounds load what only the background needs (Prisma's compiler). */
const FIRST_AFTER_MS = 100

/** Rounds that fail are tried again; `name` says in the log which. `report` members that are all 0 are not worth a line. */
export function startLoop (
  name: string, work: (signal: AbortSignal) => Promise<object | void>, intervalMs: number, log: Log, observe: RoundObserver = () => {}
): Loop {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()
  let isFailing = false

  async function runRound (): Promise<void> {
    try {
      const report = await work(stopping.signal)
      observe(name, report ?? {})
      if (isFailing) log.info({}, `${name} works again`)
      isFailing = false
      if (report !== undefined && Object.values(report).some(count => count !== 0)) log.info({ ...report }, name)
    } catch (error) {
      observe(name, null)
      // The database is away: the next round tries again.
      if (!isFailing) log.warn({ err: error }, `${name} fails; each round is tried again`)
      isFailing = true
    }
    // Replicas that started together do not stay in step.
    if (!stopping.signal.aborted) timer = setTimeout(next, intervalMs * (0.8 + Math.random() * 0.4))
  }

  function next (): void {
    round = runRound()
  }

  timer = setTimeout(next, FIRST_AFTER_MS)
  return {
    async close () {
      stopping.abort()
      clearTimeout(timer)
      await round
    }
  }
}
