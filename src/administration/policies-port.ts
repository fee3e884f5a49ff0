// Policies as operators see them, and what their use cases ask of the store. Every version that a policy had is kept.
import type { Filter, RowsQuery } from '../listing/query.ts'
import type { Policy, PolicyRules } from '../registration/policy.ts'
import type { Operator } from './operator.ts'

/** Rules that an operator has given; what they leave out is what the release says. */
export type GivenRules = Partial<PolicyRules>

export interface StoredPolicy extends Policy {
  given: GivenRules
  /** From 1; counts up with every change. */
  version: number
  /** Living callers that are bound to it, as far as the operator sees them. */
  callers: number
  /** Registrations under it that have not ended, as far as the operator sees them. */
  registrations: number
  createdAt: Date
  updatedAt: Date
}

export interface PolicyVersion {
  version: number
  given: GivenRules
  rules: PolicyRules
  /** Actor, as in the audit. */
  createdBy: string
  createdAt: Date
}

export type PolicyField = 'id' | 'name' | 'createdAt' | 'updatedAt'
export type PolicySortField = 'name' | 'createdAt' | 'updatedAt'

/** What the audit is told of a change beside name, version and rules. */
export interface PolicyChange {
  action: 'policy.replaced' | 'policy.changed' | 'policy.rolled_back'
  detail?: Record<string, number>
}

/** `scope`: the provider beyond which an operator sees nothing; null: he sees all. A policy's own use is all of it. */
export interface PolicyStore {
  list (query: RowsQuery<PolicyField, PolicySortField>, scope: string | null): Promise<StoredPolicy[]>
  /** Counts no further than `limit`. */
  count (filters: ReadonlyArray<Filter<PolicyField>>, limit: number): Promise<number>
  /** Null: there is none. */
  find (wanted: { id: string } | { name: string }, scope: string | null): Promise<StoredPolicy | null>
  /** Version 1. Null: the name is taken. */
  create (by: Operator, name: string, given: GivenRules): Promise<StoredPolicy | null>
  /** Makes a version of what `decide` gives, which may throw; the same rules make none. Nobody else changes it in between. Null: there is none. */
  change (by: Operator, id: string, change: PolicyChange, decide: (current: StoredPolicy) => GivenRules): Promise<StoredPolicy | null>
  /** Takes it away with its versions when `judge` does not throw. False: there is none. */
  remove (by: Operator, id: string, judge: (current: StoredPolicy) => void): Promise<boolean>
  /** The newest first, at most `limit`. */
  versions (id: string, limit: number): Promise<PolicyVersion[]>
  /** Null: there is none of this number. */
  version (id: string, version: number): Promise<PolicyVersion | null>
}
