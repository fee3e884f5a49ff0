// What the core asks of the store for looking through registrations. Nothing here carries a sealed value or a verifier.
import type { Credential, ProductEvent, Registration, Surface } from './registration.ts'

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

export type IdField = 'id' | 'clientId'
export type WordField = 'state' | 'provider' | 'delivery' | 'applicationId'

/** One condition; several are joined by and. `values` are joined by or. Texts contain without regard to case. */
export type RegistrationFilter =
  | { field: IdField | WordField | 'clientName', operator: 'in' | 'not_in', values: readonly string[] }
  | { field: 'clientName', operator: 'contains', values: readonly string[] }
  | { field: 'clientId' | 'applicationId', operator: 'exists' }
  | { field: 'createdAt', operator: 'lt' | 'lte' | 'gt' | 'gte', time: Date }

export type SortField = 'createdAt' | 'updatedAt' | 'clientName'

/** The id decides between equal values, in the same direction. */
export interface RegistrationSort {
  field: SortField
  descending: boolean
}

/** The last row of the page before: the next page starts behind it. */
export interface ListPosition {
  value: Date | string
  id: string
}

export interface ListRegistrations {
  filters: readonly RegistrationFilter[]
  visibility: Visibility
  sort: RegistrationSort
  after: ListPosition | null
  /** Rows to leave out, after `after`. */
  skip: number
  limit: number
}

/** Reads only. Throws StoreUnavailableError when the database can't be reached. */
export interface RegistrationBrowser {
  list (query: ListRegistrations): Promise<ListedRegistration[]>
  /** Counts no further than `limit`. */
  count (filters: readonly RegistrationFilter[], visibility: Visibility, limit: number): Promise<number>
  /** Null: not there, or not to be seen. */
  show (id: string, visibility: Visibility): Promise<ShownRegistration | null>
}
