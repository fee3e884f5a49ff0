// What a request becomes: the rules of RFC 7591, of Entra and of the caller's policy, in this order of lists cut down and sentences that refuse.
// Pure, and a fixed point: the document of the answer registers the same again.
import { RegistrationError } from '../errors.ts'
import type { PolicyRules } from '../policy.ts'
import type { ClientMetadata, KeySet, ScopeMapping } from '../registration.ts'
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

/** Thrown inside: what hangs on a part that was refused can't be judged. */
class UnjudgedError extends Error {}

/**
 * The metadata that is registered. Lists hold what is left of the request; what would weaken the client or the policy is refused.
 * @throws RegistrationError invalid_redirect_uri, invalid_client_metadata: an ASCII sentence that says what would be accepted
 */
export function acceptMetadata (request: RequestedMetadata, context: AcceptanceContext): ClientMetadata {
  return accept(request, context, part => {
    const accepted = part()
    return () => accepted
  })
}

/** The same, with every refusal instead of the first. What hangs on something refused is not judged. */
export function judgeMetadata (request: RequestedMetadata, context: AcceptanceContext): { metadata: ClientMetadata } | { refusals: RegistrationError[] } {
  const refusals: RegistrationError[] = []
  const judge: Judge = part => {
    try {
      const accepted = part()
      return () => accepted
    } catch (error) {
      if (error instanceof RegistrationError) refusals.push(error)
      else if (!(error instanceof UnjudgedError)) throw error
      return () => { throw new UnjudgedError() }
    }
  }
  const whole = judge(() => accept(request, context, judge))
  return refusals.length === 0 ? { metadata: whole() } : { refusals }
}

/** Runs a part; what it gives is asked for where it is needed. */
type Judge = <Part>(part: () => Part) => () => Part

function accept (request: RequestedMetadata, { rules, scopes, now, unnamed }: AcceptanceContext, judge: Judge): ClientMetadata {
  const requested = withoutEmptyTexts(request)
  const authMethod = judge(() => acceptAuthMethod(requested.tokenEndpointAuthMethod, rules))
  const grants = judge(() => acceptGrants(requested, authMethod(), rules))
  const applicationType = judge(() => acceptApplicationType(requested.applicationType))
  const redirectUris = judge(() => acceptBoundedRedirectUris(requested.redirectUris ?? [], applicationType(), rules))
  const redirect = judge(() => assertRedirect(redirectUris(), grants().grantTypes))
  const jwks = judge(() => acceptKeySet(requested, authMethod(), now))
  const federatedIdentities = judge(() => acceptFederatedIdentities(requested.federatedIdentities, authMethod()))
  const keys = judge(() => assertKeys(authMethod(), jwks(), federatedIdentities()))
  const clientName = judge(() => acceptName('client_name', requested.clientName ?? unnamed))
  const accepted = judge(() => acceptScopes(requested.scope, rules, scopes))
  const platform = judge(() => acceptPlatform(requested.entraPlatform, authMethod(), redirectUris()))
  const members = judge(() => acceptMembers(requested.members, { applicationType: applicationType(), rules }))
  redirect()
  keys()
  return withinSize({
    clientName: clientName(),
    description: null,
    redirectUris: redirectUris(),
    ...grants(),
    scopes: accepted(),
    tokenEndpointAuthMethod: authMethod(),
    applicationType: applicationType(),
    platform: platform(),
    jwks: jwks(),
    federatedIdentities: federatedIdentities(),
    members: members()
  })
}

function assertRedirect (redirectUris: readonly string[], grantTypes: readonly string[]): void {
  if (redirectUris.length > 0 || !needsRedirect(grantTypes)) return
  throw new RegistrationError('invalid_redirect_uri', 'redirect_uris must not be empty: the grant type authorization_code needs one.')
}

function assertKeys (authMethod: string, jwks: KeySet | null, federatedIdentities: readonly unknown[]): void {
  if (authMethod !== 'private_key_jwt' || federatedIdentities.length > 0 || (jwks !== null && signingKeysOf(jwks).length > 0)) return
  throw refusal('token_endpoint_auth_method private_key_jwt needs jwks whose keys carry their certificate in x5c, or entra_federated_identity_credentials.')
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
