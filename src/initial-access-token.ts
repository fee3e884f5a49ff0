// Initial access tokens of our making (RFC 7591 §3).
import { digestOfToken, mintToken } from './vault/tokens.ts'

/** Says what the token is, to people and to programs that look for leaked secrets. */
const PREFIX = 'dcr_iat_'

export function mintInitialAccessToken (): { token: string, digest: Uint8Array } {
  return mintToken(PREFIX)
}

/** The digest under which a presented token would be stored; null for what can't be one. */
export function digestOfInitialAccessToken (presented: string): Uint8Array | null {
  return presented.length <= 256 && presented.startsWith(PREFIX) ? digestOfToken(presented) : null
}
