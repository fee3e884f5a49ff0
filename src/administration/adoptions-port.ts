// What the administration of adoption asks of the store.
import type { Filter, RowsQuery } from '../listing/query.ts'
import type { Operator } from './operator.ts'

/** An existing Entra application that may come into the broker's care. */
export interface AdoptionPermit {
  id: string
  provider: string
  /** Whether its provider allows adoption at all. */
  isEnabled: boolean
  /** Its appId. */
  clientId: string
  createdBy: string
  createdAt: Date
  /** When it was adopted; null: not yet. */
  usedAt: Date | null
}

export interface AdoptionSetting {
  provider: string
  enabled: boolean
}

export type PermitField = 'provider' | 'clientId' | 'usedAt' | 'createdAt'
export type PermitSortField = 'createdAt'
export type PermitFilter = Filter<PermitField>

/** `providerId` is the one an operator is bound to; null: all. Nothing of another provider is found or changed. Throws StoreUnavailableError. */
export interface AdoptionPermits {
  list (query: RowsQuery<PermitField, PermitSortField>, providerId: string | null): Promise<AdoptionPermit[]>
  count (filters: readonly PermitFilter[], providerId: string | null, limit: number): Promise<number>
  /** @throws AdministrationError for an unknown provider, the broker's own application, one that is permitted or registered here */
  create (permit: { provider: string, clientId: string }, providerId: string | null, by: Operator): Promise<AdoptionPermit>
  /** What is adopted stays adopted. @throws AdministrationError unknown */
  remove (id: string, providerId: string | null, by: Operator): Promise<void>
  /** @throws AdministrationError unknown */
  showSetting (provider: string, providerId: string | null): Promise<AdoptionSetting>
  /** @throws AdministrationError unknown */
  changeSetting (setting: AdoptionSetting, providerId: string | null, by: Operator): Promise<AdoptionSetting>
}
