// Nothing of a body is looked at, or even waited for, before its sender is known: on every route of both listeners.
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { BODY_LIMIT_BYTES } from '../../src/http/refusals.ts'
import { openRaw } from '../konnect/raw-request.ts'
import { guardOf, requestOf } from './route-matrix.ts'
import { KEY, listenOnLoopback, unconnectedServers } from './unconnected-servers.ts'

const HOST = 'Host: localhost\r\n'
const JSON_TYPE = 'content-type: application/json\r\n'

const bodies: Array<[name: string, body: string, headers: Record<string, string>]> = [
  ['no JSON', '{{{', {}],
  ['nested without end', '['.repeat(100_000), {}],
  ['too large', 'x'.repeat(BODY_LIMIT_BYTES + 1), {}],
  ['another type', '<a/>', { 'content-type': 'application/xml' }],
  ['compressed', '\u001f\u008b', { 'content-encoding': 'gzip' }]
]

t.test('on every route whose caller has to be known, whatever the body is, nobody known is 401', async t => {
  const { publicServer, operationsServer } = await unconnectedServers(t)
  for (const server of [publicServer, operationsServer]) {
    await server.ready()
    const guarded = server.declaredRoutes().filter(route => route.method !== 'OPTIONS' && guardOf(route) !== 'none')
    t.ok(guarded.length >= 20, `${guarded.length} routes`)
    for (const route of guarded) {
      const { method, url } = requestOf(route, null, 'sales')
      for (const [name, payload, headers] of ['GET', 'HEAD'].includes(method) ? [] : bodies) {
        for (const shown of [{}, { 'x-api-key': 'wrong', authorization: 'Bearer wrong' }]) {
          const answer = await server.inject({ method: method as 'POST', url, payload, headers: { 'content-type': 'application/json', ...headers, ...shown } })
          if (answer.statusCode !== 401) t.fail(`${method} ${route.url}, ${name}: ${answer.statusCode}`)
        }
      }
      const { statusCode } = await server.inject({ method: method as 'GET', url, headers: { 'x-api-key': 'wrong', authorization: 'Bearer wrong' } })
      t.equal(statusCode, 401, `${method} ${route.url}`)
    }
  }
})

/** Answers without a byte of the body, or the test hangs until its time is over. */
async function answered (server: FastifyInstance, url: string, head: string) {
  const connection = await openRaw(url)
  connection.send(head)
  const answer = await connection.answer()
  return { answer, connection }
}

t.test('whoever is not known is answered without his body, and is not asked for it', async t => {
  const { publicServer, operationsServer } = await unconnectedServers(t)
  const [url, operationsUrl] = [await listenOnLoopback(publicServer), await listenOnLoopback(operationsServer)]
  const places: Array<[server: FastifyInstance, url: string, path: string]> = [
    [publicServer, url, '/konnect'], [publicServer, url, '/register'], [publicServer, url, '/v2/registrations/01a20951-0000-4000-8000-0000000000ff/rotate'],
    [operationsServer, operationsUrl, '/v2/callers']
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
      t.equal(answer.status, 401, `${path}, ${name}`)
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
