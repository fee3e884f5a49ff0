// What everybody may see: the headers of every answer, and what tells of the service without a key (S17).
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { rawRequest, type RawAnswer } from '../konnect/raw-request.ts'
import { listenOnLoopback, unconnectedServers } from './unconnected-servers.ts'

const HOST = 'Host: localhost\r\n'
const secure = {
  'content-security-policy': "default-src 'none';frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'SAMEORIGIN',
  'cache-control': 'no-store',
  'x-request-id': /^[0-9a-f-]{36}$/
}

/** One answer of each kind there is. */
async function answersOf (server: FastifyInstance, paths: { guarded: string, open: string }): Promise<Array<[name: string, answer: RawAnswer]>> {
  const url = await listenOnLoopback(server)
  const requests: Array<[name: string, bytes: string, status: number]> = [
    ['what is open', `GET ${paths.open} HTTP/1.1\r\n${HOST}\r\n`, 0],
    ['nobody known', `POST ${paths.guarded} HTTP/1.1\r\n${HOST}\r\n`, 401],
    ['no route', `GET /nothing HTTP/1.1\r\n${HOST}\r\n`, 404],
    ['a path that can\'t be read', `GET ${paths.guarded}/%ZZ HTTP/1.1\r\n${HOST}\r\n`, 0],
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['headers beyond measure', `GET / HTTP/1.1\r\n${HOST}x: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['two Hosts', `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400]
  ]
  return await Promise.all(requests.map(async ([name, bytes, status]) => {
    const answer = await rawRequest(url, bytes)
    if (status !== 0 && answer.status !== status) throw new Error(`${name}: ${answer.status}`)
    return [name, answer] as [string, RawAnswer]
  }))
}

t.test('every answer tells browsers to do nothing with it, also where no route and no hook is asked', async t => {
  const { publicServer, operationsServer, gatewayServer } = await unconnectedServers(t)
  t.match(await publicServer.inject('/register'), { statusCode: 405, headers: secure }, 'a wrong method')
  t.match(await gatewayServer.inject('/introspect'), { statusCode: 405, headers: { ...secure, allow: 'POST' } }, 'and at a gateway\'s address')
  const answers = [
    ...await answersOf(operationsServer, { guarded: '/v2/callers', open: '/healthz' }),
    ...await answersOf(publicServer, { guarded: '/konnect', open: '/.well-known/oauth-authorization-server' }),
    ...await answersOf(gatewayServer, { guarded: '/introspect', open: '/verify' })
  ]
  for (const [name, { headers }] of answers) t.match(headers, secure, name)
})

t.test('that https alone is to be used is said where PUBLIC_URL is https, on every answer, and nowhere else', async t => {
  const hsts = async (publicUrl: string) => {
    const { publicServer, operationsServer, gatewayServer } = await unconnectedServers(t, { publicUrl })
    const url = await listenOnLoopback(publicServer)
    const bytes = [`POST /konnect HTTP/1.1\r\n${HOST}\r\n`, `GET /nothing HTTP/1.1\r\n${HOST}\r\n`, `GET /konnect/%ZZ HTTP/1.1\r\n${HOST}\r\n`, 'hello\r\n\r\n']
    const answers = await Promise.all(bytes.map(async each => (await rawRequest(url, each)).headers['strict-transport-security']))
    return [...answers, (await operationsServer.inject('/healthz')).headers['strict-transport-security'], (await gatewayServer.inject('/verify')).headers['strict-transport-security']]
  }
  const promise = 'max-age=31536000'
  t.strictSame(await hsts('https://dcr.example.com'), [promise, promise, promise, promise, undefined, undefined])
  t.strictSame(await hsts('http://localhost:3000'), Array(6).fill(undefined))
})

t.test('S17 the public listener and that of gateways tell nothing of the service: no health, no metrics, no documents', async t => {
  const { publicServer, operationsServer, gatewayServer } = await unconnectedServers(t)
  const paths = ['/healthz', '/readyz', '/metrics', '/docs', '/docs/', '/docs/json', '/openapi/public.json', '/openapi/operations.json', '/openapi/gateway.json', '/v2/callers', '/v2/audit-events']
  for (const path of paths) {
    t.equal((await publicServer.inject(path)).statusCode, 404, path)
    t.equal((await gatewayServer.inject(path)).statusCode, 404, `${path} where gateways ask`)
    t.not((await operationsServer.inject(path)).statusCode, 404, `${path} on the other one`)
  }
  for (const path of ['/konnect', '/register', '/.well-known/oauth-authorization-server']) t.equal((await gatewayServer.inject(path)).statusCode, 404, path)
  for (const path of ['/introspect', '/verify', '/verify/x']) {
    for (const server of [publicServer, operationsServer]) t.equal((await server.inject({ method: 'POST', url: path })).statusCode, 404, `${path} elsewhere`)
  }
})

t.test('S17 health without a key tells whether, and no facts about the software', async t => {
  const { operationsServer } = await unconnectedServers(t)
  t.strictSame((await operationsServer.inject('/healthz')).json(), { status: 'ok' })
  t.strictSame((await operationsServer.inject('/readyz')).json(), { status: 'ready', checks: { database: 'ok' }, tenants: { default: 'usable' } })
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    const { headers } = await operationsServer.inject(path)
    t.strictSame(['server', 'x-powered-by', 'via'].filter(name => name in headers), [], path)
  }
})
