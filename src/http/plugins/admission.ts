// Which requests are served at all. Registered after the headers of answers and before every key check.
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { watchExchanges } from '../client-errors.ts'
import { RequestRefusal } from '../refusals.ts'

/** Then a connection is closed, so that replicas that come later get their share. */
const MAX_REQUESTS = 10_000

export interface AdmissionOptions {
  /** Of a connection. */
  maxRequests?: number
}

export const admission = fp<AdmissionOptions>(async (server: FastifyInstance, { maxRequests = MAX_REQUESTS }: AdmissionOptions) => {
  const requests = new WeakMap<Socket, number>()
  let closing = false
  server.addHook('preClose', async () => { closing = true })

  // Node's own maxRequestsPerSocket answers the next request with an empty 503 and leaves the connection open.
  server.addHook('onRequest', async ({ raw: { socket } }, reply) => {
    const count = (requests.get(socket) ?? 0) + 1
    requests.set(socket, count)
    if (count >= maxRequests) reply.header('connection', 'close')
  })

  server.addHook('onRequest', async ({ raw }) => {
    if (closing) throw new RequestRefusal(503)
    // RFC 9112 §3.2
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined) throw new RequestRefusal(400, 'The request has no Host.')
  })

  watchExchanges(server.server)
  // RFC 9110 §10.1.1: an expectation we don't know may be ignored; Node would answer it by itself.
  server.server.on('checkExpectation', (request, response) => { server.server.emit('request', request, response) })
}, { name: 'admission' })
