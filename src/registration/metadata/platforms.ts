// On which Entra platform a redirect URI belongs. Entra judges the redemption of a code by the platform of the matched URI.
import type { ClientMetadata, EntraPlatform, PlatformRedirectUris } from '../registration.ts'
import { isLoopback, portlessKey } from './redirect-uris.ts'
import { listed, quoted, refusal } from './refusals.ts'

const PLATFORMS: readonly EntraPlatform[] = ['web', 'publicClient', 'spa']

/**
 * The platform that the caller named, if the client can redeem a code there. Null: nothing was named.
 * @throws RegistrationError invalid_client_metadata
 */
export function acceptPlatform (requested: string | null, tokenEndpointAuthMethod: string, redirectUris: readonly string[]): EntraPlatform | null {
  if (requested === null) return null
  const platform = PLATFORMS.find(known => known === requested)
  if (platform === undefined) throw refusal(`entra_platform ${quoted(requested)} is not known; accepted are ${listed(PLATFORMS)}.`)
  const isPublic = tokenEndpointAuthMethod === 'none'
  // Entra: AADSTS7000218 without a secret on web; AADSTS700025 with one on publicClient.
  if (isPublic && platform === 'web') throw refusal('entra_platform web needs a client that authenticates; with token_endpoint_auth_method none use publicClient or spa.')
  if (!isPublic && platform !== 'web') throw refusal(`entra_platform ${platform} is for clients with token_endpoint_auth_method none; with another one use web.`)
  const stranger = platform === 'publicClient' ? -1 : redirectUris.findIndex(uri => !isForBrowsers(uri))
  if (stranger !== -1) throw refusal(`entra_platform ${platform} takes https URIs, and http on loopback; redirect_uris[${stranger}] is neither.`)
  return platform
}

/**
 * Each URI on one platform, as Entra wants it; of loopback URIs that differ only in their port the first one.
 * Unless a platform was named, a client that authenticates is a web application, and schemes that are not http belong to installed ones.
 */
export function platformsOf (
  uris: readonly string[], tokenEndpointAuthMethod: string, platform: ClientMetadata['platform'] = null
): PlatformRedirectUris {
  const platforms: PlatformRedirectUris = { web: [], publicClient: [], spa: [] }
  const placed = new Set<string>()
  for (const uri of uris) {
    const key = portlessKey(uri)
    if (placed.has(key)) continue
    placed.add(key)
    const isPublic = tokenEndpointAuthMethod === 'none' || !/^https?:/i.test(uri)
    platforms[platform ?? (isPublic ? 'publicClient' : 'web')].push(uri)
  }
  return platforms
}

function isForBrowsers (uri: string): boolean {
  const url = new URL(uri)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url))
}
