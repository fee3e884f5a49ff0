// Keys and tokens of our making, by the kind of caller that shows them.
import type { MintedKind } from './administration/callers-port.ts'
import { digestOfToken, mintToken } from './vault/tokens.ts'

/** The prefix says what the token is, to people and to programs that look for leaked secrets. */
const FORMS: Record<MintedKind, { prefix: string, encoding: 'base64url' | 'hex' }> = {
  // Konnect's form for dcr_config.api_key takes letters, digits and underscores only, 12 to 256 of them.
  konnect: { prefix: 'dcr_knk_', encoding: 'hex' },
  service: { prefix: 'dcr_svc_', encoding: 'base64url' },
  operator: { prefix: 'dcr_opr_', encoding: 'base64url' },
  gateway: { prefix: 'dcr_gwy_', encoding: 'base64url' },
  // RFC 7591 §3
  initial_access_token: { prefix: 'dcr_iat_', encoding: 'base64url' }
}

const LONGEST_TOKEN = 256

export function mintCallerToken (kind: MintedKind): { token: string, digest: Uint8Array } {
  const { prefix, encoding } = FORMS[kind]
  return mintToken(prefix, encoding)
}

/** The digest under which a presented token of this kind would be stored; null for what can't be one. */
export function digestOfCallerToken (kind: MintedKind, presented: string): Uint8Array | null {
  return presented.length <= LONGEST_TOKEN && presented.startsWith(FORMS[kind].prefix) ? digestOfToken(presented) : null
}
