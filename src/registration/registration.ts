// The record: what a registration, its credentials and its surroundings are. Data only; the moves between states are in lifecycle.ts.
import type { DirectoryApplication, EntraPlatform, FederatedIdentity } from './directory-application.ts'
import type { Sealed, Verifier } from './vault-port.ts'

export * from './directory-application.ts'

export type RegistrationState =
  | 'reserved' | 'application_created' | 'principal_created' | 'secret_issued' | 'active' | 'disabled' | 'drifted'
  | 'deleting' | 'deleted' | 'undoing' | 'undone'

export type CredentialState = 'pending' | 'issued' | 'active' | 'revoking' | 'revoked' | 'lost'

/** What became of the answer to the registration. `pending`: not known yet. */
export type Delivery = 'pending' | 'delivered' | 'not_delivered' | 'unknown'

export type Surface = 'konnect' | 'register' | 'operations'

/** A member of a registered document as it came over the wire. */
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }

/** A JWK Set of public keys, as it was registered. */
export interface KeySet {
  keys: Array<Record<string, Json>>
}

/** Registered client metadata in RFC 7591's names, camelCased: the source of answers. */
export interface ClientMetadata {
  /** The full name as the caller gave it (Entra gets a safe, shorter one). */
  clientName: string
  description: string | null
  /** As the caller wrote them, without exact duplicates. */
  redirectUris: string[]
  grantTypes: string[]
  responseTypes: string[]
  scopes: string[]
  tokenEndpointAuthMethod: string
  applicationType: 'web' | 'native' | null
  /** Where the redirect URIs go in Entra, when the caller said so; null: by the auth method (metadata/platforms.ts). */
  platform: EntraPlatform | null
  jwks: KeySet | null
  federatedIdentities: FederatedIdentity[]
  /** Every other member that was registered, under its wire name (client_uri, contacts, client_name#ja, …): echoed as it came. */
  members: Record<string, Json>
}

/** Konnect's own ids, any strings (its Verify button sends "test portal_id"). */
export interface KonnectContext {
  portalId: string | null
  organizationId: string | null
  developerId: string | null
  authStrategyId: string | null
  dcrProviderId: string | null
}

export interface Credential {
  id: string
  state: CredentialState
  /** Entra's keyId; known from `issued` on. */
  keyId: string | null
  hint: string | null
  expiresAt: Date | null
  createdAt: Date
  /** Null before `issued`, and again after the erasure at the end of the redelivery window. */
  sealed: Sealed | null
  verifier: Verifier | null
  /** When the sealed copy is to be erased; null keeps it while the credential is valid. */
  eraseAt: Date | null
  /** When the token endpoint first accepted it, as far as the broker looked. */
  provedAt: Date | null
  /** A `revoking` credential is removed now, or (superseded by a newer one) once that one is proved, and at this time at the latest. */
  revokeAfter: Date | null
}

export interface Registration {
  id: string
  providerId: string
  strategyId: string
  callerId: string
  surface: Surface
  state: RegistrationState
  /** What bounds it (RFC 7591 surface); null: no policy. */
  policyId: string | null
  metadata: ClientMetadata
  /** Committed wish; Entra has it once appliedRevision has caught up. */
  projection: DirectoryApplication
  desiredRevision: number
  appliedRevision: number
  /** `accountEnabled` as Entra has it. */
  appliedEnabled: boolean
  /** SHA-256 of the registration access token; null: nobody manages the client over RFC 7592. */
  managementDigest: Uint8Array | null
  /** The token before it: valid until the newer one is first used. */
  previousManagementDigest: Uint8Array | null
  /** Identical public registrations of one caller share the client with this key; null: the client is not shared. */
  sharingKey: string | null
  objectId: string | null
  /** Entra's appId. */
  clientId: string | null
  principalId: string | null
  konnect: KonnectContext | null
  /** Konnect's application, learnt from event hooks. */
  applicationId: string | null
  /** Made by Konnect's Verify button: purged at once when deleted. */
  verification: boolean
  delivery: Delivery
  credentials: Credential[]
  /** Failed attempts since the last success, for the back-off. */
  attempts: number
  /** Code of the last failure, for the operator. */
  lastFault: string | null
  /** When a stray password of an unanswered addPassword is looked for again. */
  strayCheckAt: Date | null
  /** Looks of the sweep at an ended row. */
  sweeps: number
  /** When a deleted application is purged; null: purged already, or nothing to purge. */
  purgeAt: Date | null
  createdAt: Date
  updatedAt: Date
  activatedAt: Date | null
  /** When it was last registered or updated by its owner: its age counts from here. */
  renewedAt: Date | null
  /** Latest use that a declared source has reported. */
  lastUsedAt: Date | null
  /** When a shared client was last looked for in Entra. */
  seenAt: Date | null
  disabledAt: Date | null
  disabledBy: 'expiry' | 'operator' | 'never_linked' | null
  endedAt: Date | null
  /** Of operators. */
  labels: Record<string, string>
  owner: string | null
  /** When the application, which the broker did not make, came into its care; null: the broker made it. */
  adoptedAt: Date | null
}

