// The numbers of the reconciler. Defaults and environment names: settings/.
import type { IdleLimits } from './port.ts'

export interface ReconciliationSettings {
  /** Whether and how often a replica looks by itself; 0: never. */
  intervalMs: number
  /** Applications and passwords younger than this are not judged. */
  minAgeMs: number
  /** What is seen twice is believed only when so much time lies between. */
  secondLookMs: number
  /** Looks of the sweep that an ended row has had when its application is the reconciler's. */
  sweepLooks: number
  idle: IdleLimits
}
