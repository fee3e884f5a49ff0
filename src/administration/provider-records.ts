// DCR providers and the broker's credentials there, as operators deal with them. No record holds a secret.

export type ProviderCredentialKind = 'secret' | 'certificate' | 'federated'
export type ProviderCredentialState = 'standby' | 'active' | 'removed'

export interface ProviderCredentialRecord {
  id: string
  providerId: string
  state: ProviderCredentialState
  kind: ProviderCredentialKind
  /** The broker's application it belongs to. */
  clientId: string
  /** First characters of a secret, SHA-256 fingerprint of a certificate. */
  hint: string | null
  expiresAt: Date | null
  /** When it has passed a verification last. */
  verifiedAt: Date | null
  createdAt: Date
  activatedAt: Date | null
}

export interface ProviderRecord {
  id: string
  name: string
  displayName: string | null
  origin: 'environment' | 'database'
  issuer: string
  tenantId: string
  initialClientId: string
  /** Null: the environment's. */
  authorityHost: string | null
  graphBaseUrl: string | null
  labels: Record<string, string>
  /** Somebody registers there, or has registered. */
  active: boolean
  /** The one in use; null: the environment's, or none. */
  credential: ProviderCredentialRecord | null
  createdAt: Date
  updatedAt: Date
}

/** Where a provider is: what its issuer, or an operator, has named. */
export interface ProviderPlace {
  issuer: string
  tenantId: string
  authorityHost: string
  graphBaseUrl: string
}

/** A credential as an operator gives it. Its text is sealed before it is stored. */
export type GivenCredential =
  | { kind: 'secret', clientId: string, secret: string, expiresAt: Date | null }
  /** PEM: an unencrypted private key and its certificate. */
  | { kind: 'certificate', clientId: string, pem: string }
  | { kind: 'federated', clientId: string }

/** What the environment says of its own provider. */
export interface EnvironmentProviderView {
  authorityHost: string
  graphBaseUrl: string
  kind: ProviderCredentialKind
}

/** The provider that is served without a name in its address. */
export const DEFAULT_PROVIDER_NAME = 'default'

/** Where the sealed text of a credential lives. */
export function placeOfCredential (credentialId: string) {
  return { table: 'provider_credential', rowId: credentialId, column: 'secret' } as const
}
