// What a request becomes: the rules of RFC 7591, of Entra and of the caller's policy, in this order of lists cut down and sentences that refuse.
// Pure, and a fixed point: the document of the answer registers the same again.
import { RegistrationError } from '../errors.ts'
import type { PolicyRules } from '../policy.ts'
import type { ClientMetadata, ScopeMapping } from '../registration.ts'
import { acceptAuthMethod } from './auth-methods.ts'
import { signingKeysOf } from './certificates.ts'
import { acceptName } from './client-name.ts'
import { acceptFederatedIdentities } from './federated-identities.ts'
import { acceptGrants, needsRedirect } from './grant-types.ts'
import { acceptKeySet } from './key-sets.ts'
import { acceptMembers } from './members.ts'
import { acceptPlatform } from './platforms.ts'
import { acceptBoundedRedirectUris } from './redirect-rules.ts'
import { quoted, refusal } from './refusals.ts'
import { documentOf } from './registered-document.ts'
import type { RequestedMetadata } from './requested-metadata.ts'
import { acceptScopes } from './scopes.ts'

/** Of the registered document in JSON. */
const MAX_DOCUMENT_BYTES = 65_536

export interface AcceptanceContext {
  rules: PolicyRules
  /** The scope catalogue of the provider, by name. */
  scopes: ReadonlyMap<string, ScopeMapping>
  now: Date
  /** The name of a client that has given none. */
  unnamed: string
}

/**
 * The metadata that is registered. Lists hold what is left of the request; what would weaken the client or the policy is refused.
 * @throws RegistrationError invalid_redirect_uri, invalid_client_metadata: an ASCII sentence that says what would be accepted
 */
export function acceptMetadata (request: RequestedMetadata, { rules, scopes, now, unnamed }: AcceptanceContext): ClientMetadata {
  const requested = withoutEmptyTexts(request)
  const tokenEndpointAuthMethod = acceptAuthMethod(requested.tokenEndpointAuthMethod, rules)
  const { grantTypes, responseTypes } = acceptGrants(requested, tokenEndpointAuthMethod, rules)
  const applicationType = acceptApplicationType(requested.applicationType)
  const redirectUris = acceptBoundedRedirectUris(requested.redirectUris ?? [], applicationType, rules)
  if (redirectUris.length === 0 && needsRedirect(grantTypes)) {
    throw new RegistrationError('invalid_redirect_uri', 'redirect_uris must not be empty: the grant type authorization_code needs one.')
  }
  const jwks = acceptKeySet(requested, tokenEndpointAuthMethod, now)
  const federatedIdentities = acceptFederatedIdentities(requested.federatedIdentities, tokenEndpointAuthMethod)
  if (tokenEndpointAuthMethod === 'private_key_jwt' && federatedIdentities.length === 0 && (jwks === null || signingKeysOf(jwks).length === 0)) {
    throw refusal('token_endpoint_auth_method private_key_jwt needs jwks whose keys carry their certificate in x5c, or entra_federated_identity_credentials.')
  }
  return withinSize({
    clientName: acceptName('client_name', requested.clientName ?? unnamed),
    description: null,
    redirectUris,
    grantTypes,
    responseTypes,
    scopes: acceptScopes(requested.scope, rules, scopes),
    tokenEndpointAuthMethod,
    applicationType,
    platform: acceptPlatform(requested.entraPlatform, tokenEndpointAuthMethod, redirectUris),
    jwks,
    federatedIdentities,
    members: acceptMembers(requested.members, { applicationType, rules })
  })
}

// RFC 7592 §2.2: an empty text means the same as none.
function withoutEmptyTexts (request: RequestedMetadata): RequestedMetadata {
  return {
    ...request,
    clientName: request.clientName || null,
    tokenEndpointAuthMethod: request.tokenEndpointAuthMethod || null,
    applicationType: request.applicationType || null,
    jwks: request.jwks === '' ? null : request.jwks,
    jwksUri: request.jwksUri || null,
    entraPlatform: request.entraPlatform || null,
    federatedIdentities: request.federatedIdentities === '' ? null : request.federatedIdentities
  }
}

// OpenID Connect Registration §2.
function acceptApplicationType (requested: string | null): ClientMetadata['applicationType'] {
  if (requested === null || requested === 'web' || requested === 'native') return requested
  throw refusal(`application_type ${quoted(requested)} is not known; accepted are web and native.`)
}

function withinSize (metadata: ClientMetadata): ClientMetadata {
  const bytes = Buffer.byteLength(JSON.stringify(documentOf(metadata)))
  if (bytes > MAX_DOCUMENT_BYTES) throw refusal(`The registered document has ${bytes} bytes; at most ${MAX_DOCUMENT_BYTES} are accepted.`)
  return metadata
}
