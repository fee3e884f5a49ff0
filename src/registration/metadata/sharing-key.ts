// By what two registrations of a public client are the same one.
import type { ClientMetadata, Json } from '../registration.ts'
import { canonicalJson } from './canonical-json.ts'
import { portlessKey } from './redirect-uris.ts'
import { documentOf } from './registered-document.ts'

/**
 * The digest of everything registered, whatever the order of lists and members and the ports of loopback URIs.
 * Null: the client has a secret of its own (RFC 7591 §5), or no redirect URI that says whose it is.
 */
export function sharingKeyOf (metadata: ClientMetadata, digest: (text: string) => string): string | null {
  if (metadata.tokenEndpointAuthMethod !== 'none' || metadata.redirectUris.length === 0) return null
  const document = { ...documentOf(metadata), scope: metadata.scopes, redirect_uris: [...new Set(metadata.redirectUris.map(portlessKey))] }
  return digest(canonicalJson(Object.fromEntries(Object.entries(document).map(([name, value]) => [name, sorted(value)]))))
}

function sorted (value: Json): Json {
  return Array.isArray(value) ? value.map(item => canonicalJson(item)).sort() : value
}
