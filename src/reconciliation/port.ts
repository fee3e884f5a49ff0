// What the reconciler asks of the database. Implemented by store/.
import type { AuditEntry, Credential, DirectoryApplication, RegistrationState, Surface, ClientMetadata } from '../registration/registration.ts'

export type FindingKind =
  /** Our installation's tag and name, and no row. */
  | 'unknown_application'
  /** Its row has ended, and the looks of the sweep are over. */
  | 'late_create'
  /** Its row is active or disabled, and Entra does not have it. */
  | 'application_missing'
  /** A password whose credential is over, or has another keyId. */
  | 'stray_password'
  /** A password with our label of which no row has ever known. */
  | 'unknown_password'

/** Something Entra and the rows disagree about. */
export interface Finding {
  kind: FindingKind
  clientId: string
  objectId: string
  registrationId: string
  displayName: string
  /** When the application was made, as Entra says; null: it is not there. */
  appearedAt: Date | null
  /** Passwords; 1 for everything else. */
  count: number
}

export interface StoredFinding extends Finding {
  firstSeenAt: Date
  lastSeenAt: Date
  /** Runs in a row that saw it. */
  looks: number
}

/** A run of one provider: nobody else runs it. */
export interface Run {
  providerId: string
  /** Fences what the run writes. */
  token: bigint
  startedAt: Date
  isDry: boolean
  /** When the newest registration of the installation was made; null: there is none. */
  newestRowAt: Date | null
  /** When the latest run began that came to its end; null: none has. */
  lookedAt: Date | null
  isHeld: boolean
  /** Applications up to this time put nothing on hold; null: no hold was ever released. */
  releasedAt: Date | null
  adoptedCursor: string | null
}

/** What of a row an application is compared with. */
export interface KnownRow {
  id: string
  providerId: string
  state: RegistrationState
  clientId: string | null
  objectId: string | null
  isAdopted: boolean
  sweeps: number
  /** Its application is in Entra's bin until its time is over. */
  isPurgeDue: boolean
  credentials: Array<{ id: string, state: Credential['state'], keyId: string | null }>
}

export type LivingRow = Pick<Finding, 'registrationId' | 'clientId' | 'objectId' | 'displayName'>

/** Counts of one run, by what was found and what was done. */
export interface RunCounts {
  applications: number
  unknown: number
  late: number
  missing: number
  strays: number
  unknownPasswords: number
  removed: number
  drifted: number
  straysRemoved: number
  /** Konnect's Verify clients that were ended. */
  reaped: number
  /** Clients never linked to anything that were switched off, and ended after their grace. */
  disabled: number
  ended: number
}

export interface ForeignInstallation {
  /** Null: our tag, but nothing that the broker made. */
  installation: string | null
  applications: number
}

export interface RunReport extends RunCounts {
  foreign: ForeignInstallation[]
}

/** What a finding comes to: `removed` and `drifted` by the run itself; `waits` for another look; `reported` to operators, who decide. */
export type Verdict = 'removed' | 'drifted' | 'waits' | 'reported' | 'held'

export interface DryRun {
  at: Date
  wouldHold: boolean
  report: RunReport
  /** At most so many as a report shows. */
  findings: Array<Finding & { verdict: Verdict }>
}

export interface RunTerms {
  leaseMs: number
  /** It changes nothing, and counts for no round. */
  isDry: boolean
  /** A run that began less than so long ago is enough; 0: never. */
  notWithinMs: number
}

export interface IdleLimits {
  /** 0: Verify clients are kept. */
  verificationMs: number
  /** 0: clients that were never linked are kept. */
  neverLinkedMs: number
  neverLinkedGraceMs: number
  /** Most of each, per run. */
  limit: number
}

