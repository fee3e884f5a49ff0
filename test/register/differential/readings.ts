// What a registration document says, read as far as its types allow.
import type { Document } from './documents.ts'

/** What both implementations can do. */
export const known = {
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
  responseTypes: ['code'],
  scopes: ['openid', 'profile', 'email', 'offline_access']
}

const FOR_CONFIDENTIAL_CLIENTS = ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer']

// Members that both read; of others the other implementation takes no notice.
const LISTS = ['redirect_uris', 'grant_types', 'response_types', 'contacts', 'post_logout_redirect_uris']
const TEXTS = [
  'application_type', 'client_name', 'client_uri', 'initiate_login_uri', 'jwks_uri', 'logo_uri', 'policy_uri', 'scope', 'token_endpoint_auth_method', 'tos_uri'
]

/** Undefined: absent, or no list of strings. */
export function listOf (document: Document, member: string): string[] | undefined {
  const value = document[member]
  return Array.isArray(value) && value.every(entry => typeof entry === 'string') ? value : undefined
}

export function textOf (document: Document, member: string): string | undefined {
  const value = document[member]
  return typeof value === 'string' ? value : undefined
}

/** Every URI to which a browser may be sent. */
export function urisOf (document: Document): string[] {
  return ['redirect_uris', 'post_logout_redirect_uris'].flatMap(member => listOf(document, member) ?? [])
}

export function isWebUrl (text: string): boolean {
  return /^https?:/i.test(text) && isUri(text)
}

// Not URL.canParse: the one of Node 20, once it is optimised, says no to every text with a Latin-1 character.
export function isUri (text: string): boolean {
  try {
    return new URL(text) instanceof URL
  } catch {
    return false
  }
}

/** How many redirect URIs there are. */
export function redirectsOf (document: Document): number {
  return listOf(document, 'redirect_uris')?.length ?? 0
}

/** The grants asked for that are possible and that the auth method allows; undefined: what is asked for is no list of strings. */
export function usableGrants (document: Document): string[] | undefined {
  const isPublic = document['token_endpoint_auth_method'] === 'none'
  const asked = isAbsent(document, 'grant_types') ? ['authorization_code'] : listOf(document, 'grant_types')
  return asked?.filter(grant => known.grantTypes.includes(grant) && !(isPublic && FOR_CONFIDENTIAL_CLIENTS.includes(grant)))
}

export function isAbsent (document: Document, member: string): boolean {
  return document[member] === undefined || document[member] === null || document[member] === ''
}

/** Null or "", where the document would be fine without the member. */
export function isEmptyMember (document: Document, member: string): boolean {
  const value = document[member]
  if (value === undefined || !isAbsent(document, member)) return false
  if (member === 'redirect_uris') return value === null && listOf(document, 'grant_types')?.includes('authorization_code') === false
  if (member === 'grant_types') return value === null && redirectsOf(document) > 0
  if (member === 'jwks') return value === null && document['token_endpoint_auth_method'] !== 'private_key_jwt'
  return TEXTS.includes(member) || (value === null && LISTS.includes(member))
}
