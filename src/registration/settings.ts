// The numbers of the core. Defaults and environment names: settings/ and design chapter 8.

export interface CoreSettings {
  /** A request's answer leaves within this time. */
  requestDeadlineMs: number
  /** One Graph call lasts at most this long. */
  attemptTimeoutMs: number
  /** A background run on one claimed row lasts at most this long. */
  backgroundBudgetMs: number
  /** The same request gets the same answer for this long, unless it was delivered. */
  redeliveryWindowMs: number
  /** How long a deleted application stays restorable in Entra; 0 purges at once. */
  purgeAfterMs: number
  /** When ended rows are looked at again, counted from their end. */
  sweepDelaysMs: readonly number[]
  /** A superseded secret is removed this long after its rotation at the latest. */
  supersededGraceMs: number
  /** Life of the secrets the broker asks for, by surface. */
  secretLifetimeMs: Readonly<Record<'konnect' | 'register' | 'operations', number>>
  maxSecretsPerClient: number
  /** One run of expiry disables at most so many clients, and deletes at most so many. */
  expiryMaxPerRun: number
  /** Ask the token endpoint before answering a create. */
  proveOnCreate: boolean
}
