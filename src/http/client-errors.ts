// Answers to what Node's parser refuses: no HTTP, headers beyond measure, a request that does not arrive in time. There is no request
// of the framework then, so the bytes are written here.
import { randomUUID } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'
import { RequestRefusal, type Dialect, type RefusalStatus } from './refusals.ts'

const STATUSES: Readonly<Record<string, RefusalStatus>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413
}

/** The last request of a connection and its answer, which a refusal must not be mistaken for. */
const exchanges = new WeakMap<Socket, { request: IncomingMessage, response: ServerResponse }>()

export function watchExchanges (server: Server): void {
  server.on('request', (request: IncomingMessage, response: ServerResponse) => { exchanges.set(request.socket, { request, response }) })
}

/** The listener of Node's `clientError`. The error itself is not logged: it has the packet, keys and all. */
export function clientErrorHandler (
  dialect: Dialect, logger: FastifyBaseLogger, headers: Readonly<Record<string, string>>
): (error: Error & { code?: string }, socket: Socket) => void {
  function refuse (code: string | undefined, socket: Socket): void {
    if (!socket.writable) return
    const refusal = new RequestRefusal(STATUSES[code ?? ''] ?? 400)
    const requestId = randomUUID()
    logger.info({ requestId, status: refusal.statusCode, code }, 'Request refused')
    socket.end(answerOf(dialect, refusal, requestId, headers), () => socket.destroy())
  }

  return (error, socket) => {
    const last = exchanges.get(socket)
    const inBody = last?.request.complete === false
    // A request gets one answer.
    if (error.code === 'ECONNRESET' || !socket.writable || (inBody && last.response.headersSent)) socket.destroy()
    // The fault is in what follows a request: that one's answer goes first.
    else if (last !== undefined && !inBody && !last.response.writableFinished) last.response.once('finish', () => refuse(error.code, socket))
    else refuse(error.code, socket)
  }
}

function answerOf ({ contentType, bodyOf }: Dialect, refusal: RequestRefusal, requestId: string, headers: Readonly<Record<string, string>>): string {
  const body = JSON.stringify(bodyOf(refusal, requestId))
  return [
    `HTTP/1.1 ${refusal.statusCode} ${STATUS_CODES[refusal.statusCode]}`,
    `content-type: ${contentType}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    `x-request-id: ${requestId}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `date: ${new Date().toUTCString()}`,
    'connection: close',
    '',
    body
  ].join('\r\n')
}
