// What the audit's use cases ask of the world: the events and their seals in the database, and keyed digests over them.
import type { Filter, RowsQuery } from '../listing/query.ts'

/** An event as it is stored. Never a secret. */
export interface AuditEvent {
  id: string
  at: Date
  actor: string
  action: string
  outcome: string
  registrationId: string | null
  providerId: string | null
  requestId: string | null
  sourceAddress: string | null
  detail: unknown
}

/** Place of an event in the chain. */
export interface AuditSeal {
  /** From 1, without gaps. */
  seq: number
  eventId: string
  mac: Uint8Array
  /** Of the pepper from which the MAC's key comes. */
  pepperId: string
}

export interface SealedEvent {
  seal: AuditSeal
  /** Null: it is gone. */
  event: AuditEvent | null
}

/** Where the search for events that were passed over goes on. */
export interface OverduePosition {
  at: Date
  id: string
}

/** Which events are the next to be sealed. */
export interface UnsealedEvents {
  events: AuditEvent[]
  /** Null: nothing older than an hour is left to look through. */
  overdue: OverduePosition | null
}

/** All methods throw StoreUnavailableError when the database can't be reached. */
export interface AuditChainStore {
  /**
   * Adds to the chain, as the only one over all replicas: `extend` gets the last seal and the next events, in the order of their
   * transactions, and resolves to their seals. Null: another replica is at it.
   */
  extend (
    limit: number, overdue: OverduePosition | null, extend: (last: AuditSeal | null, events: AuditEvent[]) => AuditSeal[]
  ): Promise<{ seals: AuditSeal[], overdue: OverduePosition | null } | null>
  /** Seals behind `seq` with their events, in order. */
  read (afterSeq: number, limit: number): Promise<SealedEvent[]>
  /** How many seals there are, roughly: for a progress line. */
  lastSeq (): Promise<number>
  /** Events without a seal that are older than an hour; counts no further than `limit`. */
  countOverdue (limit: number): Promise<number>
}

/** Keyed digests for the audit alone. Throws VaultError for a pepper that the keyring does not have. */
export interface AuditMacs {
  /** Under the active pepper unless one is named. No two purposes, and no two lists of parts, share a digest. */
  auditMac (purpose: 'event' | 'checkpoint', parts: readonly string[], pepperId?: string): { pepperId: string, digest: Uint8Array }
}

export type AuditField = 'id' | 'actor' | 'action' | 'outcome' | 'registrationId' | 'provider' | 'requestId' | 'at'
export type AuditSortField = 'at'
export type AuditFilter = Filter<AuditField>

export interface ListedAuditEvent extends Omit<AuditEvent, 'providerId'> {
  providerName: string | null
  /** Its place in the chain; null: not sealed yet. */
  seq: number | null
}

/** Reads only. Throws StoreUnavailableError when the database can't be reached. */
export interface AuditBrowser {
  /** @param providerId only what concerns this provider; null: everything */
  list (query: RowsQuery<AuditField, AuditSortField>, providerId: string | null): Promise<ListedAuditEvent[]>
  /** Counts no further than `limit`. */
  count (filters: readonly AuditFilter[], providerId: string | null, limit: number): Promise<number>
}
