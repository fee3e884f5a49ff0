// Nothing of a body is looked at, or even waited for, before its sender is known: on every route of every listener.
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { BODY_LIMIT_BYTES } from '../../src/http/refusals.ts'
import type { DeclaredRoute } from '../../src/http/plugins/route-methods.ts'
import { openRaw } from '../konnect/raw-request.ts'
import { someGatewayClient } from '../support/records.ts'
import { guardOf, requestOf } from './route-matrix.ts'
import { KEY, listenOnLoopback, unconnectedServers } from './unconnected-servers.ts'

const HOST = 'Host: localhost\r\n'
const JSON_TYPE = 'content-type: application/json\r\n'

const ACCEPTED = {
  client: someGatewayClient(),
  strategy: {
    id: 's', providerId: 'p', name: 's', konnectAuthStrategyId: null, issuerVersion: null, credentialClaim: [], audiences: [], authMethods: [], checkSecretsAtEntra: false
  },
  token: null
}
const WRONG = { 'x-api-key': 'wrong', 'x-gateway-key': 'wrong', authorization: 'Bearer wrong' }

const bodies: Array<[name: string, body: string, headers: Record<string, string>]> = [
  ['no JSON', '{{{', {}],
  ['nested without end', '['.repeat(100_000), {}],
  ['too large', 'x'.repeat(BODY_LIMIT_BYTES + 1), {}],
  ['another type', '<a/>', { 'content-type': 'application/xml' }],
  ['compressed', '\u001f\u008b', { 'content-encoding': 'gzip' }]
]

/** A gateway passes 401 on to its client: it gets another answer about its own key. */
const statusOfNobody = (route: DeclaredRoute): number => guardOf(route) === 'client' ? 500 : 401

t.test('on every route whose caller has to be known, whatever the body is, nobody known is refused', async t => {
  const { listeners } = await unconnectedServers(t)
  for (const server of listeners) {
    await server.ready()
    const guarded = server.declaredRoutes().filter(route => route.method !== 'OPTIONS' && guardOf(route) !== 'none')
    t.ok(guarded.length >= 10, `${guarded.length} routes`)
    for (const route of guarded) {
      const { method, url } = requestOf(route, null, 'sales')
      for (const [name, payload, headers] of ['GET', 'HEAD'].includes(method) ? [] : bodies) {
        for (const shown of [{}, WRONG]) {
          const answer = await server.inject({ method: method as 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers, ...shown } })
          if (answer.statusCode !== statusOfNobody(route)) t.fail(`${method} ${route.url}, ${name}: ${answer.statusCode}`)
        }
      }
      const { statusCode } = await server.inject({ method: method as 'GET', url, headers: WRONG })
      t.equal(statusCode, statusOfNobody(route), `${method} ${route.url}`)
    }
  }
})

t.test('S1 a gateway is known before the parameters of its request are looked at', async t => {
  const { gatewayServer } = await unconnectedServers(t)
  for (const headers of [{}, { 'x-gateway-key': 'wrong' }]) {
    for (const method of ['GET', 'POST'] as const) {
      t.equal((await gatewayServer.inject({ method, url: `/verify?product=${'x'.repeat(300)}`, headers })).statusCode, 500, method)
      t.equal((await gatewayServer.inject({ method, url: '/verify', headers: { ...headers, 'x-product-id': 'x'.repeat(3_000) } })).statusCode, 500, method)
    }
  }
  t.equal((await gatewayServer.inject({ url: `/verify?product=${'x'.repeat(300)}`, headers: { 'x-gateway-key': KEY } })).statusCode, 400)
})

/** Answers without a byte of the body, or the test hangs until its time is over. */
async function answered (server: FastifyInstance, url: string, head: string) {
  const connection = await openRaw(url)
  connection.send(head)
  const answer = await connection.answer()
  return { answer, connection }
}

t.test('whoever is not known is answered without his body, and is not asked for it', async t => {
  const { publicServer, operationsServer, gatewayServer } = await unconnectedServers(t)
  const [url, operationsUrl] = [await listenOnLoopback(publicServer), await listenOnLoopback(operationsServer)]
  const gatewayUrl = await listenOnLoopback(gatewayServer)
  const places: Array<[server: FastifyInstance, url: string, path: string]> = [
    [publicServer, url, '/konnect'], [publicServer, url, '/register'], [publicServer, url, '/v2/registrations/01a20951-0000-4000-8000-0000000000ff/rotate'],
    [operationsServer, operationsUrl, '/v2/callers'],
    [gatewayServer, gatewayUrl, '/introspect'], [gatewayServer, gatewayUrl, '/verify'], [gatewayServer, gatewayUrl, '/verify/orders']
  ]
  const framings: Array<[name: string, lines: string, isClosed: boolean]> = [
    ['a body to come', 'Content-Length: 100\r\n', false],
    ['a large one', 'Content-Length: 900000000\r\n', true],
    ['one without a known end', 'Transfer-Encoding: chunked\r\n', true],
    ['one that waits to be asked for', 'Content-Length: 100\r\nExpect: 100-continue\r\n', true]
  ]
  for (const [server, base, path] of places) {
    for (const [name, lines, isClosed] of framings) {
      const { answer, connection } = await answered(server, base, `POST ${path} HTTP/1.1\r\n${HOST}${JSON_TYPE}${lines}\r\n`)
      t.equal(answer.status, path.startsWith('/verify') ? 500 : 401, `${path}, ${name}`)
      t.equal(answer.headers.connection === 'close', isClosed, `${path}, ${name}: the connection`)
      if (isClosed) t.equal(await connection.rest(), '', `${path}, ${name}: nothing follows`)
      connection.close()
    }
  }
})

t.test('whoever is known is asked for the body he has announced', async t => {
  const { publicServer } = await unconnectedServers(t)
  const connection = await openRaw(await listenOnLoopback(publicServer))
  connection.send(`POST /konnect HTTP/1.1\r\n${HOST}${JSON_TYPE}x-api-key: ${KEY}\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n`)
  t.equal((await connection.answer()).status, 100)
  connection.send('{{{')
  t.equal((await connection.answer()).status, 400)
  connection.close()
})

t.test('a client\'s body is never asked for, and never waited for: what it sends is not for whoever asks about it', async t => {
  const { gatewayServer } = await unconnectedServers(t, { verifyNeedsKey: false, gateway: { verify: async () => ({ accepted: ACCEPTED, refusal: null }) } })
  const url = await listenOnLoopback(gatewayServer)
  const framings: Array<[lines: string, isClosed: boolean]> = [
    ['Content-Length: 100\r\n', false], ['Content-Length: 900000000\r\n', true], ['Transfer-Encoding: chunked\r\n', true],
    ['Content-Length: 100\r\nContent-Type: no type at all\r\n', false], ['Content-Length: 100\r\nContent-Type: \r\n', false]
  ]
  for (const [lines, isClosed] of framings) {
    const { answer, connection } = await answered(gatewayServer, url, `POST /verify/orders HTTP/1.1\r\n${HOST}${lines}\r\n`)
    t.equal(answer.status, 200, lines)
    t.equal(answer.headers.connection === 'close', isClosed, lines)
    connection.close()
  }
})
