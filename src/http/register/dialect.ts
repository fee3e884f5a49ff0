// What all surfaces of the standard share: CORS, errors as RFC 7591 writes them, 405 for wrong methods, answers serialised as they are.
import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { sendNoSuchRoute, sendRegistrationFailure } from './errors.ts'

const PREFLIGHT_SECONDS = 600

/** For a scope with a prefix of its own: preflights are answered for everything beneath it. Needs `route-methods`. */
export const standardDialect = fp(async (server: FastifyInstance) => {
  // Tokens travel in a header that a page has to set itself: with no cookies involved every origin is safe.
  await server.register(cors, {
    origin: '*',
    credentials: false,
    methods: ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
    allowedHeaders: ['content-type', 'authorization', 'mcp-protocol-version', 'idempotency-key'],
    exposedHeaders: ['www-authenticate', 'retry-after', 'x-request-id', 'location', 'idempotency-replayed'],
    maxAge: PREFLIGHT_SECONDS,
    // An OPTIONS that is no preflight is answered like one.
    strictPreflight: false
  })
  server.setErrorHandler(sendRegistrationFailure)
  server.setNotFoundHandler(sendNoSuchRoute)
  // Before the body is read: what is wrong with it does not matter then.
  server.addHook('onRequest', async (request, reply) => {
    if (request.is404) return sendNoSuchRoute(request, reply)
  })
  // A serialiser made from a schema drops the members that the schema does not name: client_name#ja, extension members.
  server.setSerializerCompiler(() => answer => JSON.stringify(answer))
}, { name: 'standard-dialect', dependencies: ['route-methods'] })
