// What the use cases of the key-encryption keys ask of the world. The material is in the keyring files, the state in the database.
import type { Sealed, SealedPlace } from '../registration/ports.ts'
import type { Operator } from './operator.ts'

/** `known`: it may open, and nothing new is sealed under it. `active`: new values are sealed under it; one key at most. */
export type EncryptionKeyState = 'known' | 'active' | 'retired'

export interface EncryptionKey {
  kid: string
  state: EncryptionKeyState
  createdAt: Date
  activatedAt: Date | null
  /** When another key took its place. */
  replacedAt: Date | null
  retiredAt: Date | null
}

/** A process of the broker that has reported itself within the last 30 seconds. */
export interface Replica {
  id: string
  version: string
  /** Keys it can use. */
  kids: string[]
  /** The key it seals under. */
  activeKid: string
  startedAt: Date
  seenAt: Date
}

export interface KeyOverview {
  /** Oldest first. */
  keys: EncryptionKey[]
  replicas: Replica[]
  /** How many values are sealed under each key; keys without any are absent. */
  sealedValues: ReadonlyMap<string, number>
}

export interface SealedValue {
  place: SealedPlace
  sealed: Sealed
}

export interface Rewrapped extends SealedValue {
  /** What it was sealed with: when that has changed meanwhile, the value stays as it is. */
  before: Sealed
}

/** All methods throw StoreUnavailableError when the database can't be reached. */
export interface EncryptionKeyStore {
  overview (): Promise<KeyOverview>
  /**
   * Makes the key the active one, with its audit event, if `judge` finds nothing in the overview, which nobody changes meanwhile:
   * neither keys nor replicas. Throws what `judge` throws.
   */
  activate (kid: string, by: Operator, judge: (overview: KeyOverview) => void): Promise<void>
  retire (kid: string, by: Operator, judge: (overview: KeyOverview, now: Date) => void): Promise<void>
  /** Values sealed under a key, behind a position. */
  sealedUnder (kid: string, after: SealedPlace | null, limit: number): Promise<SealedValue[]>
  /** Writes wrapped keys where nothing has changed; the ciphertext is left alone. Resolves to how many were written. */
  replaceWrapping (values: readonly Rewrapped[]): Promise<number>
  noteRewrap (by: Operator, kid: string, rewrapped: number): Promise<void>
}

/** The keyring of this process. */
export interface KeyVault {
  canUse (kid: string): boolean
  activeKid (): string
  /** The same value under the active key. Throws VaultError when it does not open. */
  rewrap (sealed: Sealed, place: SealedPlace): Promise<Sealed>
}

/** What a process knows and reports of its keys. */
export interface KeyWatchVault extends KeyVault {
  kids (): string[]
  checkValueOf (kid: string): Uint8Array
  verifyCheckValues (known: ReadonlyArray<{ kid: string, checkValue: Uint8Array }>): { wrong: string[], missing: string[] }
  follow (states: { active: string | null, retired: readonly string[], foreign: readonly string[] }): void
}

export interface KnownEncryptionKey {
  kid: string
  state: EncryptionKeyState
  checkValue: Uint8Array
}

/** All methods throw StoreUnavailableError when the database can't be reached. */
export interface ReplicaStore {
  /** Remembers keys that are new; one that is known keeps its check value and its state. */
  remember (keys: ReadonlyArray<{ kid: string, checkValue: Uint8Array }>): Promise<void>
  list (): Promise<KnownEncryptionKey[]>
  /** Kids that sealed values refer to. */
  referencedKids (): Promise<string[]>
  /** Reports the process as alive now, and forgets those that have been silent for an hour. */
  report (replica: Pick<Replica, 'id' | 'version' | 'kids' | 'activeKid'>): Promise<void>
  leave (id: string): Promise<void>
}
