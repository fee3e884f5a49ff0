// The background: one round of the registrar's own work every few seconds, or at once when there is reason to.
import type { Log } from '../registration/ports.ts'
import type { Registrar } from '../registration/registrar.ts'

export interface UpkeepLoop {
  /** Stops after the row at hand; resolves when it has. */
  close (): Promise<void>
}

export function startUpkeepLoop (registrar: Pick<Registrar, 'keepUp'>, intervalMs: number, log: Log): UpkeepLoop {
  const stopping = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let round: Promise<void> = Promise.resolve()
  let isFailing = false

  async function runRound (): Promise<void> {
    try {
      const report = await registrar.keepUp(stopping.signal)
      if (isFailing) log.info({}, 'Upkeep works again')
      isFailing = false
      if (report.claimed + report.undone + report.unknown + report.erased > 0) log.info({ ...report }, 'Upkeep round')
    } catch (error) {
      // The database is away: the next round tries again.
      if (!isFailing) log.warn({ err: error }, 'Upkeep rounds fail; each is tried again')
      isFailing = true
    }
    // Replicas that started together do not stay in step.
    if (!stopping.signal.aborted) timer = setTimeout(next, intervalMs * (0.8 + Math.random() * 0.4))
  }

  function next (): void {
    round = runRound()
  }

  next()
  return {
    async close () {
      stopping.abort()
      clearTimeout(timer)
      await round
    }
  }
}
