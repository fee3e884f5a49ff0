// The Entra side of a registration as the core sees it: what the broker writes there.

/** One platform per redirect URI, as Entra wants it. */
export interface PlatformRedirectUris {
  web: string[]
  publicClient: string[]
  spa: string[]
}

export type EntraPlatform = keyof PlatformRedirectUris

/** A certificate a client signs its assertions with (`keyCredentials`). */
export interface Certificate {
  displayName: string
  /** DER, base64. */
  der: string
  /** ISO-8601: the certificate's own validity. */
  startsAt: string
  endsAt: string
}

/** Whose tokens Entra takes instead of a secret (`federatedIdentityCredentials`). At most 600 characters each. */
export interface FederatedIdentity {
  issuer: string
  subject: string
  audience: string
}

/** One entry of `requiredResourceAccess`: what the client may ask of one resource application. */
export interface ResourceAccess {
  resourceAppId: string
  permissions: Array<{ id: string, type: 'Scope' | 'Role' }>
}

/** What the broker grants the client for the whole tenant (opt-in by the scope catalogue), and what it has granted before and takes back. */
export interface PermissionGrants {
  granted: ResourceAccess[]
  revoked: ResourceAccess[]
}

/**
 * The Entra projection of a registration: all that the broker writes to the application object and its principal.
 * Members that may be null (but for the description) are left alone in Entra while they are: an administrator may have set them. What the broker
 * has once set it also clears, with an empty text, list or false.
 */
export interface DirectoryApplication {
  /** At most 120 UTF-16 units, no control or bidirectional characters. */
  displayName: string
  /** At most 1,024 characters. */
  description: string | null
  tags: string[]
  /** `api.requestedAccessTokenVersion`: counts when the client is its own resource. */
  accessTokenVersion: 1 | 2
  redirectUris: PlatformRedirectUris
  /** `web.homePageUrl` */
  homePageUrl: string | null
  /** `info.termsOfServiceUrl` */
  termsOfServiceUrl: string | null
  /** `info.privacyStatementUrl` */
  privacyStatementUrl: string | null
  /** `isFallbackPublicClient`: grants without a redirect (device code) need it. */
  isFallbackPublicClient: boolean | null
  requiredResourceAccess: ResourceAccess[] | null
  grants: PermissionGrants | null
  certificates: Certificate[] | null
  federatedIdentities: FederatedIdentity[] | null
  /** The principal's `accountEnabled`. */
  enabled: boolean
}

/** What of a projection has no value until somebody asks for one: Entra keeps what it has. */
export type EntraSettings = Pick<DirectoryApplication, 'homePageUrl' | 'termsOfServiceUrl' | 'privacyStatementUrl' | 'isFallbackPublicClient' |
  'requiredResourceAccess' | 'grants' | 'certificates' | 'federatedIdentities'>

export const noEntraSettings: EntraSettings = {
  homePageUrl: null,
  termsOfServiceUrl: null,
  privacyStatementUrl: null,
  isFallbackPublicClient: null,
  requiredResourceAccess: null,
  grants: null,
  certificates: null,
  federatedIdentities: null
}
