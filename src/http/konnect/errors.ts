// Every failure in Konnect's form: {error, error_description}, two strings, the request id in the sentence.
// Konnect may show the description to the developer: no upstream text, no ids but his own.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { toRegistrationError } from '../../registration/failures.ts'
import { RegistrationError, type RegistrationErrorCode } from '../../registration/errors.ts'
import { RequestRefusal, toRefusal, type Dialect, type RefusalStatus } from '../refusals.ts'
import { sentenceOfSchemaFault } from '../schema-faults.ts'
import type { ErrorBody } from './schemas.ts'

interface Row { status: number, error: string }

/** Total: the compiler asks for a row when the core learns a new code. Our own faults are 5xx, never the caller's 400. */
export const ROWS: Record<RegistrationErrorCode, Row> = {
  invalid_client_metadata: { status: 400, error: 'invalid_client_metadata' },
  invalid_redirect_uri: { status: 400, error: 'invalid_redirect_uri' },
  invalid_request: { status: 400, error: 'invalid_request' },
  unknown_client: { status: 404, error: 'not_found' },
  unknown_secret: { status: 404, error: 'not_found' },
  // Of RFC 7592: no key of Konnect leads there.
  invalid_token: { status: 401, error: 'unauthorized' },
  not_permitted: { status: 403, error: 'access_denied' },
  registration_quota: { status: 403, error: 'access_denied' },
  secret_limit: { status: 400, error: 'secret_limit_reached' },
  // Of operators: no key of Konnect leads there.
  wrong_state: { status: 409, error: 'conflict' },
  drifted: { status: 409, error: 'application_gone' },
  busy: { status: 503, error: 'temporarily_unavailable' },
  temporarily_unavailable: { status: 503, error: 'temporarily_unavailable' },
  throttled_upstream: { status: 503, error: 'temporarily_unavailable' },
  upstream_credential: { status: 502, error: 'upstream_error' },
  upstream_permission: { status: 502, error: 'upstream_error' },
  upstream_policy: { status: 502, error: 'upstream_error' },
  upstream_quota: { status: 502, error: 'upstream_error' },
  upstream_rejected: { status: 502, error: 'upstream_error' },
  credential_unreadable: { status: 500, error: 'server_error' },
  // Of idempotency keys: the bridge knows none.
  key_in_flight: { status: 409, error: 'conflict' },
  key_reused: { status: 422, error: 'invalid_request' },
  answer_void: { status: 409, error: 'conflict' }
}

export const REFUSALS: Record<RefusalStatus, string> = {
  400: 'invalid_request',
  404: 'not_found',
  408: 'request_timeout',
  413: 'request_too_large',
  415: 'unsupported_media_type',
  429: 'temporarily_unavailable',
  431: 'request_too_large',
  503: 'temporarily_unavailable'
}

const CONTENT_TYPE = 'application/json; charset=utf-8'

/** Konnect's form for what never becomes a request of the bridge. */
export const konnectDialect: Dialect = {
  contentType: CONTENT_TYPE,
  // Nobody has shown a key yet: the path is one that nobody knows.
  unreadablePath: new RequestRefusal(404),
  bodyOf: (refusal, requestId) => bodyOf(REFUSALS[refusal.statusCode], refusal.message, requestId)
}

export function sendKonnectError (thrown: FastifyError | RegistrationError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Authentication runs before any use case: its failures come as they are.
  const error = toRegistrationError(thrown) as FastifyError | RegistrationError
  if (error instanceof RegistrationError) return sendRegistrationError(error, request, reply)
  const fault = error.validation?.[0]
  if (fault !== undefined) return send(request, reply, 400, 'invalid_client_metadata', sentenceOfSchemaFault(fault))
  const refusal = toRefusal(error)
  if (refusal !== null) return sendRefusal(refusal, request, reply)
  request.log.error({ err: error }, 'Unexpected error')
  return send(request, reply, 500, 'server_error', 'The broker has met an error of its own.')
}

export function sendNoSuchRoute (request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return sendRefusal(new RequestRefusal(404), request, reply)
}

export function sendUnauthorized (request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(request, reply, 401, 'unauthorized', 'X-API-KEY is missing or not valid.')
}

/** Konnect's contract knows no 403, and takes it for what it is: a failure with a sentence. */
export function sendInsufficientScope (scope: string | undefined, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return send(request, reply, 403, 'access_denied', `The key lacks the scope ${scope}.`)
}

function sendRefusal (refusal: RequestRefusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { statusCode, message, retryAfterSeconds } = refusal
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  return send(request, reply, statusCode, REFUSALS[statusCode], message)
}

function sendRegistrationError (error: RegistrationError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, error: code } = ROWS[error.code]
  request.log[status >= 500 ? 'error' : 'warn']({ err: error, code: error.code }, 'Request failed')
  if (error.retryAfterSeconds !== undefined) reply.header('retry-after', error.retryAfterSeconds)
  return send(request, reply, status, code, error.publicMessage)
}

function send (request: FastifyRequest, reply: FastifyReply, status: number, error: string, description: string): FastifyReply {
  return reply.code(status).type(CONTENT_TYPE).send(JSON.stringify(bodyOf(error, description, request.id)))
}

function bodyOf (error: string, description: string, requestId: string): ErrorBody {
  return { error, error_description: `${description} (request ${requestId})` }
}
