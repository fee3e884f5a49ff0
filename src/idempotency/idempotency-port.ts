// What the use cases of idempotency keys ask of the database. One record stands for one key of one caller and operation.
import type { RegistrationState } from '../registration/registration.ts'
import type { Sealed, Verifier } from '../registration/ports.ts'

export interface NewRecord {
  id: string
  callerId: string
  /** Method and template of the route. */
  operation: string
  /** SHA-256. */
  keyDigest: Uint8Array
  payload: Verifier
  /** The registration that it makes or changes; null: none. */
  resourceId: string | null
  /** Nobody else takes it up for so long, on PostgreSQL's clock. */
  leaseMs: number
  /** It is erased after so long. */
  retentionMs: number
}

/** A record that was there. */
export interface FoundRecord {
  id: string
  attempt: number
  payload: Verifier
  state: 'in_flight' | 'answered' | 'void'
  /** In flight, but its request has died or was let go. */
  isLapsed: boolean
  resourceId: string | null
  /** Of the registration now; null: the resource is none, or is not there. */
  registrationState: RegistrationState | null
  /** The same when the answer was kept. */
  answeredState: RegistrationState | null
  /** The registration is undone when its window closes: nobody is known to have received it. */
  isUndelivered: boolean
  answer: { status: number, sealed: Sealed } | null
}

/** Whose turn it is with a record: a request that lost it changes nothing. */
export interface Turn {
  id: string
  attempt: number
}

/** Throws StoreUnavailableError when the database can't be reached. Each method is one statement. */
export interface IdempotencyStore {
  /** Null: it is open, at attempt 1. A record whose time is over is none. `busy`: it appeared, or went, in this very moment: ask again. */
  open (record: NewRecord): Promise<FoundRecord | 'busy' | null>
  /** The next attempt of a record, if it still is as it was found. False: somebody else was faster. */
  takeOver (found: Pick<FoundRecord, 'id' | 'attempt' | 'state'>, resourceId: string | null, leaseMs: number): Promise<boolean>
  /** Keeps the answer. False: it is not the turn's any more, or what it was about has changed meanwhile. */
  keep (turn: Turn, answer: { status: number, sealed: Sealed }, resourceId: string | null, retentionMs: number): Promise<boolean>
  /** The next request with the key goes on where this one has stopped. */
  letGo (turn: Turn): Promise<void>
  /** As if the request had never come. */
  forget (turn: Turn): Promise<void>
  /** Erases records whose time is over. Resolves to their number. */
  eraseExpired (limit: number): Promise<number>
}
