// Tokens of our making: what they look like, and what is kept of one.
import { createHash, randomBytes } from 'node:crypto'

/** 256 random bits behind a prefix that says what the token is, and its digest; the token itself is shown once and never stored. */
export function mintToken (prefix: string, encoding: 'base64url' | 'hex' = 'base64url'): { token: string, digest: Uint8Array } {
  const token = `${prefix}${randomBytes(32).toString(encoding)}`
  return { token, digest: digestOfToken(token) }
}

/** SHA-256. Nobody guesses 256 random bits: a plain hash is enough, and needs no key. */
export function digestOfToken (token: string): Uint8Array {
  return createHash('sha256').update(token).digest()
}
