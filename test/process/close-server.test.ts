import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import Fastify from 'fastify'
import t from 'tap'
import { closeServer } from '../../src/close-server.ts'

t.test('a connection kept alive, whose request was under way at the close, is answered and does not hold the close up', async t => {
  let reached = () => {}
  let answer = () => {}
  const isReached = new Promise<void>(resolve => { reached = resolve })
  const mayAnswer = new Promise<void>(resolve => { answer = resolve })
  const server = Fastify({ keepAliveTimeout: 72_000, forceCloseConnections: 'idle' })
  server.get('/', async () => {
    reached()
    await mayAnswer
    return 'done'
  })
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const request = httpRequest(await server.listen({ host: '127.0.0.1', port: 0 }), { agent })
  request.end()
  await isReached
  const startedAtMs = performance.now()
  const closed = closeServer(server)
  setImmediate(answer)
  const [response] = await once(request, 'response') as [IncomingMessage]
  t.equal(response.statusCode, 200)
  t.equal((await response.toArray()).join(''), 'done')
  await closed
  t.ok(performance.now() - startedAtMs < 30_000, 'not the time that idle connections are kept')
})
