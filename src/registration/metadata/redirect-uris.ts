// Which redirect URIs may be registered at all, decided before any Graph call.
// Rules: Entra's own (reply-url restrictions), RFC 9700 §4.1, RFC 8252 §7.3.
import { RegistrationError } from '../errors.ts'
import { refusalOfLookAlike } from './look-alikes.ts'
import { quoted } from './refusals.ts'

/** Entra: at most 256 redirect URIs of at most 256 characters each on an application. */
export const MAX_REDIRECT_URIS = 256
const MAX_LENGTH = 256

// Entra: ! $ ' ( ) , ; are not supported; * is a wildcard; a backslash is read differently by every parser.
const UNSUPPORTED = /[!$'(),;*\\]/
// Printable ASCII without space and without what no URI may hold unencoded (RFC 3986 §2).
const URI_CHARACTERS = /^[\x21-\x7e]+$/
const NEVER_IN_A_URI = /["<>^`{|}]/
// A line feed in the header Location of whoever decodes it, the end of the text for whoever reads C's.
const ENCODED_CONTROL = /%([01][\da-f]|7f)/i
const DOT_SEGMENT = /(^|\/)(\.|%2e){1,2}(\/|$)/i
// Schemes of browsers, of the operating system and of protocols: none of them belongs to the client alone (RFC 7591 §5).
const REFUSED_SCHEMES: ReadonlySet<string> = new Set([
  'about', 'blob', 'chrome', 'chrome-extension', 'data', 'file', 'filesystem', 'intent', 'jar', 'javascript', 'livescript', 'market', 'moz-extension',
  'ms-browser-extension', 'ms-msdt', 'resource', 'safari-web-extension', 'search-ms', 'vbscript', 'view-source', 'wyciwyg',
  'dict', 'facetime', 'ftp', 'ftps', 'gopher', 'imap', 'ldap', 'ldaps', 'mailto', 'news', 'nfs', 'nntp', 'pop', 'rdp', 'sftp', 'sip', 'sips', 'sms', 'smb',
  'smtp', 'ssh', 'tel', 'telnet', 'tftp', 'vnc', 'ws', 'ws+unix', 'wss'
].map(scheme => `${scheme}:`))

export interface UriListRules {
  /** The member of the document that a refusal names. */
  member: string
  code: 'invalid_redirect_uri' | 'invalid_client_metadata'
  /** Most different URIs. */
  most: number
  /** Why an otherwise good URI is refused, as the end of a sentence; null when it is not. */
  furtherRefusalOf: (uri: string) => string | null
}

const entraRules: UriListRules = { member: 'redirect_uris', code: 'invalid_redirect_uri', most: MAX_REDIRECT_URIS, furtherRefusalOf: () => null }

/**
 * The URIs as they were written, without exact duplicates.
 * @throws RegistrationError with the index of the first bad one and the reason
 */
export function acceptRedirectUris (uris: readonly string[], { member, code, most, furtherRefusalOf }: UriListRules = entraRules): string[] {
  const accepted = new Set(uris)
  if (accepted.size > most) throw new RegistrationError(code, `${member} has ${accepted.size} entries; at most ${most} are accepted.`)
  const keys = new Map<string, string>()
  for (const uri of accepted) {
    const reason = refusalOf(uri) ?? furtherRefusalOf(uri) ?? refusalOfTwin(keys, uri, `${member}[${uris.indexOf(uri)}]`)
    if (reason !== null) throw new RegistrationError(code, `${member}[${uris.indexOf(uri)}] ${reason}.`)
  }
  return [...accepted]
}

/** Two that differ in nothing people see: to some parsers they are one, to Entra two, and which of them is meant nobody can say. */
function refusalOfTwin (keys: Map<string, string>, uri: string, name: string): string | null {
  const { protocol, host, pathname, search } = new URL(uri)
  const key = `${protocol}//${host}${pathname.replace(/\/$/, '')}`.toLowerCase() + search
  const twin = keys.get(key)
  keys.set(key, name)
  return twin === undefined ? null : `is ${twin} again but for letter case, a slash at the end or the default port; leave one out`
}

/** Why Entra (or prudence) refuses this URI, as the end of a sentence; null when it is fine. */
export function refusalOf (uri: string): string | null {
  if (uri.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  if (!isUriText(uri)) return 'has characters a URI can\'t hold; encode them'
  if (UNSUPPORTED.test(uri)) return 'has one of the characters ! $ \' ( ) , ; * \\ which Entra ID does not support'
  if (ENCODED_CONTROL.test(uri)) return 'has an encoded control character'
  if (uri.includes('#')) return 'has a fragment'
  if (!URL.canParse(uri)) return 'is not an absolute URI'
  const url = new URL(uri)
  if (REFUSED_SCHEMES.has(url.protocol)) return `has the scheme ${url.protocol} which is never a redirect target`
  if (hasUserInformation(uri)) return 'has user information'
  if (DOT_SEGMENT.test(pathOf(uri))) return 'has a dot segment in its path'
  if (isWeb(url)) return refusalOfWeb(uri, url)
  return /^urn:/i.test(uri) || /^[a-z][a-z0-9+.-]*:\/\/[^/?]/i.test(uri) ? null : 'needs a host after its scheme'
}

/** Printable ASCII that a URI may hold unencoded. */
export function isUriText (text: string): boolean {
  return URI_CHARACTERS.test(text) && !NEVER_IN_A_URI.test(text)
}

/** Takes a URI that parses. */
export function hasUserInformation (uri: string): boolean {
  const { username, password } = new URL(uri)
  return username !== '' || password !== '' || /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*@/i.test(uri)
}

export function isWeb ({ protocol }: URL): boolean {
  return protocol === 'http:' || protocol === 'https:'
}

export function isLoopback ({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '127.0.0.1'
}

/** Two loopback URIs with the same key differ in nothing that Entra looks at: it ignores their port, and picks one of several at random. */
export function portlessKey (uri: string): string {
  const url = new URL(uri)
  if (url.protocol !== 'http:' || !isLoopback(url)) return uri
  url.port = ''
  return url.href
}

function refusalOfWeb (uri: string, url: URL): string | null {
  // "https:host" parses, but means a relative reference to some clients.
  const host = /^https?:\/\/([^/?]+)/i.exec(uri)?.[1]?.replace(/:\d*$/, '').toLowerCase()
  if (host === undefined) return `is not an absolute ${url.protocol.slice(0, -1)} URI`
  // Entra keeps and compares what was written; 0177.0.0.1 or %6cocalhost is 127.0.0.1 or localhost to some parsers only.
  if (host !== url.hostname) return `writes its host in another form than ${quoted(url.hostname)}`
  if (url.protocol === 'http:') return refusalOfHttp(url)
  if (url.port === '0') return 'has the port 0, where nobody can be'
  const disguise = refusalOfLookAlike(host)
  if (disguise !== null) return disguise
  return host.startsWith('[') ? 'uses an IPv6 address, which Entra ID does not support' : null
}

// Entra: http only for localhost and 127.0.0.1; [::1] is not supported.
function refusalOfHttp (url: URL): string | null {
  if (url.hostname === '[::1]') return 'uses [::1], which Entra ID does not support; use 127.0.0.1 or localhost'
  return isLoopback(url) ? null : 'uses http; only https is allowed, or http on localhost and 127.0.0.1'
}

function pathOf (uri: string): string {
  return uri.replace(/^[^:]+:(\/\/[^/?]*)?/, '').replace(/\?.*$/, '')
}