/** What reserve() inserts: a `reserved` registration with one pending credential. */
export interface NewRegistration {
  id: string
  providerId: string
  strategyId: string
  callerId: string
  surface: Surface
  metadata: ClientMetadata
  projection: DirectoryApplication
  konnect: KonnectContext | null
  verification: boolean
  /** Null: a repeat is always a new registration. */
  fingerprint: string | null
  policyId: string | null
  managementDigest: Uint8Array | null
  sharingKey: string | null
  /** Null: a client without a secret. */
  credentialId: string | null
  /** Most registrations; counted in the commit that makes the row. */
  quota: RegistrationQuota
  /** Left out: none. */
  labels?: Record<string, string>
  owner?: string | null
  createdAt: Date
}

/** Null: no limit. */
export interface RegistrationQuota {
  /** Registrations ever made by the caller (those undone don't count). */
  perCaller: number | null
  /** Living clients under the policy. */
  perPolicy: number | null
}

/** add_registration / remove_registration and whatever Konnect sends beside, recorded against the client. */
export interface ProductEvent {
  id: string
  type: string
  applicationId: string | null
  /** api_product_version_id or api_id, if either came. */
  productId: string | null
  audience: string | null
  /** Digest of type and members: a repeated event is recognised by it. */
  digest: string
  receivedAt: Date
}

/** An Entra tenant in which the broker may act. */
export interface Provider {
  id: string
  name: string
  tenantId: string
  issuer: string
  origin: 'environment' | 'database'
}

/** How a registration is translated and how its tokens are recognised. */
export interface AuthStrategy {
  id: string
  providerId: string
  name: string
  konnectAuthStrategyId: string | null
  isDefault: boolean
  tokenVersion: 1 | 2
  /** appId of the API whose tokens its clients ask for. */
  resourceAppId: string | null
}

/** `anonymous`: open registration. `registered_client`: the holder of a registration access token. */
export type CallerKind = 'konnect' | 'service' | 'operator' | 'gateway' | 'initial_access_token' | 'anonymous' | 'registered_client'

/** Who calls: a key or token we know. `providerId` null: not bound to a tenant. */
export interface Caller {
  id: string
  kind: CallerKind
  name: string
  providerId: string | null
  scopes: string[]
  /** Null: the policy `default`. */
  policyId: string | null
  /** Most registrations this caller may make; null: no limit. */
  maxRegistrations: number | null
}

/** A scope that callers may register, and what it means in Entra. */
export interface ScopeMapping {
  name: string
  resourceAppId: string
  permissionId: string
  type: 'Scope' | 'Role'
  /** The broker grants it for the whole tenant; without it an administrator, or the user, consents. */
  granted: boolean
}

export interface AuditEntry {
  id: string
  at: Date
  /** Caller id; `client:<registration id>` for the holder of its management token; `broker` for its own work; `cli`. */
  actor: string
  action: string
  outcome: 'succeeded' | 'failed'
  registrationId: string | null
  providerId: string | null
  requestId: string | null
  /** Where the request came from; null or left out: not over the network. */
  sourceAddress?: string | null
  /** Never a secret. */
  detail: Record<string, string | number | boolean | null>
}

/** A credential before its addPassword. */
export function pendingCredential (id: string, createdAt: Date): Credential {
  return {
    id,
    state: 'pending',
    keyId: null,
    hint: null,
    expiresAt: null,
    createdAt,
    sealed: null,
    verifier: null,
    eraseAt: null,
    provedAt: null,
    revokeAfter: null
  }
}

/** Entra's ids of a registration that has got that far. */
export function idsOf (registration: Registration): { objectId: string, clientId: string } {
  if (registration.objectId === null || registration.clientId === null) {
    throw new Error(`Registration ${registration.id} in state ${registration.state} has no directory ids`)
  }
  return { objectId: registration.objectId, clientId: registration.clientId }
}
