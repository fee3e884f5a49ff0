// The reconciler of a running broker, for the commands about it.
import { setTimeout as delay } from 'node:timers/promises'
import type { CommandContext } from './command.ts'
import type { OperationsApi } from './operations-api.ts'
import { table } from './table.ts'

interface FindingDocument {
  kind: string
  client_id: string
  registration_id: string
  display_name: string
  appeared_at: string | null
  count: number
  looks?: number
  first_seen_at?: string
  verdict?: string
}

/** What the commands show of one provider; the whole is what --json prints. */
export interface ReportDocument {
  provider: string
  running: boolean
  started_at: string | null
  finished_at: string | null
  fault: string | null
  on_hold: boolean
  held_at: string | null
  held_for: string | null
  counts?: Record<string, number>
  other_installations: Array<{ installation: string | null, applications: number }>
  findings: FindingDocument[]
  findings_total: number
  dry_run?: { at: string, would_hold: boolean, counts: Record<string, number>, findings: FindingDocument[] }
}

const POLL_MS = 1_000

/** @throws CommandError */
export async function readReports (api: OperationsApi, provider: string | undefined): Promise<ReportDocument[]> {
  const { data } = await api.ask('GET', '/reconciliation') as { data: ReportDocument[] }
  return data.filter(report => provider === undefined || report.provider === provider)
}

/** Runs and waits for the end. @throws CommandError */
export async function runToItsEnd (api: OperationsApi, provider: string | undefined, isDry: boolean, signal: AbortSignal): Promise<ReportDocument[]> {
  await api.ask('POST', '/reconciliation/run', { ...(provider === undefined ? {} : { provider }), dry_run: isDry })
  for (;;) {
    const reports = await readReports(api, provider)
    if (!reports.some(({ running }) => running)) return reports
    await delay(POLL_MS, undefined, { signal })
  }
}

export function printReport (report: ReportDocument, print: CommandContext['print']): void {
  const { provider, finished_at: finishedAt, fault, on_hold: isHeld, held_at: heldAt, held_for: heldFor, counts, findings, findings_total: total } = report
  print(`${provider}: ${finishedAt === null ? 'no run has finished yet' : `last finished ${finishedAt}`}${report.running ? ', one is under way' : ''}`)
  if (fault !== null) print(`  The latest run stopped before its end: ${fault}`)
  if (isHeld) print(`  ON HOLD since ${heldAt}: ${heldFor} is newer than the database. Nothing is removed until: dcr-broker reconcile release --yes`)
  if (counts !== undefined) print(`  ${countsLine(counts)}`)
  for (const { installation, applications } of report.other_installations) {
    print(`  ${applications} applications ${installation === null ? 'with the tag that no broker has made' : `of installation ${installation}`}: not touched`)
  }
  if (findings.length > 0) table(['FINDING', 'CLIENT ID', 'NAME', 'MADE', 'COUNT', 'LOOKS', 'FIRST SEEN'], findings.map(rowOf)).forEach(print)
  if (total > findings.length) print(`  … and ${total - findings.length} more`)
}

export function printDryRun ({ provider, fault, dry_run: dryRun }: ReportDocument, print: CommandContext['print']): void {
  if (dryRun === undefined) return print(`${provider}: the dry run stopped before its end: ${fault ?? 'another run was under way'}`)
  print(`${provider}: nothing was changed${dryRun.would_hold ? '; the provider is, or would be put, ON HOLD' : ''}`)
  print(`  ${countsLine(dryRun.counts)}`)
  if (dryRun.findings.length === 0) return
  table(['FINDING', 'CLIENT ID', 'NAME', 'MADE', 'COUNT', 'WOULD BE'], dryRun.findings.map(finding =>
    [...rowOf(finding).slice(0, 5), finding.verdict ?? null])).forEach(print)
}

function rowOf (finding: FindingDocument): Array<string | number | null> {
  const { kind, client_id: clientId, display_name: name, appeared_at: appearedAt, count, looks = null, first_seen_at: firstSeenAt = null } = finding
  return [kind, clientId, name, appearedAt, count, looks, firstSeenAt]
}

function countsLine (counts: Record<string, number>): string {
  return Object.entries(counts).filter(([name, count]) => count > 0 || name === 'applications').map(([name, count]) => `${name.replaceAll('_', ' ')}: ${count}`).join(', ')
}
