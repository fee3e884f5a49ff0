// The form of every failure of the standard's surface, as it stands on the wire.
import type { Test } from 'tap'
import type { Answer } from '../support/broker.ts'

/** A failure with this status and code; a challenge on 401 and on insufficient_scope, and on nothing else. */
export function isOAuthFailure (t: Test, { status, headers, body }: Answer, wanted: number, error: string, why = ''): void {
  t.strictSame([status, body?.error], [wanted, error], `${why} ${JSON.stringify(body)}`)
  t.strictSame(Object.keys(body ?? {}), ['error', 'error_description'], why)
  t.match(body?.error_description, /^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/, why)
  t.equal(headers.get('cache-control'), 'no-store', why)
  t.equal(headers.has('www-authenticate'), wanted === 401 || error === 'insufficient_scope', `${why}: challenge`)
}
