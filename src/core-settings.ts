// The settings as the core wants them: its own names, everything in milliseconds.
import type { ReconciliationSettings } from './reconciliation/settings.ts'
import type { CoreSettings } from './registration/settings.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export function coreSettings ({ limits, purgeAfterHours, secretLifetimeDays, probeNewSecrets }: CompleteSettings): CoreSettings {
  return {
    requestDeadlineMs: limits.requestDeadlineMs,
    attemptTimeoutMs: limits.attemptTimeoutMs,
    backgroundBudgetMs: Math.max(limits.leaseMs, 2 * limits.requestDeadlineMs),
    redeliveryWindowMs: limits.redeliveryWindowMs,
    purgeAfterMs: purgeAfterHours * HOUR_MS,
    sweepDelaysMs: limits.sweepDelaysMs,
    supersededGraceMs: limits.supersededGraceMs,
    secretLifetimeMs: {
      konnect: secretLifetimeDays.konnect * DAY_MS,
      register: secretLifetimeDays.register * DAY_MS,
      operations: secretLifetimeDays.register * DAY_MS
    },
    maxSecretsPerClient: limits.maxSecretsPerClient,
    expiryMaxPerRun: limits.maxExpiredPerRun,
    proveOnCreate: probeNewSecrets
  }
}

export function reconciliationSettings ({ limits, reconciliation }: CompleteSettings): ReconciliationSettings {
  const { intervalMs, minAgeMs, secondLookMs, verificationHours, neverLinkedDays, neverLinkedGraceDays } = reconciliation
  return {
    intervalMs,
    minAgeMs,
    secondLookMs,
    sweepLooks: limits.sweepDelaysMs.length,
    idle: {
      verificationMs: verificationHours * HOUR_MS,
      neverLinkedMs: neverLinkedDays * DAY_MS,
      neverLinkedGraceMs: neverLinkedGraceDays * DAY_MS,
      limit: limits.maxExpiredPerRun
    }
  }
}
