// The first half of a run: the applications with our tag, page by page, beside their rows, and the rows whose application is not among them.
// Nothing is changed here.
import { DirectoryError, type TaggedApplication, type TaggedPage } from '../registration/ports.ts'
import { seenApplicationOf } from '../registration/seen-application.ts'
import { attempt, backgroundDeadline, type Tools } from './attempts.ts'
import { BROKER_TAG, belongingOf, isNewerThanDatabase, judge } from './judge.ts'
import { countFindings, type Notebook } from './notebook.ts'
import type { Finding, ForeignInstallation, KnownRow, LivingRow, ReconciliationStore, Run, RunReport } from './port.ts'
import type { ReconciliationSettings } from './settings.ts'

/** Rows looked through by one statement. */
const ROWS = 1_000
/** A million applications: a tenant holds fewer. */
const MAX_PAGES = 1_000
/** Rows looked for one by one in a run: a tenant in which somebody has taken all tags away is not asked 100,000 times. */
const MAX_POINT_READS = 500
/** Adopted applications have no tag of ours: so many are looked for in a run, the others in the next ones. */
const ADOPTED_PER_RUN = 200
const MAX_INSTALLATIONS = 50

export interface Looking {
  tools: Tools
  store: ReconciliationStore
  settings: ReconciliationSettings
  run: Run
  notes: Notebook
  report: RunReport
  /** Renews the run's hold on its provider. Throws when somebody else has it, or the process goes down. */
  keep: () => Promise<void>
}

export interface Seen {
  /** appId of the newest application that a restored database would not know; null: there is none. */
  holdFor: string | null
  adoptedCursor: string | null
}

/** @throws DirectoryError when Entra does not answer to the end: a list that is not whole says nothing */
export async function look (looking: Looking): Promise<Seen> {
  const holdFor = await lookAtApplications(looking)
  await lookForUnseen(looking)
  return { holdFor, adoptedCursor: await lookForAdopted(looking) }
}

async function lookAtApplications (looking: Looking): Promise<string | null> {
  const { tools, run: { providerId }, report, keep } = looking
  const foreign = new Map<string | null, number>()
  const visited = new Set<string | null>()
  let newest: TaggedApplication | null = null
  let after: string | null = null
  do {
    if (visited.has(after) || visited.size >= MAX_PAGES) throw endless()
    visited.add(after)
    await keep()
    const directory = tools.ports.directories.of(providerId)
    const from: string | null = after
    const page: TaggedPage = await attempt(tools, providerId, backgroundDeadline(tools), signal => directory.listTagged(BROKER_TAG, from, signal))
    for (const application of await comparePage(looking, page.applications, foreign)) {
      if (newest === null || application.createdAt > newest.createdAt) newest = application
    }
    report.applications += page.applications.length
    after = page.next
  } while (after !== null)
  report.foreign = toForeign(foreign)
  return newest?.clientId ?? null
}

function endless (): DirectoryError {
  return new DirectoryError('unavailable', 'the list of applications does not end', { diagnostics: { reason: 'endless_list' } })
}

/** Resolves to the applications that a restored database would not know. */
async function comparePage (
  { tools, store, settings, run, notes, report }: Looking, page: readonly TaggedApplication[], foreign: Map<string | null, number>
): Promise<TaggedApplication[]> {
  const { catalogue, clock } = tools.ports
  const ours = new Map<TaggedApplication, string>()
  for (const application of page) {
    const belonging = belongingOf(application, catalogue.installationId())
    if ('registrationId' in belonging) ours.set(application, belonging.registrationId)
    else foreign.set(belonging.installation, (foreign.get(belonging.installation) ?? 0) + 1)
  }
  // The rows are read after the applications, and are there before them: an application that is just being made has one.
  const rows = await store.knownRows(run.providerId, [...ours.values()], [...ours.keys()].map(({ clientId }) => clientId))
  const byId = new Map(rows.map(row => [row.id, row]))
  const byClientId = new Map(rows.map(row => [row.clientId, row]))
  const rowOf = (application: TaggedApplication, id: string): KnownRow | null => byClientId.get(application.clientId) ?? byId.get(id) ?? null
  const findings: Finding[] = []
  const seen: string[] = []
  const lost: TaggedApplication[] = []
  for (const [application, registrationId] of ours) {
    const row = rowOf(application, registrationId)
    // Two providers may share a tenant: the other one's run judges it, and its operators see what comes of it.
    if (row !== null && row.providerId !== run.providerId) continue
    if (row === null && isNewerThanDatabase(application, run)) lost.push(application)
    if (row !== null && row.objectId === application.objectId) seen.push(row.id)
    findings.push(...judge(application, registrationId, row, clock.now(), settings))
  }
  countFindings(report, findings)
  await store.see(run, seen)
  // Before this run's own are noted: what an earlier run has reported is nothing new.
  const reported = lost.length === 0 ? [] : await store.findingsOf(run.providerId, 'unknown_application', lost.map(({ clientId }) => clientId))
  await notes.note(findings)
  return lost.filter(application => !reported.some(({ clientId }) => clientId === application.clientId))
}

async function lookForUnseen (looking: Looking): Promise<void> {
  const { store, run, settings, keep } = looking
  const before = new Date(run.startedAt.getTime() - settings.minAgeMs)
  let after: string | null = null
  let reads = 0
  do {
    await keep()
    const slice: Awaited<ReturnType<ReconciliationStore['unseenRows']>> = await store.unseenRows(run, before, after, ROWS)
    const rows = slice.rows.slice(0, MAX_POINT_READS - reads)
    await noteMissing(looking, rows)
    reads += rows.length
    after = slice.next
  } while (after !== null && reads < MAX_POINT_READS)
}

/** Resolves to where the next run goes on. */
async function lookForAdopted (looking: Looking): Promise<string | null> {
  const { store, run } = looking
  const rows = await store.adoptedRows(run.providerId, run.adoptedCursor, ADOPTED_PER_RUN)
  await noteMissing(looking, rows, true)
  return rows.length < ADOPTED_PER_RUN ? null : rows.at(-1)?.registrationId ?? null
}

// Not in the list is no proof: somebody may have taken the tag away, and lists lag. Entra is asked for each by its name, or its appId.
async function noteMissing ({ tools, run: { providerId }, notes, report, keep }: Looking, rows: readonly LivingRow[], isAdopted = false): Promise<void> {
  const findings: Finding[] = []
  for (const row of rows) {
    await keep()
    const directory = tools.ports.directories.of(providerId)
    const seen = await attempt(tools, providerId, backgroundDeadline(tools), signal =>
      seenApplicationOf(directory, { id: row.registrationId, clientId: row.clientId, isAdopted }, signal))
    if (seen?.objectId !== row.objectId) findings.push({ kind: 'application_missing', ...row, appearedAt: null, count: 1 })
    // Not every run looks for it: what was noted is not forgotten by itself.
    else if (isAdopted) await notes.settle('application_missing', row.clientId)
  }
  countFindings(report, findings)
  await notes.note(findings)
}

function toForeign (counts: ReadonlyMap<string | null, number>): ForeignInstallation[] {
  return [...counts].map(([installation, applications]) => ({ installation, applications }))
    .sort((one, other) => other.applications - one.applications).slice(0, MAX_INSTALLATIONS)
}
