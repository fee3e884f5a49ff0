// The members of Kong's openid-connect plugin that matter to the clients of a Dev Portal, with the defaults of its schema
// (KonnectApplicationAuth 3.14). What a strategy does not say, the data plane fills in from here.

export type CredentialPlace = 'header' | 'query' | 'body'

export interface PluginConfig {
  issuer: string
  credentialClaim: string[]
  scopes: string[]
  authMethods: string[]
  /** Null: tokens for any audience are taken. */
  audienceRequired: string[] | null
  audienceClaim: string[]
  /** Null: the issuer of the discovery document alone. */
  issuersAllowed: string[] | null
  clientCredentialsPlaces: CredentialPlace[]
  bearerTokenPlaces: CredentialPlace[]
  clientAuth: 'client_secret_basic' | 'client_secret_post'
  /** Added to every token request. */
  tokenPostArguments: Array<[name: string, value: string]>
  verifySignature: boolean
  verifyClaims: boolean
  leewaySeconds: number
  cacheTokens: boolean
  cacheTtlMaxSeconds: number
  rediscoveryLifetimeSeconds: number
}

type Given = Readonly<Record<string, unknown>>

/** @param given `configs['openid-connect']` as Konnect has it */
export function pluginConfigOf (given: Given): PluginConfig {
  const names = textsAt(given, 'token_post_args_names') ?? []
  const values = textsAt(given, 'token_post_args_values') ?? []
  return {
    issuer: required(given, 'issuer', String),
    credentialClaim: textsAt(given, 'credential_claim') ?? ['sub'],
    scopes: textsAt(given, 'scopes') ?? ['openid'],
    authMethods: textsAt(given, 'auth_methods') ??
      ['password', 'client_credentials', 'authorization_code', 'bearer', 'introspection', 'userinfo', 'kong_oauth2', 'refresh_token', 'session'],
    audienceRequired: textsAt(given, 'audience_required'),
    audienceClaim: textsAt(given, 'audience_claim') ?? ['aud'],
    issuersAllowed: textsAt(given, 'issuers_allowed'),
    clientCredentialsPlaces: placesAt(given, 'client_credentials_param_type'),
    bearerTokenPlaces: placesAt(given, 'bearer_token_param_type'),
    clientAuth: textsAt(given, 'client_auth')?.[0] === 'client_secret_post' ? 'client_secret_post' : 'client_secret_basic',
    tokenPostArguments: names.map((name, index) => [name, values[index] ?? '']),
    verifySignature: given['verify_signature'] !== false,
    verifyClaims: given['verify_claims'] !== false,
    leewaySeconds: numberAt(given, 'leeway') ?? 0,
    cacheTokens: given['cache_tokens'] !== false,
    cacheTtlMaxSeconds: numberAt(given, 'cache_ttl_max') ?? Infinity,
    rediscoveryLifetimeSeconds: numberAt(given, 'rediscovery_lifetime') ?? 30
  }
}

/** Kong: several names are a path into nested claims. Undefined: there is no such claim. */
export function claimAt (claims: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (
    typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined
  ), claims)
}

function required<T> (given: Given, member: string, read: (value: unknown) => T): T {
  if (given[member] === undefined) throw new Error(`Konnect's JSON has no ${member}`)
  return read(given[member])
}

function textsAt (given: Given, member: string): string[] | null {
  const value = given[member]
  return Array.isArray(value) ? value.map(String) : null
}

function placesAt (given: Given, member: string): CredentialPlace[] {
  return (textsAt(given, member) as CredentialPlace[] | null) ?? ['header', 'query', 'body']
}

function numberAt (given: Given, member: string): number | null {
  const value = given[member]
  return typeof value === 'number' ? value : null
}
