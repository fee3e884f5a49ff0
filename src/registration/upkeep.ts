// The broker's own work: finishes what was handed over or died, undoes what nobody received, sweeps, purges, erases.
import { deadlineIn } from './deadline.ts'
import { Operation } from './operation.ts'
import { LeaseLostError } from './errors.ts'
import { DirectoryError, type Held } from './ports.ts'
import { run } from './saga.ts'
import type { Core } from './core.ts'

/** Rows worked on at once by one replica. */
const CONCURRENCY = 8
/** Rows of one statement; a full one is followed by another. */
const BATCH = 200

export interface UpkeepReport {
  claimed: number
  failed: number
  undone: number
  unknown: number
  erased: number
}

/** One round: close windows, erase, then claim due rows until none is left or `signal` aborts. */
export async function keepUp (core: Core, signal: AbortSignal): Promise<UpkeepReport> {
  const { store } = core.ports
  const report: UpkeepReport = { claimed: 0, failed: 0, undone: 0, unknown: 0, erased: 0 }
  for (let full = true; full && !signal.aborted;) {
    const { undone, unknown } = await store.closeWindows(BATCH)
    report.undone += undone
    report.unknown += unknown
    full = undone + unknown === BATCH
  }
  for (let full = true; full && !signal.aborted;) {
    const erased = await store.eraseExpiredSecrets(BATCH)
    report.erased += erased
    full = erased === BATCH
  }
  while (!signal.aborted) {
    const batch = await store.claimDue(CONCURRENCY)
    if (batch.length === 0) break
    const results = await Promise.all(batch.map(held => resume(core, held)))
    report.claimed += results.length
    report.failed += results.filter(succeeded => !succeeded).length
  }
  return report
}

async function resume (core: Core, held: Held): Promise<boolean> {
  const { ports, settings } = core
  const deadline = deadlineIn(settings.backgroundBudgetMs, ports.clock)
  try {
    // A provider that is no longer configured has no directory: its rows wait.
    await run(new Operation(core, held, deadline, { id: 'broker', requestId: null }, { resumed: true }))
    return true
  } catch (error) {
    if (!(error instanceof DirectoryError) && !(error instanceof LeaseLostError)) {
      ports.log.error({ err: error, registrationId: held.registration.id }, 'A claimed registration could not be worked on')
    }
    return false
  }
}
