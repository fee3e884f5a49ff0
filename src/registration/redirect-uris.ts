// Which redirect URIs may be registered, decided before any Graph call, and on which Entra platform each belongs.
// Rules: Entra's own (reply-url restrictions), RFC 9700 §4.1, RFC 8252 §7.3.
import { RegistrationError } from './errors.ts'
import type { PlatformRedirectUris } from './registration.ts'

/** Entra: at most 256 redirect URIs of at most 256 characters each on an application. */
export const MAX_REDIRECT_URIS = 256
const MAX_LENGTH = 256

// Entra: ! $ ' ( ) , ; are not supported; * is a wildcard; a backslash is read differently by every parser.
const UNSUPPORTED = /[!$'(),;*\\]/
// Printable ASCII without space and without what no URI may hold unencoded (RFC 3986 §2).
const URI_CHARACTERS = /^[\x21-\x7e]+$/
const NEVER_IN_A_URI = /["<>^`{|}]/
const DOT_SEGMENT = /(^|\/)(\.|%2e){1,2}(\/|$)/i
const REFUSED_SCHEMES: ReadonlySet<string> = new Set([
  'javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:', 'ws:', 'wss:', 'ftp:', 'view-source:', 'chrome:', 'intent:', 'mailto:', 'tel:'
])

/**
 * Validates and normalises: duplicates and loopback URIs that differ only in their port collapse to the first.
 * @throws RegistrationError invalid_redirect_uri with index and reason
 */
export function acceptRedirectUris (uris: readonly string[]): string[] {
  if (uris.length > MAX_REDIRECT_URIS) {
    throw new RegistrationError('invalid_redirect_uri', `redirect_uris has ${uris.length} entries; Entra ID takes at most ${MAX_REDIRECT_URIS}.`)
  }
  const accepted = new Map<string, string>()
  for (const [index, uri] of uris.entries()) {
    const reason = refusalOf(uri)
    if (reason !== null) throw new RegistrationError('invalid_redirect_uri', `redirect_uris[${index}] ${reason}.`)
    const key = portlessKey(uri)
    if (!accepted.has(key)) accepted.set(key, uri)
  }
  return [...accepted.values()]
}

/** Entra allows each URI on one platform only. A client with a secret is a web application; schemes that are not http belong to installed ones. */
export function platformsOf (uris: readonly string[], tokenEndpointAuthMethod: string): PlatformRedirectUris {
  const platforms: PlatformRedirectUris = { web: [], publicClient: [], spa: [] }
  for (const uri of uris) {
    const isPublic = tokenEndpointAuthMethod === 'none' || !/^https?:/i.test(uri)
    platforms[isPublic ? 'publicClient' : 'web'].push(uri)
  }
  return platforms
}

/** Why Entra (or prudence) refuses this URI, as the end of a sentence; null when it is fine. */
export function refusalOf (uri: string): string | null {
  if (uri.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  if (!URI_CHARACTERS.test(uri) || NEVER_IN_A_URI.test(uri)) return 'has characters a URI can\'t hold; encode them'
  if (UNSUPPORTED.test(uri)) return 'has one of the characters ! $ \' ( ) , ; * \\ which Entra ID does not support'
  if (uri.includes('#')) return 'has a fragment'
  if (!URL.canParse(uri)) return 'is not an absolute URI'
  const url = new URL(uri)
  if (REFUSED_SCHEMES.has(url.protocol)) return `has the scheme ${url.protocol} which is never a redirect target`
  if (url.username !== '' || url.password !== '' || /^[a-z][a-z0-9+.-]*:\/\/[^/?]*@/i.test(uri)) return 'has user information'
  if (DOT_SEGMENT.test(pathOf(uri))) return 'has a dot segment in its path'
  if (url.protocol === 'http:' || url.protocol === 'https:') return refusalOfWeb(uri, url)
  return /^urn:/i.test(uri) || /^[a-z][a-z0-9+.-]*:\/\/[^/?]/i.test(uri) ? null : 'needs a host after its scheme'
}

function refusalOfWeb (uri: string, url: URL): string | null {
  // "https:host" parses, but means a relative reference to some clients.
  const host = /^https?:\/\/([^/?]+)/i.exec(uri)?.[1]?.replace(/:\d*$/, '').toLowerCase()
  if (host === undefined) return `is not an absolute ${url.protocol.slice(0, -1)} URI`
  // Entra keeps and compares what was written; 0177.0.0.1 or %6cocalhost is 127.0.0.1 or localhost to some parsers only.
  if (host !== url.hostname) return `writes its host in another form than ${url.hostname}`
  if (url.protocol === 'http:') return refusalOfHttp(host)
  return host.startsWith('[') ? 'uses an IPv6 address, which Entra ID does not support' : null
}

// Entra: http only for localhost and 127.0.0.1; [::1] is not supported.
function refusalOfHttp (host: string): string | null {
  if (host === '[::1]') return 'uses [::1], which Entra ID does not support; use 127.0.0.1 or localhost'
  return isLoopback(host) ? null : 'uses http; only https is allowed, or http on localhost and 127.0.0.1'
}

function isLoopback (hostname: string): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1'
}

// Entra ignores the port of a loopback URI when it matches, and picks one of several at random.
function portlessKey (uri: string): string {
  const url = new URL(uri)
  if (url.protocol !== 'http:' || !isLoopback(url.hostname)) return uri
  url.port = ''
  return url.href
}

function pathOf (uri: string): string {
  return uri.replace(/^[^:]+:(\/\/[^/?]*)?/, '').replace(/\?.*$/, '')
}
