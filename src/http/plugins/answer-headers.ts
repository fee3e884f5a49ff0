// Headers on every answer: the request id to quote, no caching of credentials (RFC 7591 §3.2.1), and what browsers are told.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { securityHeaders } from '../security-headers.ts'

export const answerHeaders = fp<{ isHttps: boolean }>(async (server: FastifyInstance, { isHttps }) => {
  const headers = securityHeaders(isHttps)
  server.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers)
    setAnswerHeaders(request, reply)
    done()
  })
}, { name: 'answer-headers' })

/** For answers that no hook sees. */
export function setAnswerHeaders (request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' })
}
