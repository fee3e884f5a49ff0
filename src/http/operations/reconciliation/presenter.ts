// Reports -> the wire.
import type { DryRun, Finding, ProviderReport, RunReport } from '../../../reconciliation/port.ts'
import type { CountsBody, ReportBody, ReportListBody } from './schemas.ts'

export function presentReports (reports: readonly ProviderReport[]): ReportListBody {
  return { data: reports.map(presentReport), meta: { page: { size: reports.length, number: 1, total: reports.length, next: null } } }
}

function presentReport (shown: ProviderReport): ReportBody {
  const { report, dryRun } = shown
  return {
    provider: shown.provider,
    running: shown.isRunning,
    started_at: shown.startedAt?.toISOString() ?? null,
    finished_at: shown.finishedAt?.toISOString() ?? null,
    duration_ms: shown.durationMs,
    fault: shown.fault,
    on_hold: shown.heldAt !== null,
    held_at: shown.heldAt?.toISOString() ?? null,
    held_for: shown.heldFor,
    ...(report === null ? {} : { counts: presentCounts(report) }),
    other_installations: report?.foreign ?? [],
    findings: shown.findings.map(finding => ({
      ...presentFinding(finding), first_seen_at: finding.firstSeenAt.toISOString(), last_seen_at: finding.lastSeenAt.toISOString(), looks: finding.looks
    })),
    findings_total: shown.findingCount,
    ...(dryRun === null ? {} : { dry_run: presentDryRun(dryRun) })
  }
}

function presentDryRun ({ at, wouldHold, report, findings }: DryRun): NonNullable<ReportBody['dry_run']> {
  return {
    at: at.toISOString(),
    would_hold: wouldHold,
    counts: presentCounts(report),
    findings: findings.map(finding => ({ ...presentFinding(finding), verdict: finding.verdict }))
  }
}

function presentFinding ({ kind, clientId, registrationId, displayName, appearedAt, count }: Finding) {
  return { kind, client_id: clientId, registration_id: registrationId, display_name: displayName, appeared_at: appearedAt?.toISOString() ?? null, count }
}

function presentCounts ({ foreign: _, unknownPasswords, straysRemoved, ...counts }: RunReport): CountsBody {
  return { ...counts, unknown_strays: unknownPasswords, strays_removed: straysRemoved }
}
