// Headers on every answer: the request id to quote, and no caching of credentials (RFC 7591 §3.2.1).
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

export const answerHeaders = fp(async (server: FastifyInstance) => {
  server.addHook('onRequest', async (request, reply) => { setAnswerHeaders(request, reply) })
}, { name: 'answer-headers' })

/** For answers that no hook sees. */
export function setAnswerHeaders (request: FastifyRequest, reply: FastifyReply): void {
  reply.headers({ 'x-request-id': request.id, 'cache-control': 'no-store' })
}
