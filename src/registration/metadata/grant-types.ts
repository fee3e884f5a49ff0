// Grant and response types: what Entra, the policy and the auth method leave of the request, made consistent (RFC 7591 §2.1).
import type { PolicyRules } from '../policy.ts'
import { listed, refusal } from './refusals.ts'
import type { RequestedMetadata } from './requested-metadata.ts'

const CODE = 'authorization_code'
const REFRESH = 'refresh_token'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
export const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

/** Entra has implicit and password grants too; RFC 9700 §2.1.2 and §2.4 forbid them. */
const SUPPORTED: readonly string[] = [CODE, REFRESH, 'client_credentials', DEVICE_CODE, JWT_BEARER]
/** Of no use to a client that can't authenticate. */
const CONFIDENTIAL: ReadonlySet<string> = new Set(['client_credentials', JWT_BEARER])
/** Those whose answer can hold a refresh token (jwt-bearer is Entra's on-behalf-of). */
const REFRESHABLE: readonly string[] = [CODE, DEVICE_CODE, JWT_BEARER]

export interface AcceptedGrants {
  grantTypes: string[]
  responseTypes: string[]
}

/** What a policy leaves of what Entra can do. */
export function acceptedGrantTypes (rules: PolicyRules): string[] {
  return SUPPORTED.filter(grant => rules.grantTypes?.includes(grant) ?? true)
}

/** @throws RegistrationError invalid_client_metadata when nothing is left that a client could use */
export function acceptGrants (requested: RequestedMetadata, tokenEndpointAuthMethod: string, rules: PolicyRules): AcceptedGrants {
  const isPublic = tokenEndpointAuthMethod === 'none'
  const accepted = acceptedGrantTypes(rules).filter(grant => !(isPublic && CONFIDENTIAL.has(grant)))
  const asked = requested.grantTypes ?? [CODE]
  if (asked.length === 0) throw refusal(`grant_types is empty: such a client can do nothing. Accepted are ${listed(accepted)}.`)
  let grantTypes = [...new Set(asked)].filter(grant => accepted.includes(grant))
  if (grantTypes.length === 0) {
    throw refusal(`None of the grant_types can be registered${isPublic ? ' for a client with token_endpoint_auth_method none' : ''}. Accepted are ${listed(accepted)}.`)
  }
  if (wantsCode(requested.responseTypes) && hasRedirects(requested) && !grantTypes.includes(CODE) && accepted.includes(CODE)) grantTypes.push(CODE)
  if (grantTypes.includes(REFRESH) && !grantTypes.some(grant => REFRESHABLE.includes(grant))) {
    grantTypes = grantTypes.filter(grant => grant !== REFRESH)
    const sources = accepted.filter(grant => REFRESHABLE.includes(grant))
    if (grantTypes.length === 0) throw refusal(`The grant type refresh_token needs one that yields refresh tokens beside it: ${listed(sources)}.`)
  }
  return { grantTypes, responseTypes: grantTypes.includes(CODE) ? ['code'] : [] }
}

export function needsRedirect (grantTypes: readonly string[]): boolean {
  return grantTypes.includes(CODE)
}

/** @throws RegistrationError invalid_client_metadata when only other response types were asked for */
function wantsCode (responseTypes: readonly string[] | null): boolean {
  if (responseTypes === null || responseTypes.length === 0) return false
  if (!responseTypes.includes('code')) throw refusal('None of the response_types can be registered. Accepted is code.')
  return true
}

// A client that asks for code and gives no redirect URI has just written down the default.
function hasRedirects ({ redirectUris }: RequestedMetadata): boolean {
  return redirectUris !== null && redirectUris.length > 0
}
