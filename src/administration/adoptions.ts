// Use cases: which existing Entra applications may be adopted. Two things have to be said: the provider allows it, and the application is permitted.
import type { ListQuery, Page } from '../listing/query.ts'
import { readPage } from '../listing/read-page.ts'
import type { Caller } from '../registration/registration.ts'
import type { AdoptionPermit, AdoptionPermits, AdoptionSetting, PermitField, PermitSortField } from './adoptions-port.ts'
import type { Operator } from './operator.ts'

export type PermitQuery = ListQuery<PermitField, PermitSortField>

/** An operator who is bound to a provider sees and touches nothing of another. All throw what AdoptionPermits throws. */
export interface Adoptions {
  list (query: PermitQuery, caller: Caller): Promise<Page<AdoptionPermit>>
  /** Switches nothing on: the provider's setting has its own request. */
  permit (permit: { provider: string, clientId: string }, caller: Caller, by: Operator): Promise<AdoptionPermit>
  withdraw (id: string, caller: Caller, by: Operator): Promise<void>
  showSetting (provider: string, caller: Caller): Promise<AdoptionSetting>
  changeSetting (setting: AdoptionSetting, caller: Caller, by: Operator): Promise<AdoptionSetting>
}

export function createAdoptions (permits: AdoptionPermits): Adoptions {
  return {
    list: async (query, { providerId }) => await readPage({
      list: rows => permits.list(rows, providerId),
      count: (filters, limit) => permits.count(filters, providerId, limit),
      sortValueOf: permit => permit.createdAt
    }, query),
    permit: async (permit, { providerId }, by) => await permits.create(permit, providerId, by),
    withdraw: async (id, { providerId }, by) => await permits.remove(id, providerId, by),
    showSetting: async (provider, { providerId }) => await permits.showSetting(provider, providerId),
    changeSetting: async (setting, { providerId }, by) => await permits.changeSetting(setting, providerId, by)
  }
}
