// The line of a request: enough to find it, and nothing that somebody has put into its address by mistake.
import { fastify } from 'fastify'
import t from 'tap'
import { requestLog } from '../../src/http/plugins/request-log.ts'
import { createLogger } from '../../src/logger.ts'

t.test('S4 a key in a path or a query is not logged, ids and the words of the route are', async t => {
  const lines: string[] = []
  const server = fastify({ loggerInstance: createLogger({ level: 'info', pretty: false, destination: { write: line => { lines.push(line) } } }) })
  t.teardown(() => server.close())
  server.decorateRequest('caller', null)
  await server.register(requestLog)
  server.get('/.well-known/oauth-authorization-server/:name', async () => 'ok')
  server.get('/register/:clientId', async () => 'ok')
  const id = '01a20951-0000-4000-8000-000000000001'
  const paths: Array<[url: string, logged: string]> = [
    [`/register/${id}?token=CaNaRy`, `/register/${id}`],
    ['/register/CaNaRy_0123456789', '/register/*'],
    ['/register/CaNaRy%2F', '/register/*'],
    ['/.well-known/oauth-authorization-server/sales', '/.well-known/oauth-authorization-server/sales'],
    ['/nowhere/CaNaRy_0123456789/short', '/nowhere/*/short']
  ]
  for (const [url, logged] of paths) {
    await server.inject(url)
    const line = lines.map(line => JSON.parse(line) as { msg: string, path: string, address: string }).findLast(({ msg }) => msg === 'Request')
    t.match(line, { path: logged, address: '127.0.0.1' }, url)
  }
  t.notMatch(lines.filter(line => line.includes('"Request"')).join('\n'), /CaNaRy/)
})
