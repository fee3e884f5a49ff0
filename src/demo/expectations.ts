// What the story expects of an answer: throws with a sentence when it is not so.
import assert from 'node:assert/strict'
import type { TokenAnswer } from './entra-client.ts'

/** The token of an answer that must have one. */
export function granted (answer: TokenAnswer): string {
  assert.ok('token' in answer, 'error' in answer ? answer.error : 'no token')
  return answer.token
}

/** `code` is Entra's, AADSTS and digits. */
export function refused (answer: TokenAnswer, code: string): void {
  assert.ok('error' in answer, 'the token endpoint gave a token')
  assert.ok(answer.error.startsWith(code), `${code} expected, got: ${answer.error}`)
}

export function text (value: unknown): string {
  assert.equal(typeof value, 'string')
  return value as string
}