export interface ReconciliationStore {
  /** Null: another replica is at it, or has been within `notWithinMs`. */
  begin (providerId: string, terms: RunTerms): Promise<Run | null>
  /** False: the run took too long and is another's now. */
  renew (run: Run, leaseMs: number): Promise<boolean>
  /** The rows of these registrations at any provider, and those with these client ids at this one. */
  knownRows (providerId: string, registrationIds: readonly string[], clientIds: readonly string[]): Promise<KnownRow[]>
  see (run: Run, registrationIds: readonly string[]): Promise<void>
  /**
   * Looks through `limit` rows in the order of their ids. Resolves to those that are active or disabled, not adopted, older than
   * `before`, and whose application the run has not seen; `next` is where to go on, null at the end.
   */
  unseenRows (run: Run, before: Date, after: string | null, limit: number): Promise<{ rows: LivingRow[], next: string | null }>
  /** Active and disabled rows that were adopted; in the order of their ids. */
  adoptedRows (providerId: string, after: string | null, limit: number): Promise<LivingRow[]>
  note (run: Run, findings: readonly Finding[]): Promise<void>
  findings (providerId: string, kind: FindingKind, after: string | null, limit: number): Promise<StoredFinding[]>
  /** Those of these client ids. */
  findingsOf (providerId: string, kind: FindingKind, clientIds: readonly string[]): Promise<StoredFinding[]>
  settle (providerId: string, kind: FindingKind, clientId: string): Promise<void>
  /** Nothing is removed from now on. Writes its audit. */
  hold (run: Run, clientId: string): Promise<void>
  /** Findings that the run has not seen again are forgotten, and so is what it has seen. */
  finish (run: Run, report: RunReport, adoptedCursor: string | null): Promise<void>
  /** What an earlier dry run said is no answer to one that failed. */
  fail (run: Run, fault: string): Promise<void>
  finishDry (run: Run, dryRun: DryRun): Promise<void>
}

/** Clients that nobody uses: each method is one capped commit with its audit. Only the rows change; Entra follows as with any other wish. */
export interface IdleClients {
  reapVerifications (providerId: string, limits: IdleLimits): Promise<number>
  disableNeverLinked (providerId: string, limits: IdleLimits): Promise<number>
  endNeverLinked (providerId: string, limits: IdleLimits): Promise<number>
  /** How many each of them would change. */
  count (providerId: string, limits: IdleLimits): Promise<Pick<RunCounts, 'reaped' | 'disabled' | 'ended'>>
}

/** An application of ours that has no row, as a row again. */
export interface RestoredRegistration {
  id: string
  providerId: string
  strategyId: string
  callerId: string
  surface: Surface
  objectId: string
  clientId: string
  principalId: string | null
  metadata: ClientMetadata
  projection: DirectoryApplication
  credentials: Credential[]
  createdAt: Date
}

export interface ProviderReport {
  providerId: string
  provider: string
  isRunning: boolean
  startedAt: Date | null
  finishedAt: Date | null
  durationMs: number | null
  fault: string | null
  heldAt: Date | null
  heldFor: string | null
  report: RunReport | null
  dryRun: DryRun | null
  findings: StoredFinding[]
  findingCount: number
}

/** What operators see and decide. `only`: the provider an operator is bound to; null: all. */
export interface ReconciliationDesk {
  /** Of every served provider, by name; each with its newest findings, `limit` at most. */
  reports (only: string | null, limit: number): Promise<ProviderReport[]>
  /** The application without a row, wherever it is. */
  findUnknown (clientId: string, only: string | null): Promise<(StoredFinding & { providerId: string }) | null>
  isOnHold (providerId: string): Promise<boolean>
  /** Resolves to the names of the providers whose hold it released. */
  release (providerIds: readonly string[], audit: Pick<AuditEntry, 'actor' | 'requestId' | 'sourceAddress'>): Promise<string[]>
  /** Makes the row, its credentials and the audit in one commit, and forgets the finding. False: there is a row by now, or no finding. */
  restore (entry: RestoredRegistration, audit: AuditEntry): Promise<boolean>
  /** Takes the finding for the one who purges: whoever comes later has none. Writes the audit. */
  take (providerId: string, clientId: string, audit: AuditEntry): Promise<boolean>
  noteDone (audit: AuditEntry): Promise<void>
  /** A living caller who may have clients at this provider. */
  callerOf (id: string, providerId: string): Promise<{ id: string, kind: string } | null>
}
