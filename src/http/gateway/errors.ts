// Failures of the gateway listener: {error, error_description} (RFC 6749 §5.2), with a challenge on 401 (RFC 6750 §3, RFC 7617 §2).
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { RegistrationError } from '../../registration/errors.ts'
import { toRegistrationError } from '../../registration/failures.ts'
import { RequestRefusal, toRefusal, type Dialect } from '../refusals.ts'
import { asciiOf, REFUSALS, ROWS, type OAuthErrorBody } from '../register/errors.ts'

const CONTENT_TYPE = 'application/json; charset=utf-8'
const RETRY_AFTER_SECONDS = 1

export const REALM = 'realm="dcr-broker"'

export const gatewayDialect: Dialect = {
  contentType: CONTENT_TYPE,
  unreadablePath: new RequestRefusal(404),
  bodyOf: ({ statusCode, message }) => bodyOf(REFUSALS[statusCode], message)
}

/** A gateway's key is missing, not valid or not enough; or what it asks can't be read. */
export class GatewayRefusal extends Error {
  readonly statusCode: 400 | 401 | 403 | 500
  readonly error: string
  /** Of WWW-Authenticate; null: none. */
  readonly challenge: string | null

  constructor (statusCode: 400 | 401 | 403 | 500, error: string, message: string, challenge: string | null = null) {
    super(message)
    this.name = 'GatewayRefusal'
    this.statusCode = statusCode
    this.error = error
    this.challenge = challenge
  }
}

export function sendGatewayFailure (thrown: FastifyError | GatewayRefusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (thrown instanceof GatewayRefusal) {
    const { statusCode, error, message, challenge } = thrown
    if (challenge !== null) reply.header('www-authenticate', challenge)
    return send(reply, statusCode, error, message)
  }
  // Neither a database that is away nor keys of Entra that can't be had are the client's fault.
  const error = toRegistrationError(thrown) as FastifyError | RegistrationError
  if (error instanceof RegistrationError) return sendUnavailable(error, request, reply)
  if (error.validation !== undefined) return send(reply, 400, 'invalid_request', 'The request has a parameter that can\'t be read.')
  const refusal = toRefusal(error)
  if (refusal !== null) return sendRefusal(refusal, reply)
  request.log.error({ err: error }, 'Unexpected error')
  return send(reply, 500, 'server_error', 'The broker has met an error of its own.')
}

export function sendNoSuchRoute (request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const methods = request.server.methodsOf(request.url)
  if (methods.length === 0) return sendRefusal(new RequestRefusal(404), reply)
  reply.header('allow', methods.join(', '))
  return send(reply, 405, 'invalid_request', `${request.method} is not a method of this address; ${methods.join(', ')} are.`)
}

function sendUnavailable (error: RegistrationError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, error: code } = ROWS[error.code]
  request.log.error({ err: error, code: error.code }, 'A gateway could not be answered')
  const retryAfterSeconds = error.retryAfterSeconds ?? (status === 503 ? RETRY_AFTER_SECONDS : undefined)
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  return send(reply, status, code, 'What the broker has to ask does not answer. Repeat the request.')
}

function sendRefusal ({ statusCode, message, retryAfterSeconds }: RequestRefusal, reply: FastifyReply): FastifyReply {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  return send(reply, statusCode, REFUSALS[statusCode], message)
}

export function send (reply: FastifyReply, status: number, error: string, description: string): FastifyReply {
  return reply.code(status).type(CONTENT_TYPE).send(JSON.stringify(bodyOf(error, description)))
}

function bodyOf (error: string, description: string): OAuthErrorBody {
  return { error, error_description: asciiOf(description) }
}
