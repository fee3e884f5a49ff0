// Who registers and who manages: bearer tokens of the Authorization header and of nowhere else (RFC 6750 §2.1), before the body is read.
import type { FastifyRequest } from 'fastify'
import type { Scope } from '../../administration/callers-port.ts'
import { BEARER } from '../bearer.ts'
import { RegistrationError } from '../../registration/errors.ts'
import type { Holder } from '../../registration/managed-client.ts'
import type { Registrar } from '../../registration/registrar.ts'
import type { Caller } from '../../registration/registration.ts'

/**
 * Who may register at this provider, bound to it; null: nobody we know. The bearer token null: none was shown, which is enough where
 * registration is open. Throws what a use case may throw when the database or the tenant's keys are away.
 */
export type RecogniseRegistrant = (providerId: string, bearer: string | null) => Promise<Caller | null>

/** A token is missing, not valid, or allows too little. Answered with a challenge (RFC 6750 §3). */
export class ChallengeError extends Error {
  readonly statusCode: 401 | 403
  /** Null: no token was shown, and then the challenge names no error. */
  readonly error: 'invalid_token' | 'insufficient_scope' | null

  /** What the token would have to allow. */
  readonly scope: Scope | null

  constructor (statusCode: 401 | 403, error: 'invalid_token' | 'insufficient_scope' | null, message: string, scope: Scope | null = null) {
    super(message)
    this.name = 'ChallengeError'
    this.statusCode = statusCode
    this.error = error
    this.scope = scope
  }
}

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** What was shown is no token of anybody's. Where nothing was shown the challenge tells how to ask. */
export function isFailedAuthentication (error: unknown, { headers: { authorization } }: FastifyRequest): boolean {
  if (authorization === undefined) return false
  return error instanceof ChallengeError ? error.statusCode === 401 : error instanceof RegistrationError && error.code === 'invalid_token'
}

/** @throws ChallengeError, and what `recognise` throws */
export async function authenticateRegistrant (
  recognise: RecogniseRegistrant, providerId: string, scope: Scope | undefined, request: FastifyRequest
): Promise<Caller> {
  const bearer = bearerOf(request)
  const caller = await recognise(providerId, bearer)
  if (caller === null) {
    throw bearer === null
      ? new ChallengeError(401, null, 'An initial access token is required: Authorization: Bearer <token>.')
      : new ChallengeError(401, 'invalid_token', 'The initial access token is not valid: unknown, expired, revoked or of another provider.')
  }
  if (scope === undefined || !caller.scopes.includes(scope)) {
    throw new ChallengeError(403, 'insufficient_scope', `The token does not allow this: it lacks the scope ${scope}.`, scope ?? null)
  }
  return caller
}

/** @throws ChallengeError; RegistrationError invalid_token for an unknown client and a wrong token alike (RFC 7592 §2.1) */
export async function authenticateHolder (registrar: Pick<Registrar, 'holderOf'>, providerId: string, clientId: string, request: FastifyRequest): Promise<Holder> {
  const token = bearerOf(request)
  if (token === null) throw new ChallengeError(401, null, 'The registration access token is required: Authorization: Bearer <token>.')
  // Every client id we gave out is a GUID.
  if (!GUID.test(clientId)) throw new ChallengeError(401, 'invalid_token', 'The registration access token is not valid.')
  return await registrar.holderOf(providerId, clientId.toLowerCase(), token)
}

/** Null: nothing was shown. @throws ChallengeError when something was that can't be a bearer token */
function bearerOf ({ headers: { authorization } }: FastifyRequest): string | null {
  if (authorization === undefined) return null
  const token = BEARER.exec(authorization)?.[1]
  if (token !== undefined) return token
  // RFC 6750 §3.1: another scheme is no authentication at all; a token that can't be one is not valid.
  throw new ChallengeError(401, /^Bearer(\s|$)/i.test(authorization) ? 'invalid_token' : null, 'A bearer token is expected: Authorization: Bearer <token>.')
}
