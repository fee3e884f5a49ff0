// The gauges of the installation: what the database tells, and how the broker's own tokens stand.
import type { InstallationState, StateReader } from '../administration/state-port.ts'
import type { FindingKind } from '../reconciliation/port.ts'
import type { GaugeGroup, Sample } from './gauges.ts'

/** Counting a million rows is cheap, but not so cheap that every scraper of every replica may ask for it at once. */
const STATE_EVERY_MS = 15_000

const KINDS: readonly FindingKind[] = ['unknown_application', 'late_create', 'application_missing', 'stray_password', 'unknown_password']

const about = {
  dcr_registrations: { help: 'Registrations by where they stand in the lifecycle.', labelNames: ['provider', 'state'] },
  dcr_registrations_failing: { help: 'Registrations whose last run stopped before its end and that are tried again.', labelNames: ['provider'] },
  dcr_oldest_unfinished_registration_seconds: {
    help: 'Age of the oldest client that is still being made or undone; 0: there is none.', labelNames: ['provider']
  },
  dcr_oldest_due_work_seconds: { help: 'For how long work has been due that no replica has taken up; 0: none is.', labelNames: ['provider'] },
  dcr_reconciliation_findings: { help: 'What Entra and the database disagree about.', labelNames: ['provider', 'kind'] },
  dcr_reconciliation_on_hold: { help: '1: nothing is removed until an operator releases the hold.', labelNames: ['provider'] },
  dcr_reconciliation_last_success_timestamp_seconds: { help: 'When the latest comparison began that came to its end.', labelNames: ['provider'] },
  dcr_reconciliation_foreign_applications: { help: 'Applications with the broker\'s tag of other installations.', labelNames: ['provider'] },
  dcr_secrets_expiring: { help: 'Valid client secrets that end within this time, those of shorter times included.', labelNames: ['within'] },
  dcr_provider_credential_expires_timestamp_seconds: {
    help: 'When the credential ends by which the broker proves itself to Entra, where that is known.', labelNames: ['provider']
  }
} as const satisfies GaugeGroup<string>['gauges']

export function installationGauges (reader: StateReader): GaugeGroup<keyof typeof about> {
  return { name: 'installation', gauges: about, everyMs: STATE_EVERY_MS, read: async () => samplesOf(await reader.read()) }
}

function samplesOf ({ registrations, work, reconciliation, expiringSecrets, ownCredentials }: InstallationState): Record<keyof typeof about, Sample[]> {
  return {
    dcr_registrations: registrations.map(({ provider, state, count }) => ({ labels: { provider, state }, value: count })),
    dcr_registrations_failing: work.map(({ provider, failing }) => ({ labels: { provider }, value: failing })),
    dcr_oldest_unfinished_registration_seconds: work.map(({ provider, oldestUnfinishedSeconds }) => ({ labels: { provider }, value: oldestUnfinishedSeconds })),
    dcr_oldest_due_work_seconds: work.map(({ provider, oldestDueSeconds }) => ({ labels: { provider }, value: oldestDueSeconds })),
    dcr_reconciliation_findings: reconciliation.flatMap(({ provider, findings }) => KINDS.map(kind =>
      ({ labels: { provider, kind }, value: findings.find(finding => finding.kind === kind)?.count ?? 0 }))),
    dcr_reconciliation_on_hold: reconciliation.map(({ provider, isHeld }) => ({ labels: { provider }, value: isHeld ? 1 : 0 })),
    dcr_reconciliation_last_success_timestamp_seconds: reconciliation.flatMap(({ provider, lookedAt }) =>
      lookedAt === null ? [] : [{ labels: { provider }, value: lookedAt.getTime() / 1_000 }]),
    dcr_reconciliation_foreign_applications: reconciliation.map(({ provider, foreign }) => ({ labels: { provider }, value: foreign })),
    dcr_secrets_expiring: expiringSecrets.map(({ withinDays, count }) => ({ labels: { within: `${withinDays}d` }, value: count })),
    dcr_provider_credential_expires_timestamp_seconds: ownCredentials.map(({ provider, expiresAt }) =>
      ({ labels: { provider }, value: expiresAt.getTime() / 1_000 }))
  }
}

/** What waits for a tenant in this process, by the provider's name. */
export interface TrafficState {
  provider: string
  waitingWrites: number
  pausedMs: number
}

export function trafficGauges (states: () => readonly TrafficState[]): GaugeGroup<'dcr_graph_writes_waiting' | 'dcr_graph_pause_seconds'> {
  return {
    name: 'traffic',
    gauges: {
      dcr_graph_writes_waiting: { help: 'Graph writes of this replica that wait for their turn in the tenant\'s budget.', labelNames: ['provider'] },
      dcr_graph_pause_seconds: { help: 'For how long the tenant has to be left alone, because it throttled.', labelNames: ['provider'] }
    },
    everyMs: 0,
    read: () => ({
      dcr_graph_writes_waiting: states().map(({ provider, waitingWrites }) => ({ labels: { provider }, value: waitingWrites })),
      dcr_graph_pause_seconds: states().map(({ provider, pausedMs }) => ({ labels: { provider }, value: pausedMs / 1_000 }))
    })
  }
}

/** What became of the broker's own token, by the provider's name. */
export interface TokenState {
  provider: string
  state: 'untried' | 'accepted' | 'failing'
}

const tokenStates: ReadonlyArray<TokenState['state']> = ['untried', 'accepted', 'failing']

export function tokenGauges (states: () => readonly TokenState[]): GaugeGroup<'dcr_entra_token_state'> {
  return {
    name: 'tokens',
    gauges: { dcr_entra_token_state: { help: 'The broker\'s own token for each Entra tenant; 1 at the state it is in.', labelNames: ['provider', 'state'] } },
    everyMs: 0,
    read: () => ({
      dcr_entra_token_state: states().flatMap(({ provider, state: current }) =>
        tokenStates.map(state => ({ labels: { provider, state }, value: state === current ? 1 : 0 })))
    })
  }
}
