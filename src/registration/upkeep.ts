// The broker's own work: finishes what was handed over or died, undoes what nobody received, sweeps, purges, erases.
import type { Core } from './core.ts'
import { deadlineIn } from './deadline.ts'
import { LeaseLostError } from './errors.ts'
import { Operation } from './operation.ts'
import { DirectoryError, type Held } from './ports.ts'
import { run } from './saga.ts'

/** Rows worked on at once by one replica. */
const CONCURRENCY = 8
/** Rows of one statement; a full one is followed by another. */
const BATCH = 200
/** A round claims no more rows after this time, so that windows are closed and secrets erased however much there is to do. */
const CLAIMING_MS = 10_000

export interface UpkeepReport {
  claimed: number
  failed: number
  undone: number
  unknown: number
  erased: number
}

/** One round: close windows, erase, then work on due rows until none is left, the round is over or `signal` aborts. */
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
  await workOnDueRows(core, report, signal)
  return report
}

// A slow row holds up no other: whenever one is done, the next is claimed.
async function workOnDueRows (core: Core, report: UpkeepReport, signal: AbortSignal): Promise<void> {
  const round = deadlineIn(CLAIMING_MS, core.ports.clock)
  const underWay = new Set<Promise<void>>()
  try {
    while (!signal.aborted && round.remainingMs() > 0) {
      for (const held of await core.ports.store.claimDue(CONCURRENCY - underWay.size)) {
        report.claimed += 1
        const work: Promise<void> = resume(core, held, signal).then(succeeded => {
          underWay.delete(work)
          if (!succeeded) report.failed += 1
        })
        underWay.add(work)
      }
      if (underWay.size === 0) return
      await Promise.race(underWay)
    }
  } finally {
    await Promise.all(underWay)
  }
}

async function resume (core: Core, held: Held, signal: AbortSignal): Promise<boolean> {
  const { ports, settings } = core
  const deadline = deadlineIn(settings.backgroundBudgetMs, ports.clock)
  try {
    await run(new Operation(core, held, deadline, { id: 'broker', requestId: null }, { resumed: true, signal }))
    return true
  } catch (error) {
    // What Entra said is in the record and in the log already.
    if (!(error instanceof DirectoryError) && !(error instanceof LeaseLostError)) {
      ports.log.error({ err: error, registrationId: held.registration.id }, 'A claimed registration could not be worked on')
    }
    return false
  }
}
