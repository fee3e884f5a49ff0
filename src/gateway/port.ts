// What the decisions for gateways ask of the world. Adapters (store/, entra/) implement these.
import type { Verifier } from '../registration/vault-port.ts'

/** A registration as a gateway needs it: no secret, only what recognises one. */
export interface GatewayClient {
  registrationId: string
  providerId: string
  strategyId: string
  /** Entra's appId, in lower case. */
  clientId: string
  clientName: string
  /** Registered, not disabled, not drifted, not on its way out. */
  isActive: boolean
  /** The broker did not make the application: it may have secrets that the broker has never seen. */
  isAdopted: boolean
  /** As registered. */
  scopes: string[]
  labels: Record<string, string>
  /** Konnect's application. */
  applicationId: string | null
  /** Konnect's developer. */
  developerId: string | null
  /** Products (API product versions, APIs) that Konnect has linked and not removed. */
  products: string[]
  /** Those that are active; of an adopted application also those that were revoked lately, which Entra may still take. */
  secrets: GatewaySecret[]
}

export interface GatewaySecret {
  isActive: boolean
  verifier: Verifier
  /** Null: never. */
  expiresAt: Date | null
}

/** What has changed in the database since a moment of it. */
export interface ClientChanges {
  /** The moment up to which this tells: where the next question begins. */
  upTo: string
  /** Client ids; null: too many to name, or the moment is of another time. */
  clientIds: string[] | null
}

export interface GatewayStore {
  /** All registrations with this client id: providers may share a tenant. */
  findClients (clientId: string): Promise<GatewayClient[]>
  /** Which clients have changed since; null: nothing is asked but where to begin. Every committed change is told once at least. */
  changesSince (moment: string | null): Promise<ClientChanges>
  /** Latest use by registration. Also tells the expiry of providers that have declared `gateway` their source of use. */
  recordUses (uses: ReadonlyMap<string, Date>): Promise<void>
  /** Forgets changes that no gateway asks for any more. */
  forgetChanges (): Promise<number>
}

/** Claims of a token whose signature, issuer, tenant and times are good. */
export type Claims = Readonly<Record<string, unknown>>

export interface ClientTokens {
  /** Providers of the tenant that the token says it is of. A look without trust. */
  providersOf (token: string): string[]
  /** Null: not a token of this provider's tenant for one of the audiences. Throws DirectoryError `unavailable` when the keys can't be had. */
  claimsOf (providerId: string, token: string, audiences: readonly string[]): Promise<Claims | null>
}

/** How a strategy recognises its clients. */
export interface GatewayStrategy {
  id: string
  providerId: string
  name: string
  konnectAuthStrategyId: string | null
  /** Version of the tokens, as its issuer says; null: it is in neither of Entra's forms. */
  issuerVersion: 1 | 2 | null
  /** Path to the client's id. */
  credentialClaim: readonly string[]
  /** What `aud` may be; none: no token is accepted. */
  audiences: readonly string[]
  authMethods: readonly string[]
  /** Secrets are checked at Entra each time. */
  checkSecretsAtEntra: boolean
}

export interface GatewayCatalogue {
  providerName (providerId: string): string | null
  /** Of a living provider. */
  gatewayStrategies (providerId: string): readonly GatewayStrategy[]
  gatewayStrategy (id: string): GatewayStrategy | null
}
