// Limits and habits every listener shares.
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:http'
import { LogController, type FastifyBaseLogger, type FastifyHttpOptions } from 'fastify'

/** 256 redirect URIs of 256 characters and some metadata fit; nothing a caller needs is larger. */
const BODY_LIMIT_BYTES = 256 * 1024

/** Times in milliseconds. A request that does not arrive in time is closed: a slow sender holds no connection. */
export function serverOptions (logger: FastifyBaseLogger): FastifyHttpOptions<Server> {
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
    maxRequestsPerSocket: 10_000,
    http: { headersTimeout: 10_000 },
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 512, caseSensitive: true },
    ajv: {
      customOptions: { removeAdditional: false, coerceTypes: false, useDefaults: true, allErrors: false, keywords: ['x-secret', 'x-examples'] }
    }
  }
}
