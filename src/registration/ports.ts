// What the core asks of the world. Adapters (entra/, store/, vault/) implement these; the laws stand beside them.
import type { AdoptionStore } from './adoption-port.ts'
import type { Directories } from './directory-port.ts'
import type { Policy } from './policy.ts'
import type { AuthStrategy, Caller, Provider, ScopeMapping } from './registration.ts'
import type { DeliveryStore, ExpiryStore, HoldStore, RegistrationStore, TrafficStore } from './store-port.ts'
import type { Vault } from './vault-port.ts'

export * from './adoption-port.ts'
export * from './directory-port.ts'
export * from './store-port.ts'
export * from './vault-port.ts'

/** Providers, strategies and callers: read-mostly, kept in memory by the adapter. */
export interface Catalogue {
  /** Which installation this database belongs to; every Entra application carries it as a tag. */
  installationId (): string
  provider (id: string): Provider | null
  providerNamed (name: string): Provider | null
  /** The strategy with this Konnect id within the provider, else null. */
  strategyOfKonnect (providerId: string, konnectAuthStrategyId: string): AuthStrategy | null
  defaultStrategy (providerId: string): AuthStrategy
  strategy (id: string): AuthStrategy | null
  caller (id: string): Caller | null
  /** Who registers without a token at this provider (mode `open`). */
  anonymousCaller (providerId: string): Caller
  /** Null: the policy `default`. Throws StoreUnavailableError for one that has not been read yet. */
  policy (id: string | null): Policy
  /** The policy of anonymous registrations. */
  openPolicy (): Policy
  /** What callers of this provider may register as scopes, by name. */
  scopes (providerId: string): ReadonlyMap<string, ScopeMapping>
}

/** Time and chance. `monotonicMs` never jumps; `sleep` resolves early (false) when the signal aborts. */
export interface Clock {
  now (): Date
  monotonicMs (): number
  sleep (ms: number, signal?: AbortSignal): Promise<boolean>
  /** Calls `ring` in so many milliseconds, unless what it returns is called before. Costs less than a sleep that nearly always is called off. */
  alarm (ms: number, ring: () => void): () => void
  /** 0 <= x < 1, for jitter. */
  random (): number
  /** A fresh UUIDv7. */
  uuid (): string
}

/** What the core says about its work; the adapter is pino. Details never hold a secret. */
export interface Log {
  debug (details: object, message: string): void
  info (details: object, message: string): void
  warn (details: object, message: string): void
  error (details: object, message: string): void
}

/** What a call outwards belongs to. */
export interface CorrelationIds {
  registrationId: string
  /** Of the caller's request; null: the broker's own work. */
  requestId: string | null
}

/** Carries the ids beside the calls of `work`, so that logs and traces of whatever they reach can name them. */
export interface Correlation {
  within<T> (ids: CorrelationIds, work: () => T): T
}

export interface Ports {
  directories: Directories
  store: RegistrationStore & DeliveryStore & ExpiryStore & AdoptionStore & TrafficStore & HoldStore
  catalogue: Catalogue
  vault: Vault
  clock: Clock
  log: Log
  correlation: Correlation
}
