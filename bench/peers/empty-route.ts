// Fastify with a route that does nothing: what refusing costs when nobody is looked at. Without a log.
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { announce, endWithParent } from './serving.ts'

// As long as the broker's answer to a key that is not valid.
const refusal = {
  error: 'unauthorized',
  error_description: 'X-API-KEY is missing or not valid. (request 00000000-0000-4000-8000-000000000000)'
}

endWithParent()
const server = fastify({ logger: false })
server.post('/konnect', async (_request, reply) => reply.code(401).send(refusal))
await server.listen({ host: '127.0.0.1', port: 0 })
announce(server.server.address() as AddressInfo)
