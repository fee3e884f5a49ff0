// Initial access tokens of our making (RFC 7591 §3): what they look like, and what is kept of one.
import { createHash, randomBytes } from 'node:crypto'

/** Says what the token is, to people and to programs that look for leaked secrets. */
const PREFIX = 'dcr_iat_'

/** A token of 256 random bits and its digest; the token itself is shown once and never stored. */
export function mintInitialAccessToken (): { token: string, digest: Uint8Array } {
  const token = `${PREFIX}${randomBytes(32).toString('base64url')}`
  return { token, digest: digestOf(token) }
}

/** The digest under which a presented token would be stored; null for what can't be one. */
export function digestOfInitialAccessToken (presented: string): Uint8Array | null {
  return presented.length <= 256 && presented.startsWith(PREFIX) ? digestOf(presented) : null
}

// Nobody guesses 256 random bits: a plain hash is enough, and needs no key.
function digestOf (token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}
