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
