// What the core asks of the world. Adapters (entra/, store/, vault/) implement these; the laws stand beside them.
import type { Directories } from './directory-port.ts'
import type { AuthStrategy, Caller, Provider } from './registration.ts'
import type { DeliveryStore, RegistrationStore } from './store-port.ts'
import type { Vault } from './vault-port.ts'

export * from './directory-port.ts'
export * from './store-port.ts'
export * from './vault-port.ts'

/** Providers, strategies and callers: read-mostly, kept in memory by the adapter. */
export interface Catalogue {
  /** Which installation this database belongs to; every Entra application carries it as a tag. */
  installationId (): string
  provider (id: string): Provider | null
  /** The strategy with this Konnect id within the provider, else null. */
  strategyOfKonnect (providerId: string, konnectAuthStrategyId: string): AuthStrategy | null
  defaultStrategy (providerId: string): AuthStrategy
  strategy (id: string): AuthStrategy | null
  caller (id: string): Caller | null
}

/** Time and chance. `monotonicMs` never jumps; `sleep` resolves early (false) when the signal aborts. */
export interface Clock {
  now (): Date
  monotonicMs (): number
  sleep (ms: number, signal?: AbortSignal): Promise<boolean>
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

export interface Ports {
  directories: Directories
  store: RegistrationStore & DeliveryStore
  catalogue: Catalogue
  vault: Vault
  clock: Clock
  log: Log
}
