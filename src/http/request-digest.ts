// By what a repeated request is recognised.
import { createHash } from 'node:crypto'
import { canonicalJson } from '../registration/metadata/canonical-json.ts'

/** SHA-256 of the value in JSON with sorted members: the order in which a caller writes them says nothing. */
export function digestOf (value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('base64url')
}
