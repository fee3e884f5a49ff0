// Auth strategies as operators see them, and what their use cases ask of the store.
import type { Filter, RowsQuery } from '../listing/query.ts'
import type { Json } from '../registration/registration.ts'
import type { Operator } from './operator.ts'

/** What an operator decides. */
export interface StrategyContent {
  name: string
  displayName: string | null
  issuer: string
  credentialClaim: string[]
  scopes: string[]
  authMethods: string[]
  /** Other members of Konnect's openid-connect configuration, under their wire names. */
  extraConfig: Record<string, Json>
  konnectAuthStrategyId: string | null
  /** appId of the API whose tokens the clients ask for. */
  resourceAppId: string | null
  /** `aud` of the tokens. */
  audience: string | null
  tokenVersion: 1 | 2
  /** Gateways ask Entra about each secret of its clients. */
  checkSecretsAtEntra: boolean
  isDefault: boolean
  labels: Record<string, string>
}

export interface StrategyProvider {
  id: string
  name: string
  displayName: string | null
  providerType: string
  tenantId: string
  /** Names the cloud. */
  issuer: string
  origin: 'environment' | 'database'
}

export interface Strategy extends StrategyContent {
  id: string
  origin: 'environment' | 'database'
  provider: StrategyProvider
  /** How many registrations that are not on their way out have it. */
  registrations: number
  createdAt: Date
  updatedAt: Date
}

export type StrategyField =
  | 'id' | 'name' | 'displayName' | 'strategyType' | 'providerId' | 'providerName' | 'providerType' | 'konnectAuthStrategyId' | 'createdAt' | 'updatedAt'

export type StrategySortField = 'createdAt' | 'updatedAt' | 'name'

/** `scope` everywhere: the provider beyond which nothing is seen; null: all are. */
export interface StrategyStore {
  list (query: RowsQuery<StrategyField, StrategySortField>, scope: string | null): Promise<Strategy[]>
  /** Counts no further than `limit`. */
  count (filters: ReadonlyArray<Filter<StrategyField>>, scope: string | null, limit: number): Promise<number>
  /** Null: not there, or not to be seen. */
  show (id: string, scope: string | null): Promise<Strategy | null>
  /** By id, or by name. Null: not there. */
  provider (wanted: { id: string } | { name: string }): Promise<StrategyProvider | null>
  /**
   * Makes one; a default one takes the place of the one before. The provider's strategies change one after another.
   * @throws AdministrationError conflict for a name or Konnect id that another strategy of the provider has
   */
  create (by: Operator, providerId: string, content: StrategyContent): Promise<Strategy>
  /**
   * Replaces what `decide` makes of it, which may throw; nobody else changes it in between. Null: not there, or not to be seen.
   * @throws AdministrationError as `create`
   */
  change (by: Operator, id: string, scope: string | null, decide: (current: Strategy) => StrategyContent): Promise<Strategy | null>
  /** Takes it away when `judge` does not throw. False: not there, or not to be seen. */
  remove (by: Operator, id: string, scope: string | null, judge: (current: Strategy) => void): Promise<boolean>
}
