// One line per request, when it is over. The path without its query: people put keys there.
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

export const requestLog = fp(async (server: FastifyInstance) => {
  server.addHook('onResponse', async (request, reply) => {
    if (request.isUnlogged) return
    request.log.info({
      method: request.method,
      path: request.url.split('?', 1)[0],
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime * 10) / 10,
      callerId: request.caller?.id
    }, 'Request')
  })
}, { name: 'request-log' })
