// Limits and habits every listener shares.
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { LogController, type FastifyBaseLogger, type FastifyHttpOptions, type FastifyReply, type FastifyRequest } from 'fastify'
import { clientErrorHandler } from './client-errors.ts'
import { setAnswerHeaders } from './plugins/answer-headers.ts'
import { BODY_LIMIT_BYTES, type Dialect } from './refusals.ts'

/** Longer than the line of a request can be: ids are judged by their routes, after the key. */
const MAX_PARAM_LENGTH = 16 * 1024

/** Times in milliseconds. A request that does not arrive in time is closed: a slow sender holds no connection. */
export function serverOptions (logger: FastifyBaseLogger, dialect: Dialect): FastifyHttpOptions<Server> {
  return {
    loggerInstance: logger,
    // Ours, always: what a caller sends as a request id is not to be trusted in logs or audit.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    // plugins/request-log.ts writes the one line.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: BODY_LIMIT_BYTES,
    connectionTimeout: 60_000,
    requestTimeout: 10_000,
    keepAliveTimeout: 72_000,
    // plugins/admission.ts answers these in the listener's dialect.
    http: { headersTimeout: 10_000, requireHostHeader: false },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH, caseSensitive: true },
    clientErrorHandler: clientErrorHandler(dialect, logger),
    frameworkErrors: unreadablePathHandler(dialect)
  }
}

/** The router can't read the path, and no hook runs. */
function unreadablePathHandler ({ unreadablePath, contentType, bodyOf }: Dialect) {
  return (_error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    const { statusCode } = unreadablePath
    request.log.info({ status: statusCode }, 'Request refused')
    setAnswerHeaders(request, reply)
    reply.code(statusCode).type(contentType).send(JSON.stringify(bodyOf(unreadablePath, request.id)))
  }
}
