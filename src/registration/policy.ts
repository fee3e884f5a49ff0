// What a caller of RFC 7591 may register. Rules are data: they are stored, versioned and shown.

/** Bounds of a registration. Lists: what is allowed; null: everything the broker and Entra can do. */
export interface PolicyRules {
  grantTypes: string[] | null
  tokenEndpointAuthMethods: string[] | null
  /** Hosts of http and https redirect URIs: `claude.ai`, `*.example.com` (any number of labels), `localhost`. */
  redirectHosts: string[] | null
  /** Private-use schemes without the colon: `cursor`, `com.example.*`. */
  redirectSchemes: string[] | null
  maxRedirectUris: number
  /** Names of the scope catalogue. Null: all of them, but those that the broker grants are granted only where they are named. */
  scopes: string[] | null
  /** Living clients under this policy. */
  maxClients: number | null
  /** Null: the broker's setting. */
  secretLifetimeDays: number | null
  /** Entra's display name; `{client_name}` stands for the registered name. */
  nameTemplate: string | null
  /** GET and PUT return the current secret while it is valid (RFC 7592, A.1). */
  discloseSecret: boolean
  /** PUT answers with a new registration access token. */
  rotateManagementToken: boolean
  /** Identical public registrations of one caller share one client, which nobody manages. */
  sharePublicClients: boolean
  expiry: ExpiryRules | null
}

/** When a client is disabled by itself, and how long after that it is deleted. */
export interface ExpiryRules {
  afterDays: number
  /** `use` counts only where a source of use is declared and has reported. */
  countedFrom: 'registration' | 'use'
  graceDays: number
}

export interface Policy {
  id: string
  name: string
  rules: PolicyRules
}

export const DEFAULT_POLICY_NAME = 'default'

/** Of anonymous registrations, when there is a policy of this name. */
export const OPEN_POLICY_NAME = 'open'

/** What holds until an operator says something else. Implicit and password grants are never registered, whatever a policy says. */
export const defaultRules: PolicyRules = {
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
  tokenEndpointAuthMethods: null,
  redirectHosts: null,
  redirectSchemes: null,
  maxRedirectUris: 10,
  scopes: null,
  maxClients: null,
  secretLifetimeDays: null,
  nameTemplate: null,
  discloseSecret: true,
  rotateManagementToken: true,
  sharePublicClients: false,
  expiry: null
}
