// Headers on every answer: the request id to quote, and no caching of credentials (RFC 7591 §3.2.1).
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

export const answerHeaders = fp(async (server: FastifyInstance) => {
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    reply.header('cache-control', 'no-store')
  })
}, { name: 'answer-headers' })
