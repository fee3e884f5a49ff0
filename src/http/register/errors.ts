// Every failure in the form of RFC 7591 §3.2.2: {error, error_description}, ASCII, with a challenge (RFC 6750 §3) on 401.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { RegistrationError, type RegistrationErrorCode } from '../../registration/errors.ts'
import { toRegistrationError } from '../../registration/failures.ts'
import { RequestRefusal, toRefusal, type RefusalStatus } from '../refusals.ts'
import { sentenceOfSchemaFault } from '../schema-faults.ts'
import { ChallengeError } from './authentication.ts'

interface Row { status: number, error: string }

const SERVER_ERROR = 'server_error'
const TEMPORARILY_UNAVAILABLE = 'temporarily_unavailable'
const RETRY_AFTER_SECONDS = 5

/** Total: the compiler asks for a row when the core learns a new code. Our own faults are 5xx, never the caller's 400. */
export const ROWS: Record<RegistrationErrorCode, Row> = {
  invalid_client_metadata: { status: 400, error: 'invalid_client_metadata' },
  invalid_redirect_uri: { status: 400, error: 'invalid_redirect_uri' },
  invalid_request: { status: 400, error: 'invalid_request' },
  // RFC 7592 §2.1: a client that does not exist (any more) is 401, never 404.
  unknown_client: { status: 401, error: 'invalid_token' },
  invalid_token: { status: 401, error: 'invalid_token' },
  // Of operators: no token leads there.
  wrong_state: { status: 403, error: 'access_denied' },
  drifted: { status: 401, error: 'invalid_token' },
  // RFC 7592 §2: what the server does not permit is 403. No other token would help, so there is no challenge.
  not_permitted: { status: 403, error: 'access_denied' },
  registration_quota: { status: 403, error: 'access_denied' },
  secret_limit: { status: 403, error: 'access_denied' },
  unknown_secret: { status: 404, error: 'not_found' },
  busy: { status: 503, error: TEMPORARILY_UNAVAILABLE },
  temporarily_unavailable: { status: 503, error: TEMPORARILY_UNAVAILABLE },
  throttled_upstream: { status: 503, error: TEMPORARILY_UNAVAILABLE },
  upstream_credential: { status: 502, error: SERVER_ERROR },
  upstream_permission: { status: 502, error: SERVER_ERROR },
  upstream_policy: { status: 502, error: SERVER_ERROR },
  upstream_quota: { status: 502, error: SERVER_ERROR },
  upstream_rejected: { status: 502, error: SERVER_ERROR },
  credential_unreadable: { status: 500, error: SERVER_ERROR },
  key_in_flight: { status: 409, error: TEMPORARILY_UNAVAILABLE },
  key_reused: { status: 422, error: 'invalid_request' },
  answer_void: { status: 409, error: 'invalid_request' }
}

export const REFUSALS: Record<RefusalStatus, string> = {
  400: 'invalid_request',
  404: 'not_found',
  408: 'invalid_request',
  413: 'invalid_request',
  415: 'invalid_request',
  429: TEMPORARILY_UNAVAILABLE,
  431: 'invalid_request',
  503: TEMPORARILY_UNAVAILABLE
}

const REALM = 'Bearer realm="dcr-broker"'

/** What the body of a failure holds. */
export interface OAuthErrorBody {
  error: string
  error_description: string
}

type Thrown = FastifyError | RegistrationError | ChallengeError

export function sendRegistrationFailure (thrown: Thrown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (thrown instanceof ChallengeError) return sendChallenge(thrown, request, reply)
  // A token that can't be looked up fails outside the use cases.
  const error = toRegistrationError(thrown) as FastifyError | RegistrationError
  if (error instanceof RegistrationError) return sendRegistrationError(error, request, reply)
  const fault = error.validation?.[0]
  if (fault !== undefined) return send(reply, 400, codeOfSchemaFault(fault.instancePath, error.validationContext), sentenceOfSchemaFault(fault))
  const refusal = toRefusal(error)
  if (refusal !== null) return sendRefusal(refusal, reply)
  request.log.error({ err: error }, 'Unexpected error')
  return send(reply, 500, SERVER_ERROR, 'The broker has met an error of its own.')
}

/** An unknown path, or a known one with a method it does not have (RFC 9110 §15.5.6). */
export function sendNoSuchRoute (request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const methods = request.server.methodsOf(request.url)
  // Preflights are answered beyond the paths that exist.
  if (methods.every(method => method === 'OPTIONS')) return sendRefusal(new RequestRefusal(404), reply)
  reply.header('allow', methods.join(', '))
  return send(reply, 405, 'invalid_request', `${request.method} is not a method of this address; ${methods.join(', ')} are.`)
}

function sendRegistrationError (error: RegistrationError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, error: code } = ROWS[error.code]
  request.log[status >= 500 ? 'error' : 'warn']({ err: error, code: error.code }, 'Request failed')
  const retryAfterSeconds = error.retryAfterSeconds ?? (status === 503 ? RETRY_AFTER_SECONDS : undefined)
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  if (status === 401) reply.header('www-authenticate', `${REALM}, error="${code}"`)
  return send(reply, status, code, error.publicMessage)
}

function sendChallenge ({ statusCode, error, message, scope: needed }: ChallengeError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  request.log.info({ status: statusCode, error }, 'Request refused')
  const scope = needed === null ? '' : `, scope="${needed}"`
  reply.header('www-authenticate', error === null ? REALM : `${REALM}, error="${error}"${scope}`)
  return send(reply, statusCode, error ?? 'invalid_token', message)
}

function sendRefusal ({ statusCode, message, retryAfterSeconds }: RequestRefusal, reply: FastifyReply): FastifyReply {
  if (retryAfterSeconds !== undefined) reply.header('retry-after', retryAfterSeconds)
  return send(reply, statusCode, REFUSALS[statusCode], message)
}

function send (reply: FastifyReply, status: number, error: string, description: string): FastifyReply {
  const body: OAuthErrorBody = { error, error_description: asciiOf(description) }
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body))
}

function codeOfSchemaFault (instancePath: string, context: string | undefined): string {
  if (context !== 'body') return 'invalid_request'
  return /^\/redirect_uris(\/|$)/.test(instancePath) ? 'invalid_redirect_uri' : 'invalid_client_metadata'
}

/** RFC 6749 §5.2: printable ASCII without quotation marks and backslashes. */
export function asciiOf (text: string): string {
  return text.replaceAll('"', '\'').replaceAll(/[^\x20-\x5b\x5d-\x7e]/g, '?')
}
