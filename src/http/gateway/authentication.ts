// Which gateway asks. Its key comes before anything else of the request is looked at.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../../registration/registration.ts'
import { BEARER } from '../bearer.ts'
import type { RecogniseCaller } from '../callers.ts'
import '../guards.ts'
import { readBasic } from './credential.ts'
import { GatewayRefusal, REALM } from './errors.ts'

/**
 * The key of a gateway in `Authorization`: as a bearer token, or as the password of whatever user (RFC 7662 §2.1 leaves both open, and libraries
 * know one or the other). Null: none was shown.
 */
export function keyInAuthorization ({ headers: { authorization } }: FastifyRequest): string | null {
  if (authorization === undefined) return null
  const password = readBasic(authorization)?.secret
  if (password === undefined) return BEARER.exec(authorization)?.[1] ?? ''
  return password.includes('%') ? decoded(password) : password
}

/** RFC 6749 §2.3.1: form-encoded within Basic. */
function decoded (text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** @throws GatewayRefusal; RequestRefusal 429 beyond the allowance of its source; StoreUnavailableError */
export async function authenticateGateway (server: FastifyInstance, recognise: RecogniseCaller, key: string | null, request: FastifyRequest): Promise<Caller> {
  const caller = key === null || key === '' ? null : await recognise('gateway', key)
  if (caller === null) {
    if (key !== null) server.authenticationFailed(request, 'gateway')
    throw new GatewayRefusal(401, 'invalid_client', 'A valid key of a gateway is required.',
      key === null ? `Bearer ${REALM}, Basic ${REALM}` : `Bearer ${REALM}, error="invalid_token"`)
  }
  if (!caller.scopes.includes('introspect')) {
    throw new GatewayRefusal(403, 'insufficient_scope', 'The key lacks the scope introspect.', `Bearer ${REALM}, error="insufficient_scope", scope="introspect"`)
  }
  return caller
}
