// Whatever comes to the operations listener and is refused gets a problem document, also what never becomes a request of a route.
import t, { type Test } from 'tap'
import { openRaw, rawRequest, type RawAnswer } from '../konnect/raw-request.ts'
import { authorized, createServer } from './operations-server.ts'

const CANARY = 'canary_of_the_request'
const HOST = `Host: ${CANARY}\r\n`
const KEY = `Authorization: ${authorized.authorization}\r\n`

function isProblem (t: Test, name: string, answer: RawAnswer, status: number): void {
  t.equal(answer.status, status, name)
  t.match(answer.headers, { 'cache-control': 'no-store', 'content-type': /^application\/problem\+json/, 'x-request-id': /^[0-9a-f-]{36}$/ }, `${name}: headers`)
  t.match(JSON.parse(answer.body), { status, title: /\w/, detail: /\w/, instance: `dcr-broker:trace:${answer.headers['x-request-id']}` }, `${name}: body`)
  t.notMatch(answer.body, CANARY, `${name}: nothing of the request`)
}

t.test('what is no request of a route is refused with a problem that repeats nothing of it', async t => {
  const server = await createServer(t)
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const cases: Array<[name: string, bytes: string, status: number]> = [
    ['a path that can\'t be decoded', `GET /v2/${CANARY}%ZZ HTTP/1.1\r\n${HOST}${KEY}\r\n`, 400],
    ['a long id', `GET /v2/registrations/${CANARY.repeat(40)} HTTP/1.1\r\n${HOST}${KEY}\r\n`, 400],
    ['a long id without a key', `GET /v2/registrations/${CANARY.repeat(40)} HTTP/1.1\r\n${HOST}\r\n`, 401],
    ['no JSON to a route nobody knows', `POST /${CANARY} HTTP/1.1\r\n${HOST}content-type: application/json\r\nContent-Length: ${CANARY.length}\r\n\r\n${CANARY}`, 400],
    ['a method nobody knows', `${CANARY.toUpperCase()} /v2 HTTP/1.1\r\n${HOST}\r\n`, 400],
    ['no HTTP', `hello ${CANARY}\r\n\r\n`, 400],
    ['no Host', `GET /${CANARY} HTTP/1.1\r\n\r\n`, 400],
    ['an expectation nobody knows', `GET /${CANARY} HTTP/1.1\r\n${HOST}Expect: ${CANARY}\r\n\r\n`, 404],
    ['two lengths', `POST /v2 HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['headers beyond measure', `GET /v2 HTTP/1.1\r\n${HOST}${`${CANARY}: x\r\n`.repeat(800)}\r\n`, 431]
  ]
  for (const [name, bytes, status] of cases) isProblem(t, name, await rawRequest(url, bytes), status)
})

t.test('a request that comes while the operations listener closes gets a 503 problem with Retry-After', async t => {
  const server = await createServer(t)
  const connection = await openRaw(await server.listen({ host: '127.0.0.1', port: 0 }))
  // The second request has begun when the first is answered: the connection is not idle and survives the closing.
  connection.send(`GET /healthz HTTP/1.1\r\n${HOST}\r\nGET /healthz HTTP/1.1\r\n`)
  t.equal((await connection.answer()).status, 200)
  const closed = server.close()
  connection.send(`${HOST}\r\n`)
  const answer = await connection.answer()
  isProblem(t, 'while closing', answer, 503)
  t.match(answer.headers, { 'retry-after': /^[1-9]\d*$/, connection: 'close' })
  await closed
})
