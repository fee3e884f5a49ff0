// Which version of a policy an operator has seen: If-Match (RFC 9110 §13.1.1) or the member `version`.
import type { FastifyRequest } from 'fastify'
import { StaleVersionError } from '../../../administration/errors.ts'
import { invalidParametersError, ProblemError } from '../problems.ts'

const STRONG_TAG = /^"(\d{1,9})"$/

export function tagOf (version: number): string {
  return `"${version}"`
}

/**
 * Runs `change` with the version that was seen; null: the operator does not say.
 * @throws ProblemError 412 when the header names another version than there is, 400 when it is no tag of ours
 */
export async function whenSeen<T> (request: FastifyRequest, member: number | undefined, change: (seen: number | null) => Promise<T>): Promise<T> {
  const { 'if-match': header } = request.headers
  // RFC 9110 §13.1.1: any that is there.
  if (header === undefined || header === '*') return await change(member ?? null)
  const seen = Number(STRONG_TAG.exec(header.trim())?.[1])
  if (!(seen > 0)) throw invalidParametersError([{ field: 'if-match', rule: 'invalid', reason: 'If-Match takes one version in quotes, as in ETag.', source: 'header' }])
  if (member !== undefined && member !== seen) {
    throw invalidParametersError([{ field: 'version', rule: 'invalid', reason: 'version and If-Match contradict each other.', source: 'body' }])
  }
  try {
    return await change(seen)
  } catch (error) {
    throw error instanceof StaleVersionError ? new ProblemError(412, error.message) : error
  }
}
