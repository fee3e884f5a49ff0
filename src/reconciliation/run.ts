// One run at one provider: look, decide whether Entra knows more than the database, and only then change what was found.
import { act } from './acts.ts'
import type { Tools } from './attempts.ts'
import { look, type Looking } from './look.ts'
import { emptyReport, memoryNotes, storedNotes, verdictOf, type MemoryNotes } from './notebook.ts'
import type { DryRun, IdleClients, ReconciliationStore, Run, RunReport, StoredFinding } from './port.ts'
import type { ReconciliationSettings } from './settings.ts'

const LEASE_MS = 5 * 60_000
/** A lease is renewed when so much of it is over. */
const RENEW_AFTER_MS = 60_000

export interface RunParts {
  tools: Tools
  store: ReconciliationStore
  idle: IdleClients
  settings: ReconciliationSettings
}

export interface RunOptions {
  isDry: boolean
  /** A run that began less than so long ago is enough; 0: run anyhow. */
  notWithinMs: number
  signal: AbortSignal
}

/** The run is another's now, or the process goes down. */
export class RunEndedError extends Error {}

/** Null: another replica is at it, or was a moment ago. @throws whatever stopped it; the report says so too */
export async function runAt (parts: RunParts, providerId: string, options: RunOptions): Promise<RunReport | null> {
  const { store, tools: { ports: { log } } } = parts
  const run = await store.begin(providerId, { leaseMs: LEASE_MS, isDry: options.isDry, notWithinMs: options.notWithinMs })
  if (run === null) return null
  try {
    return await (run.isDry ? rehearse(parts, run, options.signal) : perform(parts, run, options.signal))
  } catch (error) {
    if (!(error instanceof RunEndedError)) log.warn({ err: error, providerId }, 'A reconciliation stopped before its end')
    await store.fail(run, faultOf(error))
    throw error
  }
}

async function perform (parts: RunParts, run: Run, signal: AbortSignal): Promise<RunReport> {
  const { store, idle, settings, tools } = parts
  const looking = { ...parts, run, notes: storedNotes(store, run), report: emptyReport(), keep: keeper(parts, run, signal) }
  const { report } = looking
  const { holdFor, adoptedCursor } = await look(looking)
  if (holdFor !== null && !run.isHeld) {
    tools.ports.log.error({ providerId: run.providerId, clientId: holdFor },
      'On hold: Entra has an application of this installation that is newer than the database. Was it restored? Nothing is removed before an operator releases the hold')
    await store.hold(run, holdFor)
  }
  if (holdFor === null && !run.isHeld) {
    await act(looking)
    report.reaped = await idle.reapVerifications(run.providerId, settings.idle)
    report.ended = await idle.endNeverLinked(run.providerId, settings.idle)
    report.disabled = await idle.disableNeverLinked(run.providerId, settings.idle)
  }
  await store.finish(run, report, adoptedCursor)
  return report
}

async function rehearse (parts: RunParts, run: Run, signal: AbortSignal): Promise<RunReport> {
  const { store, idle, settings, tools } = parts
  const notes = memoryNotes()
  const looking: Looking = { ...parts, run, notes, report: emptyReport(), keep: keeper(parts, run, signal) }
  const { holdFor } = await look(looking)
  const isHeld = run.isHeld || holdFor !== null
  const report = isHeld ? looking.report : { ...looking.report, ...await idle.count(run.providerId, settings.idle) }
  const at = tools.ports.clock.now()
  await store.finishDry(run, { at, wouldHold: isHeld, report, findings: await withVerdicts(parts, run, notes, isHeld, at) })
  return report
}

async function withVerdicts ({ store, settings }: RunParts, run: Run, { findings }: MemoryNotes, isHeld: boolean, now: Date): Promise<DryRun['findings']> {
  const known = new Map<string, StoredFinding>()
  for (const kind of new Set(findings.map(finding => finding.kind))) {
    const ids = findings.filter(finding => finding.kind === kind).map(({ clientId }) => clientId)
    for (const finding of await store.findingsOf(run.providerId, kind, ids)) known.set(`${kind} ${finding.clientId}`, finding)
  }
  return findings.map(finding =>
    ({ ...finding, verdict: verdictOf(finding, known.get(`${finding.kind} ${finding.clientId}`), isHeld, now, settings) }))
}

function keeper ({ store, tools: { ports: { clock } } }: RunParts, run: Run, signal: AbortSignal): () => Promise<void> {
  let renewedAtMs = clock.monotonicMs()
  return async () => {
    if (signal.aborted) throw new RunEndedError('The process goes down')
    if (clock.monotonicMs() - renewedAtMs < RENEW_AFTER_MS) return
    if (!await store.renew(run, LEASE_MS)) throw new RunEndedError('Another replica runs it now')
    renewedAtMs = clock.monotonicMs()
  }
}

function faultOf (error: unknown): string {
  if (error instanceof RunEndedError) return 'interrupted'
  const fault = (error as { fault?: unknown }).fault
  return typeof fault === 'string' ? fault : 'internal'
}
