// Whatever comes to the public listener is answered in Konnect's form, also what never becomes a request of a route.
import { fastify } from 'fastify'
import t, { type Test } from 'tap'
import { konnectDialect } from '../../src/http/konnect/errors.ts'
import { admission } from '../../src/http/plugins/admission.ts'
import { serverOptions } from '../../src/http/server-options.ts'
import { TRANSPORT_LIMITS } from '../../src/http/transport-limits.ts'
import { createLogger } from '../../src/logger.ts'
import { KONNECT_KEY, startTestBroker } from '../support/broker.ts'
import { openRaw, rawRequest, type RawAnswer } from './raw-request.ts'

const CANARY = 'canary_of_the_request'
const KEY = `x-api-key: ${KONNECT_KEY}\r\n`
const HOST = `Host: ${CANARY}\r\n`
const JSON_TYPE = 'content-type: application/json\r\n'

function inDialect (t: Test, name: string, answer: RawAnswer, status: number, error: string): void {
  const body = JSON.parse(answer.body) as Record<string, unknown>
  t.strictSame([answer.status, body.error], [status, error], name)
  t.strictSame(Object.keys(body), ['error', 'error_description'], `${name}: two members`)
  t.match(answer.headers, { 'cache-control': 'no-store', 'content-type': /^application\/json/, 'x-request-id': /^[0-9a-f-]{36}$/ }, `${name}: headers`)
  t.match(body.error_description, `(request ${answer.headers['x-request-id']})`, `${name}: the request id`)
  t.notMatch(answer.body, CANARY, `${name}: nothing of the request`)
}

