// Entra's rules for redirect URIs: three platforms, one list each. Source: Microsoft's "Redirect URI (reply URL) restrictions".
import type { Application } from '@microsoft/microsoft-graph-types'
import { invalidValue } from './graph-errors.ts'

export const platforms = ['web', 'spa', 'publicClient'] as const
export type Platform = typeof platforms[number]

const longestUri = 256
const mostUris = 256
const mostUrisWithPersonalAccounts = 100

const allowedSchemes: Readonly<Record<Platform, readonly string[] | 'any'>> = {
  web: ['https:', 'http:', 'ms-appx-web:', 'urn:', 'brk-multihub:'],
  spa: ['https:', 'http:', 'ms-appx-web:', 'brk-multihub:'],
  publicClient: 'any'
}

/** Throws GraphError 400 for the first redirect URI that Entra would not store. */
export function checkRedirectUris (application: Application): void {
  const seen = new Set<string>()
  for (const platform of platforms) {
    for (const uri of application[platform]?.redirectUris ?? []) {
      const fault = faultOf(uri, platform) ?? (seen.has(uri) ? 'A redirect URI may be listed once, on one platform.' : null)
      if (fault !== null) throw invalidValue(`${platform}.redirectUris`, 'Application', fault)
      seen.add(uri)
    }
  }
  const most = application.signInAudience?.includes('Personal') ? mostUrisWithPersonalAccounts : mostUris
  if (seen.size > most) throw invalidValue('redirectUris', 'Application', `An application may have ${most} redirect URIs.`)
}

function faultOf (uri: string, platform: Platform): string | null {
  if (uri.length > longestUri) return `A redirect URI may have ${longestUri} characters.`
  if (/[\s\p{Cc}!$'(),;\\]/u.test(uri)) return 'The redirect URI has a character that is not supported.'
  if (!URL.canParse(uri)) return 'The redirect URI is not an absolute URI.'
  const { protocol, hostname } = new URL(uri)
  const schemes = allowedSchemes[platform]
  if (schemes !== 'any' && !schemes.includes(protocol)) return `The scheme '${protocol}' is not allowed on this platform.`
  if (hostname === '[::1]') return 'The IPv6 loopback address is not supported.'
  // Entra: http only for localhost; 127.0.0.1 is taken by Graph although not by the portal.
  if (protocol === 'http:' && hostname !== 'localhost' && hostname !== '127.0.0.1') return 'Must start with "HTTPS" or "http://localhost".'
  return null
}

/** The parts of a redirect URI that are compared one by one; null for a form without an authority, as in a urn. */
function partsOf (uri: string): { scheme: string, host: string, port: string, rest: string } | null {
  const [, scheme, host, port = '', path, query = ''] = /^([a-z][\w+.-]*):\/\/([^/?#:]*)(:\d+)?([^?#]*)(\?[^#]*)?/i.exec(uri) ?? []
  if (scheme === undefined || host === undefined) return null
  // Entra: scheme and host in any case, the path exactly; a URI without a path equals the one with a slash.
  return { scheme: scheme.toLowerCase(), host: host.toLowerCase(), port, rest: `${path === '' ? '/' : path ?? ''}${query}` }
}

function isSame (registered: string, requested: string, ignoresPort: boolean): boolean {
  const [one, other] = [partsOf(registered), partsOf(requested)]
  if (one === null || other === null) return registered === requested
  const isLoopback = one.scheme === 'http' && (one.host === 'localhost' || one.host === '127.0.0.1')
  return one.scheme === other.scheme && one.host === other.host && one.rest === other.rest &&
    (one.port === other.port || (ignoresPort && isLoopback))
}

/**
 * The platform whose list holds this redirect URI; null when none does. Entra: the port of a loopback URI does not matter.
 * An exact match is preferred; among several that differ only in port Entra picks one arbitrarily, here it is the first.
 */
export function platformOf (application: Application, redirectUri: string): Platform | null {
  for (const ignoresPort of [false, true]) {
    const platform = platforms.find(platform =>
      (application[platform]?.redirectUris ?? []).some(registered => isSame(registered, redirectUri, ignoresPort)))
    if (platform !== undefined) return platform
  }
  return null
}
