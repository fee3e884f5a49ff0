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
// Gateways ask so; nobody is looked at, and whatever is said of a client has the size of the broker's word.
const client = { 'x-client-id': '00000000-0000-4000-8000-000000000000', 'x-application-id': '', 'x-developer-id': '', 'x-scopes': 'openid' }
server.get('/verify', async (_request, reply) => reply.headers(client).send())
server.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => { done(null, body) })
const introspection = { active: true, claims: 'x'.repeat(Number(process.env['ANSWER_LENGTH'] ?? 0)) }
server.post('/introspect', async () => introspection)
server.post('/konnect', async (_request, reply) => reply.code(401).send(refusal))
await server.listen({ host: '127.0.0.1', port: 0 })
announce(server.server.address() as AddressInfo)
