// Where a run writes what it finds: into the database, or, when it is only asked what it would do, into memory.
import { isConfirmed } from './judge.ts'
import type { Finding, ReconciliationStore, Run, RunCounts, RunReport, Verdict } from './port.ts'
import type { ReconciliationSettings } from './settings.ts'

/** Findings of one dry run that are shown; all are counted. */
export const SHOWN_FINDINGS = 200

export interface Notebook {
  note (findings: readonly Finding[]): Promise<void>
  /** It is not so any more. */
  settle (kind: Finding['kind'], clientId: string): Promise<void>
}

const counterOf = {
  unknown_application: 'unknown', late_create: 'late', application_missing: 'missing', stray_password: 'strays', unknown_password: 'unknownPasswords'
} as const satisfies Record<Finding['kind'], keyof RunCounts>

export function emptyReport (): RunReport {
  return {
    applications: 0,
    unknown: 0,
    late: 0,
    missing: 0,
    strays: 0,
    unknownPasswords: 0,
    removed: 0,
    drifted: 0,
    straysRemoved: 0,
    reaped: 0,
    disabled: 0,
    ended: 0,
    foreign: []
  }
}

export function countFindings (report: RunReport, findings: readonly Finding[]): void {
  for (const { kind, count } of findings) report[counterOf[kind]] += count
}

export function storedNotes (store: ReconciliationStore, run: Run): Notebook {
  return {
    note: async findings => { if (findings.length > 0) await store.note(run, findings) },
    settle: async (kind, clientId) => await store.settle(run.providerId, kind, clientId)
  }
}

export interface MemoryNotes extends Notebook {
  findings: Finding[]
}

export function memoryNotes (): MemoryNotes {
  const findings: Finding[] = []
  return {
    findings,
    note: async noted => { findings.push(...noted.slice(0, SHOWN_FINDINGS - findings.length)) },
    settle: async () => {}
  }
}

/** What a run would do now with what a dry run has found. `seen`: the same findings as the runs before have stored them. */
export function verdictOf (
  finding: Finding, seen: { firstSeenAt: Date, looks: number } | undefined, isHeld: boolean, now: Date, settings: ReconciliationSettings
): Verdict {
  if (finding.kind === 'unknown_password') return 'reported'
  // The run that would act is one look more.
  const isSure = seen !== undefined && isConfirmed({ ...seen, looks: seen.looks + 1 }, now, settings)
  if (finding.kind === 'unknown_application') return isSure ? 'reported' : 'waits'
  if (isHeld) return 'held'
  if (finding.kind === 'application_missing') return isSure ? 'drifted' : 'waits'
  return 'removed'
}
