// Every failure of the operations listener as a problem document (RFC 9457) in Konnect's form.
import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { RegistrationError, type RegistrationErrorCode } from '../../registration/errors.ts'
import { toRegistrationError } from '../../registration/failures.ts'
import { fromSchemaFault, type InvalidParameter } from './invalid-parameters.ts'

/** Total: the compiler asks for a status when the core learns a new code. Our own faults are 5xx. */
const STATUSES: Record<RegistrationErrorCode, number> = {
  invalid_client_metadata: 400,
  invalid_redirect_uri: 400,
  invalid_request: 400,
  unknown_client: 404,
  unknown_secret: 404,
  secret_limit: 400,
  drifted: 409,
  busy: 503,
  temporarily_unavailable: 503,
  throttled_upstream: 503,
  upstream_credential: 502,
  upstream_permission: 502,
  upstream_policy: 502,
  upstream_quota: 502,
  upstream_rejected: 502,
  credential_unreadable: 500
}

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

/** Whatever a handler or the framework throws. */
type Failure = Error & Partial<Pick<FastifyError, 'statusCode' | 'validation' | 'validationContext'>>

/** The error handler of the listener. */
export function sendProblem (error: Failure, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = toProblem(error)
  if (problem.status >= 500) request.log.error({ err: error }, 'Request failed')
  else request.log.info({ status: problem.status, detail: problem.message }, 'Request refused')
  return reply.code(problem.status).headers(problem.headers).type('application/problem+json').send({
    status: problem.status,
    title: titleOf(problem.status),
    instance: `dcr-broker:trace:${request.id}`,
    detail: problem.message,
    ...(problem.invalidParameters.length > 0 ? { invalid_parameters: problem.invalidParameters } : {})
  })
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
  // A caller that can't be looked up fails outside the use cases.
  const known = toRegistrationError(error)
  if (known instanceof RegistrationError) return ofRegistrationError(known)
  if (error.validation !== undefined) return invalidParametersError(error.validation.map(fault => fromSchemaFault(fault, error.validationContext)))
  const status = error.statusCode ?? 500
  // Fastify's own refusals speak of the request alone.
  if (status >= 400 && status < 500) return new ProblemError(status, error.message)
  if (status === 503) return new ProblemError(503, 'The broker is shutting down.', { headers: { 'retry-after': '5' } })
  return new ProblemError(500, 'The broker has met an error of its own.')
}

function ofRegistrationError ({ code, publicMessage, retryAfterSeconds }: RegistrationError): ProblemError {
  const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }
  return new ProblemError(STATUSES[code], publicMessage, { headers })
}

/** In sentence case, as Konnect writes titles. */
function titleOf (status: number): string {
  const phrase = STATUS_CODES[status] ?? 'Error'
  return `${phrase.charAt(0)}${phrase.slice(1).toLowerCase()}`
}
