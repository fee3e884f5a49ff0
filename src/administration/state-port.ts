// What the database can tell of the whole installation in a few cheap statements: for metrics.
import type { FindingKind } from '../reconciliation/port.ts'
import type { RegistrationState } from '../registration/registration.ts'

/** `provider` is the provider's name. */
export interface InstallationState {
  registrations: ReadonlyArray<{ provider: string, state: RegistrationState, count: number }>
  work: ReadonlyArray<{
    provider: string
    /** Rows whose last run stopped before its end and that are tried again. */
    failing: number
    /** Seconds since the oldest row that nobody has taken up was due; 0: the broker keeps up. */
    oldestDueSeconds: number
    /** Seconds since the oldest client that is still being made, or undone, was asked for; 0: there is none. */
    oldestUnfinishedSeconds: number
  }>
  /** Null members: no run has finished yet. */
  reconciliation: ReadonlyArray<{
    provider: string
    isHeld: boolean
    lookedAt: Date | null
    /** Applications of other installations. */
    foreign: number
    findings: ReadonlyArray<{ kind: FindingKind, count: number }>
  }>
  /** Valid secrets that end within so many days, those of shorter times included. */
  expiringSecrets: ReadonlyArray<{ withinDays: number, count: number }>
  /** When the credential ends by which the broker proves itself, where that is known. */
  ownCredentials: ReadonlyArray<{ provider: string, expiresAt: Date }>
}

/** Throws StoreUnavailableError while the database does not answer. */
export interface StateReader {
  read (): Promise<InstallationState>
}
