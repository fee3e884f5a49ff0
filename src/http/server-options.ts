// Limits and habits every listener shares.
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { LogController, type FastifyBaseLogger, type FastifyHttpOptions, type FastifyReply, type FastifyRequest } from 'fastify'
import { clientErrorHandler } from './client-errors.ts'
import { endConnectionAfter } from './last-requests.ts'
import { setAnswerHeaders } from './plugins/answer-headers.ts'
import { BODY_LIMIT_BYTES, type Dialect } from './refusals.ts'
import { securityHeaders } from './security-headers.ts'
import { trustOf } from './source-address.ts'
import { TRANSPORT_LIMITS, type TransportLimits } from './transport-limits.ts'

/** Longer than the line of a request can be: ids are judged by their routes, after the key. */
const MAX_PARAM_LENGTH = 16 * 1024

/** What comes between callers and a listener. */
export interface Transport {
  /** Addresses and networks whose X-Forwarded-For is believed; nobody's when left out. */
  trustedProxies?: readonly string[]
  /** Those of the service unless given. */
  limits?: TransportLimits
}

export interface ServerOptions extends Transport {
  logger: FastifyBaseLogger
  dialect: Dialect
  /** Callers reach the listener over TLS. */
  isHttps?: boolean
}

export function serverOptions (options: ServerOptions): FastifyHttpOptions<Server> {
  const { logger, dialect, isHttps = false, trustedProxies = [], limits = TRANSPORT_LIMITS } = options
  const headers = securityHeaders(isHttps)
  return {
    loggerInstance: logger,
    // Ours, always: what a caller sends as a request id is not to be trusted in logs or audit.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    // plugins/request-log.ts writes the one line.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    trustProxy: trustedProxies.length === 0 ? false : trustOf(trustedProxies),
    bodyLimit: BODY_LIMIT_BYTES,
    connectionTimeout: limits.silenceMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.idleMs,
    http: {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      maxHeaderSize: limits.headerBytes,
      // plugins/admission.ts answers these in the listener's dialect.
      requireHostHeader: false
    },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PARAM_LENGTH, caseSensitive: true },
    clientErrorHandler: clientErrorHandler(dialect, logger, headers),
    frameworkErrors: unreadablePathHandler(dialect, headers)
  }
}

/** The router can't read the path, and no hook runs. */
function unreadablePathHandler ({ unreadablePath, contentType, bodyOf }: Dialect, headers: Record<string, string>) {
  return (_error: Error, request: FastifyRequest, reply: FastifyReply): void => {
    const { statusCode } = unreadablePath
    request.log.info({ status: statusCode }, 'Request refused')
    setAnswerHeaders(request, reply)
    // Whether it can be told where the request ends, nobody has looked.
    endConnectionAfter(request, reply)
    reply.code(statusCode).headers(headers).type(contentType).send(JSON.stringify(bodyOf(unreadablePath, request.id)))
  }
}
