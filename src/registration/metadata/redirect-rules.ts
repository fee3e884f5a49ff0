// What may be a redirect URI beyond Entra's own rules: by the kind of application, by the policy, and never inside a private network.
import { BlockList } from 'node:net'
import type { PolicyRules } from '../policy.ts'
import type { ClientMetadata } from '../registration.ts'
import { acceptRedirectUris, isLoopback, isWeb, MAX_REDIRECT_URIS, type UriListRules } from './redirect-uris.ts'
import { listed, quoted } from './refusals.ts'

type ApplicationType = ClientMetadata['applicationType']

// IANA special-purpose registry: nobody else's browser reaches these, so a code sent there goes to whoever happens to have the address.
const SPECIAL_NETWORKS: ReadonlyArray<[network: string, prefix: number]> = [
  ['0.0.0.0', 8], ['10.0.0.0', 8], ['100.64.0.0', 10], ['127.0.0.0', 8], ['169.254.0.0', 16], ['172.16.0.0', 12], ['192.0.0.0', 24], ['192.0.2.0', 24],
  ['192.168.0.0', 16], ['198.18.0.0', 15], ['198.51.100.0', 24], ['203.0.113.0', 24], ['224.0.0.0', 4], ['240.0.0.0', 4]
]
const specialAddresses = new BlockList()
for (const [network, prefix] of SPECIAL_NETWORKS) specialAddresses.addSubnet(network, prefix)

/** @throws RegistrationError invalid_redirect_uri */
export function acceptBoundedRedirectUris (uris: readonly string[], applicationType: ApplicationType, rules: PolicyRules): string[] {
  return acceptRedirectUris(uris, uriListRules('redirect_uris', 'invalid_redirect_uri', applicationType, rules))
}

/** Where a browser goes after a logout: the same dangers, so the same rules. @throws RegistrationError invalid_client_metadata */
export function acceptPostLogoutUris (uris: readonly string[], applicationType: ApplicationType, rules: PolicyRules): string[] {
  return acceptRedirectUris(uris, uriListRules('post_logout_redirect_uris', 'invalid_client_metadata', applicationType, rules))
}

function uriListRules (member: string, code: UriListRules['code'], applicationType: ApplicationType, rules: PolicyRules): UriListRules {
  return {
    member,
    code,
    most: Math.min(rules.maxRedirectUris, MAX_REDIRECT_URIS),
    furtherRefusalOf: uri => refusalByType(new URL(uri), applicationType) ?? refusalByPolicy(new URL(uri), rules) ?? refusalByAddress(new URL(uri), rules)
  }
}

/** OpenID Connect Registration §2. Without application_type both kinds are fine: a web application in development has loopback URIs too. */
function refusalByType (url: URL, applicationType: ApplicationType): string | null {
  if (applicationType === 'web' && (url.protocol !== 'https:' || isOwnMachine(url))) {
    return 'is not for application_type web, which takes https URIs that are not on loopback'
  }
  if (applicationType === 'native' && url.protocol === 'https:' && isOwnMachine(url)) {
    return 'is not for application_type native, which takes http on loopback, https elsewhere, and schemes of its own'
  }
  return null
}

/** RFC 6761 §6.3: every name under localhost; a dot at the end changes nothing. */
function isOwnMachine (url: URL): boolean {
  const host = url.hostname.replace(/\.$/, '')
  return isLoopback(url) || host === 'localhost' || host.endsWith('.localhost')
}

function refusalByPolicy (url: URL, { redirectHosts, redirectSchemes }: PolicyRules): string | null {
  if (isWeb(url)) {
    if (redirectHosts === null || redirectHosts.some(pattern => isHostOf(pattern, url.hostname))) return null
    return `is on the host ${quoted(url.hostname)}; the policy accepts ${listed(redirectHosts)}`
  }
  const scheme = url.protocol.slice(0, -1)
  if (redirectSchemes === null || redirectSchemes.some(pattern => isSchemeOf(pattern, scheme))) return null
  return `has the scheme ${quoted(scheme)}; the policy accepts https${redirectSchemes.length === 0 ? '' : ` and the schemes ${listed(redirectSchemes)}`}`
}

/** 127.0.0.1 is the caller's own machine. An operator can name an address of his own network as a redirect host. */
function refusalByAddress (url: URL, { redirectHosts }: PolicyRules): string | null {
  const isSpecial = isWeb(url) && !isLoopback(url) && /^[\d.]+$/.test(url.hostname) && specialAddresses.check(url.hostname)
  return isSpecial && redirectHosts?.includes(url.hostname) !== true ? 'uses an address of a private or special network; use a host name' : null
}

function isHostOf (pattern: string, host: string): boolean {
  const wanted = pattern.toLowerCase()
  return wanted.startsWith('*.') ? host.endsWith(wanted.slice(1)) && host.length >= wanted.length : host === wanted
}

function isSchemeOf (pattern: string, scheme: string): boolean {
  const wanted = pattern.toLowerCase()
  return wanted.endsWith('.*') ? scheme.startsWith(wanted.slice(0, -1)) && scheme.length >= wanted.length : scheme === wanted
}
