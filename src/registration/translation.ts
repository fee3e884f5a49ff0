// Client metadata -> Entra application: the one place that knows how a registration is projected.
import { canonicalJson } from './metadata/canonical-json.ts'
import { certificatesOf } from './metadata/certificates.ts'
import { descriptionOf, displayNameOf } from './metadata/client-name.ts'
import { DEVICE_CODE } from './metadata/grant-types.ts'
import { platformsOf } from './metadata/platforms.ts'
import { mappingsOf, resourceAccessOf } from './metadata/scopes.ts'
import type { PolicyRules } from './policy.ts'
import type { AuthStrategy, Certificate, ClientMetadata, DirectoryApplication, PermissionGrants, ScopeMapping } from './registration.ts'

/** Konnect sends a strategy's auth_methods as grant types; these mean a client that gets tokens for itself. */
const CLIENT_CREDENTIALS_WORDS: ReadonlySet<string> = new Set(['client_credentials', 'bearer', 'session', 'introspection'])

/** Entra: supported-accounts-validation. A longer link stays in the record. */
const MAX_LINK = 255

export interface TranslationOptions {
  /** The template of the name, and the scopes that may be granted. Null (Konnect): of its scopes only those of the strategy's API are meant for Entra. */
  rules: Pick<PolicyRules, 'nameTemplate' | 'scopes'> | null
  /** The scope catalogue of the provider. */
  scopes: ReadonlyMap<string, ScopeMapping>
}

/**
 * What the broker writes to Entra for this client. Pure: the same input gives the same projection.
 * What the client has no need of stays null (see DirectoryApplication). Without options scopes and grant types are kept in the record only.
 */
export function translate (
  metadata: ClientMetadata, strategy: AuthStrategy, identity: { registrationId: string, installationId: string }, options: TranslationOptions | null = null
): DirectoryApplication {
  const { clientName, federatedIdentities, grantTypes, redirectUris, tokenEndpointAuthMethod } = metadata
  const rules = options?.rules ?? null
  const mappings = mappingsFor(metadata, strategy, options)
  return {
    displayName: displayNameOf(rules?.nameTemplate?.replaceAll('{client_name}', () => clientName) ?? clientName),
    description: descriptionOf(metadata.description),
    tags: ['dcr-broker', `dcr-inst:${identity.installationId}`, `dcr-reg:${identity.registrationId}`],
    accessTokenVersion: strategy.tokenVersion,
    redirectUris: platformsOf(redirectUris, tokenEndpointAuthMethod, metadata.platform),
    homePageUrl: linkOf(metadata, 'client_uri'),
    termsOfServiceUrl: linkOf(metadata, 'tos_uri'),
    privacyStatementUrl: linkOf(metadata, 'policy_uri'),
    isFallbackPublicClient: rules !== null && grantTypes.includes(DEVICE_CODE) ? true : null,
    requiredResourceAccess: resourceAccessOf(mappings),
    grants: grantsOf(mappings, rules?.scopes ?? []),
    certificates: certificatesFor(metadata),
    federatedIdentities: federatedIdentities.length === 0 ? null : federatedIdentities,
    enabled: true
  }
}

/** Konnect's words as OAuth grant types; unknown ones are kept as they came. Nothing asked for means client_credentials. */
export function grantTypesOf (words: readonly string[]): string[] {
  const grants = words.map(word => CLIENT_CREDENTIALS_WORDS.has(word) ? 'client_credentials' : word)
  return grants.length === 0 ? ['client_credentials'] : [...new Set(grants)]
}

export function sameProjection (one: DirectoryApplication, other: DirectoryApplication): boolean {
  return canonicalJson(one) === canonicalJson(other)
}

// Konnect sends the scopes of its strategy, among them some that mean nothing to Entra.
function mappingsFor ({ scopes }: ClientMetadata, { resourceAppId }: AuthStrategy, options: TranslationOptions | null): ScopeMapping[] {
  if (options === null) return []
  const mappings = mappingsOf(scopes, options.scopes)
  return options.rules === null ? mappings.filter(mapping => mapping.resourceAppId === resourceAppId) : mappings
}

function linkOf ({ members }: ClientMetadata, member: string): string | null {
  const link = members[member]
  return typeof link === 'string' && link.length <= MAX_LINK ? link : null
}

/** What the catalogue says the broker grants for the whole tenant; only where the policy names the scope: "all" is no decision about that. */
function grantsOf (mappings: readonly ScopeMapping[], named: readonly string[]): PermissionGrants | null {
  const granted = resourceAccessOf(mappings.filter(mapping => mapping.granted && named.includes(mapping.name)))
  return granted === null ? null : { granted, revoked: [] }
}

// Keys of a client that authenticates in another way are its own affair.
function certificatesFor ({ jwks, tokenEndpointAuthMethod }: ClientMetadata): Certificate[] | null {
  if (jwks === null || tokenEndpointAuthMethod !== 'private_key_jwt') return null
  const certificates = certificatesOf(jwks)
  return certificates.length === 0 ? null : certificates
}
