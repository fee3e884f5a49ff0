// Which requests are served at all. Registered after the headers of answers and before every key check.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { watchExchanges } from '../client-errors.ts'
import { endConnectionAfter, isBehindTheLast } from '../last-requests.ts'
import { BODY_LIMIT_BYTES, RequestRefusal } from '../refusals.ts'
import { ambiguityOf } from '../request-framing.ts'
import { TRANSPORT_LIMITS, type TransportLimits } from '../transport-limits.ts'

export interface AdmissionOptions {
  limits?: Pick<TransportLimits, 'requests' | 'headers' | 'pipelined' | 'connections'>
}

export const admission = fp<AdmissionOptions>(async (server: FastifyInstance, { limits = TRANSPORT_LIMITS }: AdmissionOptions) => {
  const requests = new WeakMap<Socket, number>()
  let closing = false
  server.addHook('preClose', async () => { closing = true })
  server.server.maxConnections = limits.connections

  // Node's own maxRequestsPerSocket answers the next request with an empty 503 and leaves the connection open.
  // We change to no other protocol (RFC 9110 §7.8), and behind a request that asks for one Node's parser drops what it can't read in silence.
  server.addHook('onRequest', (request, reply, done) => {
    const { socket, headers } = request.raw
    const count = (requests.get(socket) ?? 0) + 1
    requests.set(socket, count)
    if (count >= limits.requests || headers.upgrade !== undefined) endConnectionAfter(request, reply)
    done()
  })

  const unanswered = new WeakMap<Socket, number>()
  server.addHook('onRequest', ({ raw: { socket } }, { raw }, done) => {
    const count = (unanswered.get(socket) ?? 0) + 1
    unanswered.set(socket, count)
    raw.once('close', () => { unanswered.set(socket, (unanswered.get(socket) ?? 1) - 1) })
    if (count <= limits.pipelined) return done()
    // An answer would have to wait for those before it.
    socket.destroy()
    done(new RequestRefusal(503))
  })

  server.addHook('onRequest', (request, reply, done) => {
    if (isBehindTheLast(request)) return done(new RequestRefusal(400))
    if (closing) return done(new RequestRefusal(503))
    const refusal = ambiguityOf(request.raw, limits.headers)
    if (refusal === null) return done()
    // Nobody knows where it ends: what follows is not taken for another request.
    endConnectionAfter(request, reply)
    done(refusal)
  })

  watchExchanges(server.server)
  readNoBodyOfTheRefused(server)
  // RFC 9110 §10.1.1: an expectation we don't know may be ignored; Node would answer it by itself.
  server.server.on('checkExpectation', (request, response) => { server.server.emit('request', request, response) })
}, { name: 'admission' })

/** Who is refused before his body was read does not have to send it. */
function readNoBodyOfTheRefused (server: FastifyInstance): void {
  const expectant = new WeakSet<ServerResponse>()
  // `Expect: 100-continue`: Node would ask for the body at once. It is asked for when somebody is going to read it.
  server.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    expectant.add(response)
    server.server.emit('request', request, response)
  })
  server.addHook('preParsing', (_request, { raw }, _payload, done) => {
    if (expectant.delete(raw)) raw.writeContinue()
    done()
  })
  // What is small is thrown away when it comes; anything else would cost more than another connection.
  server.addHook('onSend', ({ raw, body }, reply, _payload, done) => {
    const isUnread = body === undefined && !raw.complete
    if (isUnread && (expectant.has(reply.raw) || mayBeLarge(raw))) reply.header('connection', 'close')
    done()
  })
}

function mayBeLarge ({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > BODY_LIMIT_BYTES
}
