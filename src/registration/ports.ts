// What the core asks of the world. Adapters (entra/, store/, vault/) implement these; the laws stand here.
import type {
  AuditEntry, AuthStrategy, Caller, Credential, DirectoryApplication, NewRegistration, ProductEvent, Provider, Registration
} from './registration.ts'

/** Everything that can go wrong between us and Entra, by what the core must do about it. */
export type DirectoryFault =
  | 'replicating' // the object was made but is not visible yet: repeat
  | 'conflicting' // Directory_ConcurrencyViolation: repeat after a moment
  | 'throttled' // 429, or a 503 that says when to come back
  | 'unavailable' // 5xx, timeout, reset, no connection
  | 'missing' // the object is not there (or not there yet: the caller knows which)
  | 'unauthenticated' // Entra refuses the broker's own credential, or Graph its token
  | 'denied' // the broker lacks a Graph permission, or does not own the object
  | 'policy' // a tenant app-management policy forbids it
  | 'quota' // directory quota, or the size limit of one object
  | 'rejected' // Graph refuses the payload

/** The only error a Directory throws. `message` and `diagnostics` are for logs, never for an answer. */
export class DirectoryError extends Error {
  readonly fault: DirectoryFault
  /** True when the request may have been applied although no answer came: look before acting. */
  readonly outcomeUnknown: boolean
  /** Milliseconds the directory asked us to stay away, if it said so. */
  readonly retryAfterMs: number | undefined
  /** Graph or AADSTS code, HTTP status, request ids. Never a secret, a token or a body. */
  readonly diagnostics: Readonly<Record<string, string | number>>

  constructor (fault: DirectoryFault, message: string, options: {
    cause?: unknown
    outcomeUnknown?: boolean
    retryAfterMs?: number | undefined
    diagnostics?: Record<string, string | number>
  } = {}) {
    super(message, { cause: options.cause })
    this.name = 'DirectoryError'
    this.fault = fault
    this.outcomeUnknown = options.outcomeUnknown ?? false
    this.retryAfterMs = options.retryAfterMs
    this.diagnostics = options.diagnostics ?? {}
  }
}

export interface ApplicationIds {
  /** Graph object id of the application. */
  objectId: string
  /** Entra's appId: the client_id that callers know. */
  clientId: string
}

export interface DirectorySecret {
  keyId: string
  /** The password's displayName in Entra; ours start with `dcr:`. */
  label: string | null
  expiresAt: Date
}

export interface IssuedSecret extends DirectorySecret {
  secretText: string
  /** First three characters, as Entra shows them. */
  hint: string
  startsAt: Date
}

/**
 * One Entra tenant. Laws:
 * - one call, one attempt: nothing here repeats a request or sleeps; the retry rule lives in saga.ts;
 * - every call but `issueSecret` may run twice; "already there" and "already gone" are success;
 * - every call ends when `signal` aborts, and then throws a DirectoryError with `outcomeUnknown` for a write;
 * - only DirectoryError is thrown.
 */
export interface Directory {
  /** Creates the application under its uniqueName, or brings the existing one to `wanted`. */
  ensureApplication (uniqueName: string, wanted: DirectoryApplication, signal: AbortSignal): Promise<ApplicationIds>
  /** Creates the service principal of an application, or finds it. Resolves to its object id. */
  ensurePrincipal (clientId: string, wanted: DirectoryApplication, signal: AbortSignal): Promise<string>
  /** Sends the whole projection. `missing` when the application is gone. */
  updateApplication (objectId: string, wanted: DirectoryApplication, signal: AbortSignal): Promise<void>
  /** Adds a password. NOT repeatable: its text is shown once. */
  issueSecret (objectId: string, label: string, startsAt: Date, endsAt: Date, signal: AbortSignal): Promise<IssuedSecret>
  listSecrets (objectId: string, signal: AbortSignal): Promise<DirectorySecret[]>
  /** Removes one password. Already gone is success. */
  revokeSecret (objectId: string, keyId: string, signal: AbortSignal): Promise<void>
  /** The live application with this uniqueName, or null. */
  findApplication (uniqueName: string, signal: AbortSignal): Promise<ApplicationIds | null>
  /** Soft-deletes the application (Entra takes its principal along). Already gone is success. */
  removeApplication (objectId: string, signal: AbortSignal): Promise<void>
  /** Removes the soft-deleted application and its principal for good. Already gone is success. */
  purgeApplication (ids: ApplicationIds, principalId: string | null, signal: AbortSignal): Promise<void>
  /** Asks the token endpoint whether a secret works already. */
  probeSecret (clientId: string, secretText: string, signal: AbortSignal): Promise<boolean>
}

/** The directory of each provider. Throws DirectoryError `unauthenticated` for a provider without a usable credential. */
export interface Directories {
  of (providerId: string): Directory
}

