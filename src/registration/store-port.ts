// What the core asks of the database: registrations under leases, deliveries, windows. Implemented by store/.
import type { AuditEntry, Caller, Credential, NewRegistration, ProductEvent, Registration } from './registration.ts'

/** A held row lease. `token` fences every commit; `expiresAtMs` is on the monotonic clock, taken before the database was asked. */
export interface Lease {
  registrationId: string
  token: bigint
  expiresAtMs: number
}

/** A record together with the lease that allows to change it. */
export interface Held {
  registration: Registration
  lease: Lease
}

/** What a fenced save does with the lease. `dueInMs` (from now, PostgreSQL's clock) says when the row wants to be claimed; null: never. */
export type LeaseDisposition =
  | { kind: 'keep' }
  | { kind: 'release', dueInMs: number | null }
  /** Like release, but a Graph write may still land: nobody may take the row before one attempt timeout has passed. */
  | { kind: 'abandon', dueInMs: number }

/** Another registration answers a request, unless its answer had been delivered before; null when it appeared in this very moment: ask again. */
export interface OpenRegistration {
  kind: 'open'
  openId: string | null
  deliveredMsAgo: number | null
}

export type Reservation =
  | { kind: 'reserved', held: Held }
  | OpenRegistration
  | { kind: 'refused', quota: 'caller' | 'policy' }
  /** The provider, the strategy or the policy has just been deleted. */
  | { kind: 'unserved' }

/** Which events to look at, by their type. */
export type EventTypes = { only: string } | { except: string }

export interface SaveOptions {
  lease: LeaseDisposition
  /** Only these credentials are written (inserted or updated). */
  credentials?: readonly Credential[]
  events?: readonly ProductEvent[]
  audit?: readonly AuditEntry[]
  /** A new registration access token, and the one that stays valid until it is first used. */
  managementToken?: { current: Uint8Array, previous: Uint8Array | null } | undefined
  /** A change of the client: answers to idempotency keys about it are not given again, but for the record of the request that makes the change. */
  voidsAnswers?: { except: string | null } | undefined
}

export type DeliveryOutcome = 'delivered' | 'not_delivered'

/** What became of an answer, and how many milliseconds ago. */
export interface DeliveryMark { outcome: DeliveryOutcome, ageMs: number }

/** Thrown when the database can't be reached or refuses to serve; the outcome of a write is then unknown. */
export class StoreUnavailableError extends Error {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'StoreUnavailableError'
  }
}

/**
 * The registrations. Laws:
 * - rows are never deleted;
 * - every change of a registration is fenced by its lease: a save whose token is stale changes nothing and resolves to false;
 * - leases and due times are on PostgreSQL's clock;
 * - each method is one commit at most.
 */
export interface RegistrationStore {
  /**
   * Inserts the row, its credential and audit, and takes the lease; or names the registration of the same id, or of this caller
   * with the same fingerprint or sharing key. `closedId` does not count: its answer had been delivered when this request began.
   */
  reserve (entry: NewRegistration, audit: readonly AuditEntry[], closedId?: string | null): Promise<Reservation>
  find (id: string): Promise<Registration | null>
  /** The registration that `reserve` would name instead of making one; null: there is none. */
  findOpen (entry: Pick<NewRegistration, 'callerId' | 'fingerprint' | 'sharingKey'>, closedId?: string | null): Promise<OpenRegistration | null>
  findByClientId (providerId: string, clientId: string): Promise<Registration | null>
  /**
   * The same without credentials that are revoked or lost, if this is the digest of its registration access token or of the one before.
   * Made to be asked by anybody.
   */
  findHeld (providerId: string, clientId: string, managementDigest: Uint8Array): Promise<Registration | null>
  /** Takes the lease of one row if it is free; null if somebody holds it (or the row is not there). */
  acquire (id: string): Promise<Held | null>
  /** Takes the leases of rows whose time has come, oldest first, skipping what others hold. */
  claimDue (limit: number): Promise<Held[]>
  /** Prolongs the lease; null when it is lost. */
  renew (lease: Lease): Promise<Lease | null>
  /** Writes the whole mutable state of the record. False: the lease is lost and nothing was written. */
  save (held: Held, options: SaveOptions): Promise<boolean>
  /** A new registration access token: the one so far becomes the previous. False: the client is no longer there. */
  replaceManagementToken (registrationId: string, digest: Uint8Array): Promise<boolean>
  /** The current token was used: the previous one ends. */
  endPreviousManagementToken (registrationId: string, currentDigest: Uint8Array): Promise<void>
  /** A shared client was registered once more: its age begins anew. False: it is no longer active. */
  renewShared (registrationId: string): Promise<boolean>
  /** The newest product event of a client about this product, among those types; null: none. */
  newestEvent (registrationId: string, productId: string | null, types: EventTypes): Promise<ProductEvent | null>
}

/** What all replicas together send to a tenant. On PostgreSQL's clock. */
export interface TrafficStore {
  /**
   * Takes writes from the tenant's budget. They may begin in `beginInMs`; further ones in `spentForMs`, which is negative while the
   * budget has a reserve.
   */
  takeWrites (providerId: string, writes: number): Promise<{ beginInMs: number, spentForMs: number }>
  /** A tenant asked to be left alone for so long. A later end wins; when it is over the budget has no reserve. */
  pauseProvider (providerId: string, ms: number): Promise<void>
  /** Milliseconds for which tenants have to be left alone yet, by provider. */
  pauses (): Promise<ReadonlyMap<string, number>>
}

/** Tokens and identities that are looked up when they are shown, so that revoking one counts at once. */
export interface CallerStore {
  /** The living caller (neither revoked nor expired) with this SHA-256 of its token. */
  findCallerByDigest (digest: Uint8Array): Promise<Caller | null>
  /** The caller that stands for a service of the tenant, made when it first comes; null when it was revoked. */
  ensureServiceCaller (providerId: string, appId: string): Promise<Caller | null>
}

/** The end of what nobody uses: disabled first, deleted after the grace of its policy. */
export interface ExpiryStore {
  /** Disables at most `limit` active clients whose policy says so. Resolves to their number. */
  disableExpired (limit: number): Promise<number>
  /** Ends at most `limit` clients that expiry disabled long enough ago. Resolves to their number. */
  endExpired (limit: number): Promise<number>
}

/** Whether the database knows less than Entra: after a restore the reconciler puts a provider on hold (docs/reconciliation.md). */
export interface HoldStore {
  isOnHold (providerId: string): Promise<boolean>
}

/** Marks of what became of answers, and the end of the redelivery window. Written outside the leases, batched. */
export interface DeliveryStore {
  markDeliveries (marks: ReadonlyMap<string, DeliveryMark>): Promise<void>
  /** A repeat within the window: the answer is wanted again, so the window starts anew. False: it is closed already. */
  extendWindow (registrationId: string): Promise<boolean>
  /** Ends the windows that are over. What was never delivered becomes `undoing` and due; `pending` becomes `unknown`. */
  closeWindows (limit: number): Promise<{ undone: number, unknown: number }>
  /** Erases sealed secrets whose time is over. Resolves to their number. */
  eraseExpiredSecrets (limit: number): Promise<number>
}
