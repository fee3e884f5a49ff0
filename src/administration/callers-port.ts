// What the administration of callers asks of the store.
import type { Filter, RowsQuery } from '../listing/query.ts'
import type { CallerKind } from '../registration/registration.ts'
import type { Operator } from './operator.ts'

/** Kinds whose keys the broker makes. */
export type MintedKind = Extract<CallerKind, 'konnect' | 'service' | 'operator' | 'gateway' | 'initial_access_token'>

/** `environment`: of a setting. `database`: made by an operator. `broker`: made by the broker itself, for open registration and for whoever shows an Entra token. */
export type CallerOrigin = 'environment' | 'database' | 'broker'

export type Scope = 'register' | 'read' | 'rotate' | 'delete' | 'admin' | 'audit' | 'introspect'

export interface NewCaller {
  kind: MintedKind
  name: string
  /** SHA-256 of the token. */
  digest: Uint8Array
  /** Null: not bound to a provider. */
  providerName: string | null
  /** Null: the policy `default`. */
  policyName: string | null
  scopes: readonly string[]
  /** Null: no limit. */
  maxRegistrations: number | null
  expiry: Expiry
}

/** From now on, on PostgreSQL's clock; at a time; null: never. */
export type Expiry = { inMs: number } | { at: Date } | null

/** What is left out stays. */
export interface CallerChanges {
  name?: string
  policyName?: string | null
  scopes?: readonly string[]
  maxRegistrations?: number | null
  expiry?: Expiry
}

/** A caller as operators see it: without its digest. */
export interface CallerSummary {
  id: string
  kind: CallerKind
  name: string
  origin: CallerOrigin
  providerId: string | null
  providerName: string | null
  policyName: string | null
  scopes: string[]
  maxRegistrations: number | null
  /** Ever made by it. */
  registrations: number
  createdAt: Date
  expiresAt: Date | null
  revokedAt: Date | null
  lastUsedAt: Date | null
}

export type CallerField = 'id' | 'name' | 'kind' | 'provider' | 'origin' | 'revoked' | 'createdAt' | 'expiresAt' | 'lastUsedAt'
export type CallerSortField = 'createdAt' | 'name'
export type CallerFilter = Filter<CallerField>

/** Null: callers of every provider and of none. */
export type CallerVisibility = { providerId: string | null }

/** Throws StoreUnavailableError when the database can't be reached. Every change writes its audit event with it. */
export interface CallerRegister {
  list (query: RowsQuery<CallerField, CallerSortField>, visibility: CallerVisibility): Promise<CallerSummary[]>
  /** Counts no further than `limit`. */
  count (filters: readonly CallerFilter[], visibility: CallerVisibility, limit: number): Promise<number>
  find (id: string): Promise<CallerSummary | null>
  /** Oldest first, the revoked ones too. */
  findNamed (name: string): Promise<CallerSummary[]>
  /** @throws AdministrationError for an unknown provider or policy, a name that a living caller has, an end that is over */
  add (by: Operator, caller: NewCaller): Promise<CallerSummary>
  /** Null: revoked in the meantime. @throws AdministrationError as `add` does */
  change (by: Operator, id: string, changes: CallerChanges): Promise<CallerSummary | null>
  /** Null: it was revoked before. */
  revoke (by: Operator, id: string): Promise<CallerSummary | null>
}
