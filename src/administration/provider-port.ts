// What the use cases of the providers ask of the store and of Entra.
import type { Filter, RowsQuery } from '../listing/query.ts'
import type { Directory, Sealed } from '../registration/ports.ts'
import type { Operator } from './operator.ts'
import type { ProviderCredentialKind, ProviderCredentialRecord, ProviderPlace, ProviderRecord } from './provider-records.ts'

export type ProviderField = 'id' | 'name' | 'issuer' | 'providerType' | 'initialClientId' | 'origin' | 'createdAt' | 'updatedAt'
export type ProviderSortField = 'createdAt' | 'updatedAt' | 'name' | 'issuer'
export type ProviderFilter = Filter<ProviderField>

/** Null: any; else only this one. */
export type OnlyProvider = string | null

export interface NewCredential {
  id: string
  kind: ProviderCredentialKind
  clientId: string
  /** Null: federated. */
  sealed: Sealed | null
  hint: string | null
  expiresAt: Date | null
}

export interface NewProvider extends ProviderPlace {
  id: string
  name: string
  displayName: string | null
  labels: Record<string, string>
  credential: NewCredential
}

/** What is left out stays. */
export interface ProviderChange {
  name?: string
  displayName?: string | null
  labels?: Record<string, string>
  place?: ProviderPlace
  /** Takes the place of the active one, which is removed; with a new place, of all there are. */
  credential?: NewCredential
}

/**
 * Every change is one transaction with its audit event, and locks the provider's row first. All throw AdministrationError (`unknown` for what
 * is not there, `conflict` for what is in the way) and StoreUnavailableError.
 */
export interface ProviderStore {
  list (query: RowsQuery<ProviderField, ProviderSortField>, only: OnlyProvider): Promise<ProviderRecord[]>
  /** Counts no further than `limit`. */
  count (filters: readonly ProviderFilter[], only: OnlyProvider, limit: number): Promise<number>
  /** By id, or by name. */
  find (idOrName: string): Promise<ProviderRecord | null>
  /** With its default strategy and the caller of its open registrations. */
  add (by: Operator, provider: NewProvider): Promise<ProviderRecord>
  /** @throws AdministrationError conflict when another tenant is wanted while there are registrations, or another name while addresses with it are out */
  change (by: Operator, id: string, change: ProviderChange): Promise<ProviderRecord>
  /**
   * Leaves a tombstone and frees the name. Credentials are erased.
   * @param force also while it is used: its callers are revoked, its registrations stay as they are
   */
  remove (by: Operator, id: string, force: boolean): Promise<void>
  /** The environment's becomes one of the database, proved by this credential. */
  adopt (by: Operator, id: string, provider: ProviderPlace, credential: NewCredential): Promise<ProviderRecord>

  /** Those that are not removed, oldest first. */
  credentials (providerId: string): Promise<ProviderCredentialRecord[]>
  addCredential (by: Operator, providerId: string, credential: NewCredential): Promise<ProviderCredentialRecord>
  /** It has passed a verification now; null: what was verified is the environment's own. */
  noteVerified (by: Operator, providerId: string, credentialId: string | null, ok: boolean): Promise<void>
  /** @param force also one that was never verified */
  activateCredential (by: Operator, providerId: string, credentialId: string, force: boolean): Promise<ProviderCredentialRecord>
  /** Erases its sealed value. */
  removeCredential (by: Operator, providerId: string, credentialId: string): Promise<void>
}

/** A tenant reached with one credential, beside whatever else is connected to it. */
export interface TenantConnection {
  directory: Directory
  /** Asks for a token. Throws DirectoryError. */
  authenticate (signal: AbortSignal): Promise<void>
  close (): Promise<void>
}

/** Where the broker's credentials prove themselves. */
export interface ProviderTenants {
  /** @param credential null: the environment's. Throws DirectoryError when there is nothing to reach it with. */
  connect (provider: ProviderRecord, credential: ProviderCredentialRecord | null): TenantConnection
  /** What of a PEM may be shown. Throws DirectoryError that says what is wrong with it. */
  describeCertificate (pem: string): { fingerprint: string, expiresAt: Date }
  /** The environment's own credential of the provider `default`, read for keeping it; null: the environment names no tenant. */
  environmentCredential (): Promise<EnvironmentCredential | null>
  /** Whether the platform gives the broker a token of its own. */
  hasPlatformToken (): boolean
}

export type EnvironmentCredential = { kind: 'secret' | 'certificate', text: string } | { kind: 'federated' }
