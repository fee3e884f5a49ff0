// Every failure of the operations listener as a problem document (RFC 9457) in Konnect's form.
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { AdministrationError, InvalidValuesError, type AdministrationErrorCode } from '../../administration/errors.ts'
import { RegistrationError, type RegistrationErrorCode } from '../../registration/errors.ts'
import { toRegistrationError } from '../../registration/failures.ts'
import { RequestRefusal, toRefusal, type Dialect } from '../refusals.ts'
import { fromSchemaFault, type InvalidParameter } from './invalid-parameters.ts'

/** Total: the compiler asks for a status when the core learns a new code. Our own faults are 5xx. */
export const STATUSES: Record<RegistrationErrorCode, number> = {
  invalid_client_metadata: 400,
  invalid_redirect_uri: 400,
  invalid_request: 400,
  unknown_client: 404,
  unknown_secret: 404,
  invalid_token: 401,
  not_permitted: 403,
  registration_quota: 403,
  secret_limit: 400,
  wrong_state: 409,
  drifted: 409,
  busy: 503,
  temporarily_unavailable: 503,
  throttled_upstream: 503,
  upstream_credential: 502,
  upstream_permission: 502,
  upstream_policy: 502,
  upstream_quota: 502,
  upstream_rejected: 502,
  credential_unreadable: 500,
  key_in_flight: 409,
  key_reused: 422,
  answer_void: 409
}

export const ADMINISTRATION_STATUSES: Record<AdministrationErrorCode, number> = { unknown: 404, invalid: 400, conflict: 409, forbidden: 403, busy: 409 }

/** A refusal of this surface itself. Its texts are for the caller. */
export class ProblemError extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly invalidParameters: readonly InvalidParameter[]

  constructor (status: number, detail: string, options: { headers?: Record<string, string>, invalidParameters?: readonly InvalidParameter[] } = {}) {
    super(detail)
    this.name = 'ProblemError'
    this.status = status
    this.headers = options.headers ?? {}
    this.invalidParameters = options.invalidParameters ?? []
  }
}

export function invalidParametersError (invalidParameters: readonly InvalidParameter[]): ProblemError {
  return new ProblemError(400, 'Invalid parameters', { invalidParameters })
}

const CONTENT_TYPE = 'application/problem+json; charset=utf-8'

/** The listener's form for what never becomes a request of a route. */
export const problemDialect: Dialect = {
  contentType: CONTENT_TYPE,
  unreadablePath: new RequestRefusal(400, 'The path can\'t be decoded.'),
  bodyOf: ({ statusCode, message }, requestId) => bodyOf(new ProblemError(statusCode, message), requestId)
}

/** Whatever a handler or the framework throws. */
type Failure = Error & Partial<Pick<FastifyError, 'statusCode' | 'validation' | 'validationContext'>>

/** The error handler of the listener. */
export function sendProblem (error: Failure, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error)
  if (problem.status >= 500) request.log.error({ err: error }, 'Request failed')
  // A 404 may repeat what stood in the path in the place of a name.
  else if (!request.isUnlogged) request.log.info({ status: problem.status, ...(problem.status === 404 ? {} : { detail: problem.message }) }, 'Request refused')
  return reply.code(problem.status).headers(problem.headers).type(CONTENT_TYPE).send(bodyOf(problem, request.id))
}

function bodyOf ({ status, message, invalidParameters }: ProblemError, requestId: string): object {
  return {
    status,
    title: titleOf(status),
    instance: `dcr-broker:trace:${requestId}`,
    detail: message,
    ...(invalidParameters.length > 0 ? { invalid_parameters: invalidParameters } : {})
  }
}

/** Unknown route, or a known one with a wrong method. */
export function sendUnknownRoute (request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const methods = request.server.methodsOf(request.url)
  return sendProblem(methods.length === 0
    ? new ProblemError(404, 'There is no such route.')
    : new ProblemError(405, `[${request.method}] is not a method of this route.`, { headers: { allow: methods.join(', ') } }), request, reply)
}

function toProblem (error: Failure): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof InvalidValuesError) {
    return invalidParametersError(error.faults.map(fault => ({ ...fault, rule: 'invalid', source: 'body' })))
  }
  if (error instanceof AdministrationError) return ofAdministrationError(error)
  // A caller that can't be looked up fails outside the use cases.
  const known = toRegistrationError(error)
  if (known instanceof RegistrationError) return ofRegistrationError(known)
  if (error.validation !== undefined) return invalidParametersError(error.validation.map(fault => fromSchemaFault(fault, error.validationContext)))
  const refusal = toRefusal(error)
  if (refusal !== null) return new ProblemError(refusal.statusCode, refusal.message, { headers: retryAfter(refusal.retryAfterSeconds) })
  const status = error.statusCode ?? 500
  // The docs' files know more: ranges and preconditions.
  if (status >= 400 && status < 500) return new ProblemError(status, `${titleOf(status)}.`)
  return new ProblemError(500, 'The broker has met an error of its own.')
}

function ofRegistrationError ({ code, publicMessage, retryAfterSeconds }: RegistrationError): ProblemError {
  return new ProblemError(STATUSES[code], publicMessage, { headers: retryAfter(retryAfterSeconds) })
}

function ofAdministrationError ({ code, message, field }: AdministrationError): ProblemError {
  if (code === 'invalid' && field !== null) return invalidParametersError([{ field, rule: 'invalid', reason: message, source: 'body' }])
  return new ProblemError(ADMINISTRATION_STATUSES[code], message)
}

function retryAfter (seconds: number | undefined): Record<string, string> {
  return seconds === undefined ? {} : { 'retry-after': String(seconds) }
}

/** In sentence case, as Konnect writes titles. */
function titleOf (status: number): string {
  const phrase = STATUS_CODES[status] ?? 'Error'
  return `${phrase.charAt(0)}${phrase.slice(1).toLowerCase()}`
}
