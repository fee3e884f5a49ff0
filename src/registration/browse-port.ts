// What the core asks of the store for looking through registrations. Nothing here carries a sealed value or a verifier.
import type { Filter, RowsQuery } from '../listing/query.ts'
import type { AuditEntry, Credential, ProductEvent, Registration, Surface } from './registration.ts'

/** A registration in a list. */
export interface ListedRegistration extends Omit<Registration, 'credentials'> {
  providerName: string
}

export type ShownCredential = Pick<Credential, 'id' | 'keyId' | 'state' | 'hint' | 'createdAt' | 'expiresAt'>

/** A registration with all that belongs to it. */
export interface ShownRegistration extends ListedRegistration {
  /** Oldest first. */
  credentials: ShownCredential[]
  /** Oldest first. */
  events: ProductEvent[]
}

/** Which rows a caller may see at all; null: any. */
export interface Visibility {
  providerId: string | null
  callerId: string | null
  surface: Surface | null
}

export type RegistrationField =
  | 'id' | 'clientId' | 'clientName' | 'state' | 'provider' | 'delivery' | 'applicationId' | 'surface' | 'owner' | 'createdAt' | 'updatedAt' | 'lastUsedAt'

export type RegistrationSortField = 'createdAt' | 'updatedAt' | 'clientName'

export type RegistrationFilter = Filter<RegistrationField>

export interface ListRegistrations extends RowsQuery<RegistrationField, RegistrationSortField> {
  visibility: Visibility
}

/** What happened to a registration, and where the request came from. */
export type AuditRecord = Omit<AuditEntry, 'registrationId' | 'providerId'> & { sourceAddress: string | null }

export type AuditField = 'action' | 'actor' | 'outcome' | 'at'
export type AuditSortField = 'at'

/** Reads only. Throws StoreUnavailableError when the database can't be reached. */
export interface RegistrationBrowser {
  list (query: ListRegistrations): Promise<ListedRegistration[]>
  /** Counts no further than `limit`. */
  count (filters: readonly RegistrationFilter[], visibility: Visibility, limit: number): Promise<number>
  /** Null: not there, or not to be seen. */
  show (id: string, visibility: Visibility): Promise<ShownRegistration | null>
  /** Whether there is such a registration, to be seen. */
  has (id: string, visibility: Visibility): Promise<boolean>
  listAudit (registrationId: string, query: RowsQuery<AuditField, AuditSortField>): Promise<AuditRecord[]>
  /** Counts no further than `limit`. */
  countAudit (registrationId: string, filters: ReadonlyArray<Filter<AuditField>>, limit: number): Promise<number>
}