t.test('what is no request of ours is answered in two strings that repeat nothing of it, and its line in the log is found by the id', async t => {
  const { url, logLines } = await startTestBroker(t)
  const long = CANARY.repeat(40)
  const cases: Array<[name: string, bytes: string, status: number, error: string]> = [
    ['a path that can\'t be decoded', `GET /konnect/${CANARY}%ZZ HTTP/1.1\r\n${HOST}${KEY}\r\n`, 404, 'not_found'],
    ['the same without a key', `GET /konnect/${CANARY}%ZZ HTTP/1.1\r\n${HOST}\r\n`, 404, 'not_found'],
    ['half a character in a path', `DELETE /konnect/${CANARY}%C3 HTTP/1.1\r\n${HOST}${KEY}\r\n`, 404, 'not_found'],
    ['a long id', `DELETE /konnect/${long} HTTP/1.1\r\n${HOST}${KEY}\r\n`, 404, 'not_found'],
    ['a long id without a key', `DELETE /konnect/${long} HTTP/1.1\r\n${HOST}\r\n`, 401, 'unauthorized'],
    ['a route nobody knows', `GET /${CANARY} HTTP/1.1\r\n${HOST}\r\n`, 404, 'not_found'],
    ['no JSON to a route nobody knows', `POST //${CANARY} HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: ${CANARY.length}\r\n\r\n${CANARY}`, 400, 'invalid_request'],
    ['another content type to a route nobody knows', `POST /x HTTP/1.1\r\n${HOST}content-type: text/${CANARY}\r\nContent-Length: 1\r\n\r\nx`, 415, 'unsupported_media_type'],
    ['a content type that is none', `POST /konnect HTTP/1.1\r\n${HOST}${KEY}content-type: ;${CANARY};\r\nContent-Length: 1\r\n\r\nx`, 415, 'unsupported_media_type'],
    ['a wrong method', `GET /konnect HTTP/1.1\r\n${HOST}${KEY}\r\n`, 404, 'not_found'],
    ['OPTIONS', `OPTIONS /konnect HTTP/1.1\r\n${HOST}${KEY}\r\n`, 404, 'not_found'],
    ['OPTIONS without a key', `OPTIONS /konnect HTTP/1.1\r\n${HOST}\r\n`, 401, 'unauthorized'],
    ['OPTIONS of the server', `OPTIONS * HTTP/1.1\r\n${HOST}\r\n`, 404, 'not_found'],
    ['TRACE', `TRACE /konnect HTTP/1.1\r\n${HOST}${KEY}\r\n`, 404, 'not_found'],
    ['a method of another protocol', `PROPFIND /konnect HTTP/1.1\r\n${HOST}${KEY}\r\n`, 404, 'not_found'],
    ['a method nobody knows', `${CANARY.toUpperCase()} /konnect HTTP/1.1\r\n${HOST}${KEY}\r\n`, 400, 'invalid_request'],
    ['no HTTP', `hello ${CANARY}\r\n\r\n`, 400, 'invalid_request'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'invalid_request'],
    ['a header that is none', `GET /konnect/x/secrets HTTP/1.1\r\n${HOST}${CANARY}\r\n\r\n`, 400, 'invalid_request'],
    ['no Host', `GET /konnect/${CANARY}/secrets HTTP/1.1\r\n${KEY}\r\n`, 400, 'invalid_request'],
    ['an expectation nobody knows', `GET /konnect/${CANARY}/secrets HTTP/1.1\r\n${HOST}${KEY}Expect: ${CANARY}\r\n\r\n`, 404, 'not_found'],
    ['two lengths', `POST /konnect HTTP/1.1\r\n${HOST}${KEY}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400, 'invalid_request'],
    ['a chunk that is none', `POST /konnect HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\nZZ\r\n\r\n`, 400, 'invalid_request'],
    ['too much about a chunk', `POST /konnect HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n2;${'x'.repeat(17_000)}\r\n{}\r\n`, 413, 'request_too_large'],
    ['headers beyond measure', `GET /konnect/x/secrets HTTP/1.1\r\n${HOST}${`${CANARY}: x\r\n`.repeat(800)}\r\n`, 431, 'request_too_large'],
    ['a body beyond measure', `POST /konnect HTTP/1.1\r\n${HOST}${KEY}${JSON_TYPE}Content-Length: 900000\r\n\r\n{}`, 413, 'request_too_large']
  ]
  for (const [name, bytes, status, error] of cases) {
    const answer = await rawRequest(url, bytes)
    inDialect(t, name, answer, status, error)
    t.ok(logLines.some(line => line.includes(`"requestId":"${answer.headers['x-request-id']}"`)), `${name}: in the log`)
  }
  t.notOk(logLines.some(line => line.includes(KONNECT_KEY)), 'the log has no key')
})

t.test('a path longer than any line of a request is a route nobody knows', async t => {
  const { broker } = await startTestBroker(t)
  const { statusCode, headers, body } = await broker.publicServer.inject({ method: 'DELETE', url: `/konnect/${CANARY.repeat(2_000)}` })
  inDialect(t, 'by itself', { status: statusCode, headers: headers as Record<string, string>, body }, 404, 'not_found')
})

t.test('HEAD is answered like GET, without the body', async t => {
  const { url } = await startTestBroker(t)
  const connection = await openRaw(url)
  connection.send(`HEAD /konnect/x/secrets HTTP/1.1\r\n${HOST}${KEY}Connection: close\r\n\r\n`)
  const answer = await connection.rest()
  t.match(answer, /^HTTP\/1.1 404 .*\r\ncache-control: no-store\r\n/s)
  t.match(answer, /\r\n\r\n$/)
})

t.test('a request that does not arrive in time is 408 in the same form', async t => {
  const { url, broker } = await startTestBroker(t)
  const { server } = broker.publicServer
  // What Node does when its requestTimeout is over.
  server.once('connection', socket => { server.emit('clientError', Object.assign(new Error('Request timeout'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket) })
  inDialect(t, 'a slow sender', await rawRequest(url, 'POST '), 408, 'request_timeout')
})

t.test('a broken request behind one that is being served does not get that one\'s answer', async t => {
  const { url } = await startTestBroker(t)
  const connection = await openRaw(url)
  connection.send(`DELETE /konnect/00000000-0000-4000-8000-000000000000 HTTP/1.1\r\n${HOST}${KEY}\r\n${CANARY}\r\n\r\n`)
  t.equal((await connection.answer()).status, 204)
  inDialect(t, 'the broken one', await connection.answer(), 400, 'invalid_request')
  t.equal(await connection.rest(), '')
})

t.test('a body that breaks after its request was answered gets no second answer', async t => {
  const { url } = await startTestBroker(t)
  const connection = await openRaw(url)
  connection.send(`POST /konnect HTTP/1.1\r\n${HOST}${JSON_TYPE}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`)
  inDialect(t, 'no key', await connection.answer(), 401, 'unauthorized')
  connection.send(`${CANARY}\r\n`)
  t.equal(await connection.rest(), '')
})

t.test('a request that comes while the listener closes gets 503 with Retry-After, whatever its key', async t => {
  const { url, broker } = await startTestBroker(t)
  const paths = ['/konnect/x/secrets', '/nothing']
  const connections = await Promise.all(paths.map(async path => {
    const connection = await openRaw(url)
    // The second request has begun when the first is answered: the connection is not idle and survives the closing.
    connection.send(`GET ${path} HTTP/1.1\r\n${HOST}\r\nGET ${path} HTTP/1.1\r\n`)
    await connection.answer()
    return connection
  }))
  const closed = broker.publicServer.close()
  for (const connection of connections) {
    connection.send(`${HOST}\r\n`)
    const answer = await connection.answer()
    inDialect(t, 'while closing', answer, 503, 'temporarily_unavailable')
    t.match(answer.headers, { 'retry-after': /^[1-9]\d*$/, connection: 'close' })
  }
  await closed
})

t.test('a connection that has had its share of requests ends with a whole answer, and nothing is sent after that', async t => {
  const server = fastify(serverOptions({ logger: createLogger({ level: 'silent' }), dialect: konnectDialect }))
  t.teardown(() => server.close())
  await server.register(admission, { limits: { ...TRANSPORT_LIMITS, requests: 2 } })
  server.get('/', async () => ({}))
  const connection = await openRaw(await server.listen({ host: '127.0.0.1', port: 0 }))
  const request = `GET / HTTP/1.1\r\n${HOST}\r\n`
  connection.send(request)
  t.match(await connection.answer(), { status: 200, headers: { connection: 'keep-alive' } })
  connection.send(request + request)
  t.match(await connection.answer(), { status: 200, headers: { connection: 'close' } })
  t.equal(await connection.rest(), '')
})