/** Where a sealed value lives; bound into the ciphertext, so that it opens nowhere else. */
export interface SealedPlace {
  table: string
  rowId: string
  column: string
}

export interface Sealed {
  version: number
  kid: string
  wrappedKey: Uint8Array
  /** iv | tag | ciphertext */
  ciphertext: Uint8Array
}

export interface Verifier {
  pepperId: string
  digest: Uint8Array
}

/** Envelope encryption of secrets. Throws VaultError when a value can't be opened. */
export interface Vault {
  seal (plaintext: string, place: SealedPlace): Promise<Sealed>
  open (sealed: Sealed, place: SealedPlace): Promise<string>
  /** HMAC(pepper, client_id ‖ secret): recognises a secret without keeping it. */
  verifierOf (clientId: string, secret: string): Verifier
}

export class VaultError extends Error {
  constructor (message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'VaultError'
  }
}

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
  /** The tenant's share of writes is spent: the first Graph call waits this long. */
  waitMs: number
}

/** What a fenced save does with the lease. `dueInMs` (from now, PostgreSQL's clock) says when the row wants to be claimed; null: never. */
export type LeaseDisposition =
  | { kind: 'keep' }
  | { kind: 'release', dueInMs: number | null }
  /** Like release, but a Graph write may still land: nobody may take the row before one attempt timeout has passed. */
  | { kind: 'abandon', dueInMs: number }

export interface SaveOptions {
  lease: LeaseDisposition
  /** Only these credentials are written (inserted or updated). */
  credentials?: readonly Credential[]
  events?: readonly ProductEvent[]
  audit?: readonly AuditEntry[]
}

export type DeliveryOutcome = 'delivered' | 'not_delivered'

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
  /** Inserts the row, its credential and audit, and takes the lease. Null: an open registration of this caller has the same fingerprint. */
  reserve (entry: NewRegistration, audit: readonly AuditEntry[]): Promise<Held | null>
  findOpen (callerId: string, fingerprint: string): Promise<Registration | null>
  find (id: string): Promise<Registration | null>
  findByClientId (providerId: string, clientId: string): Promise<Registration | null>
  /** Takes the lease of one row if it is free; null if somebody holds it (or the row is not there). */
  acquire (id: string): Promise<Held | null>
  /** Takes the leases of rows whose time has come, oldest first, skipping what others hold. */
  claimDue (limit: number): Promise<Held[]>
  /** Prolongs the lease; null when it is lost. */
  renew (lease: Lease): Promise<Lease | null>
  /** Writes the whole mutable state of the record. False: the lease is lost and nothing was written. */
  save (held: Held, options: SaveOptions): Promise<boolean>
  /** Product events of one registration, oldest first. */
  listEvents (registrationId: string): Promise<ProductEvent[]>
}

/** Marks of what became of answers, and the end of the redelivery window. Written outside the leases, batched. */
export interface DeliveryStore {
  markDeliveries (marks: ReadonlyMap<string, DeliveryOutcome>): Promise<void>
  /** A repeat within the window: the answer is wanted again, so the window starts anew. False: it is closed already. */
  extendWindow (registrationId: string): Promise<boolean>
  /** Ends the windows that are over. What was never delivered becomes `undoing` and due; `pending` becomes `unknown`. */
  closeWindows (limit: number): Promise<{ undone: number, unknown: number }>
  /** Erases sealed secrets whose time is over. Resolves to their number. */
  eraseExpiredSecrets (limit: number): Promise<number>
}

/** Providers, strategies and callers: read-mostly, kept in memory by the adapter. */
export interface Catalogue {
  /** Which installation this database belongs to; every Entra application carries it as a tag. */
  installationId (): string
  provider (id: string): Provider | null
  /** The strategy with this Konnect id within the provider, else null. */
  strategyOfKonnect (providerId: string, konnectAuthStrategyId: string): AuthStrategy | null
  defaultStrategy (providerId: string): AuthStrategy
  strategy (id: string): AuthStrategy | null
  caller (id: string): Caller | null
}

export interface AuditLog {
  append (entries: readonly AuditEntry[]): Promise<void>
}

/** Time and chance. `monotonicMs` never jumps; `sleep` resolves early (false) when the signal aborts. */
export interface Clock {
  now (): Date
  monotonicMs (): number
  sleep (ms: number, signal?: AbortSignal): Promise<boolean>
  /** 0 <= x < 1, for jitter. */
  random (): number
  /** A fresh UUIDv7. */
  uuid (): string
}

/** What the core says about its work; the adapter is pino. Details never hold a secret. */
export interface Log {
  debug (details: object, message: string): void
  info (details: object, message: string): void
  warn (details: object, message: string): void
  error (details: object, message: string): void
}

export interface Ports {
  directories: Directories
  store: RegistrationStore & DeliveryStore
  catalogue: Catalogue
  vault: Vault
  audit: AuditLog
  clock: Clock
  log: Log
}
