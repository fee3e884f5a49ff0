// Replication as callers of Entra see it. Everything is off (0) until it is asked for; the numbers are guesses, since Microsoft
// publishes none, and can be changed while the simulator runs.
import type { ApplicationRecord, DirectoryRecord, PasswordRecord } from './records.ts'

export interface LagSettings {
  /** A new object answers 404 to reads and writes by id or alternate key for so long. */
  readDelayMs: number
  /** A new object is missing from lists and `$filter` for so long. */
  listDelayMs: number
  /** A service principal can't be made for so long after its application. */
  principalDelayMs: number
  /** How that is refused: 400 NoBackingApplicationObject or 403 Authorization_RequestDenied. */
  principalRefusal: 'no-backing-application' | 'denied'
  /** The token endpoint doesn't know a new application (AADSTS700016) or its principal (AADSTS7000229) for so long. */
  tokenDelayMs: number
  /** A new secret is refused by the token endpoint (AADSTS7000215) for so long. */
  secretDelayMs: number
  /** A removed secret goes on working for so long. */
  secretLingerMs: number
  /** A deleted application still gets tokens for so long. */
  tokenLingerMs: number
  /** Reads go backwards: every second read of an object answers what was true so long ago. */
  staleReadMs: number
  /** Two writes to one object closer together than this: the second is a 409 Directory_ConcurrencyViolation. */
  concurrencyWindowMs: number
  /** Every Graph answer takes this long. */
  latencyMs: number
}

export const noLag: Readonly<LagSettings> = {
  readDelayMs: 0,
  listDelayMs: 0,
  principalDelayMs: 0,
  principalRefusal: 'no-backing-application',
  tokenDelayMs: 0,
  secretDelayMs: 0,
  secretLingerMs: 0,
  tokenLingerMs: 0,
  staleReadMs: 0,
  concurrencyWindowMs: 0,
  latencyMs: 0
}

/** How an object looks to one read. */
export interface Sight<R extends DirectoryRecord> {
  properties: R['properties']
  passwords: readonly PasswordRecord[]
}

/** What a point read sees of an object; null while it has not replicated. Counts the read. */
export function sightOf<R extends DirectoryRecord> (record: R, lag: LagSettings, now: number): Sight<R> | null {
  if (record.createdAtMs + lag.readDelayMs > now) return null
  if (lag.staleReadMs === 0 || record.reads++ % 2 === 0) return record
  const thenMs = now - lag.staleReadMs
  if (record.createdAtMs > thenMs) return null
  return record.past.find(version => version.untilMs > thenMs) ?? record
}

/** Whether a list shows the object already. */
export function isListed (record: DirectoryRecord, lag: LagSettings, now: number): boolean {
  return record.createdAtMs + lag.listDelayMs <= now
}

/** Whether the token endpoint knows the object (still). */
export function isKnownToTokenEndpoint (record: DirectoryRecord, lag: LagSettings, now: number): boolean {
  if (record.createdAtMs + lag.tokenDelayMs > now) return false
  return record.deletedAtMs === null || record.deletedAtMs + lag.tokenLingerMs > now
}

/** The password records that the token endpoint accepts at this moment, whatever their dates. */
export function acceptedPasswords (record: ApplicationRecord, lag: LagSettings, now: number): PasswordRecord[] {
  return record.passwords.filter(password =>
    password.addedAtMs + lag.secretDelayMs <= now &&
    (password.removedAtMs === null || password.removedAtMs + lag.secretLingerMs > now))
}
