// S9: requests that a proxy and the broker could take for different ones, and what a caller says of himself.
import t, { type Test } from 'tap'
import { TRANSPORT_LIMITS } from '../../src/http/transport-limits.ts'
import { openRaw } from '../konnect/raw-request.ts'
import { KEY, listenOnLoopback, unconnectedServers } from './unconnected-servers.ts'

const HOST = 'Host: localhost\r\n'
const POST = `POST /konnect HTTP/1.1\r\n${HOST}x-api-key: ${KEY}\r\ncontent-type: application/json\r\n`
const GET = `GET /konnect/x/secrets HTTP/1.1\r\n${HOST}`
/** What an attacker would have taken for a request of its own. */
const SMUGGLED = `GET /konnect/smuggled HTTP/1.1\r\n${HOST}\r\n`

async function isRefusedAndClosed (t: Test, url: string, name: string, bytes: string, status: number | null = 400): Promise<void> {
  const connection = await openRaw(url)
  connection.send(bytes)
  const text = await connection.rest()
  const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, each]) => Number(each))
  t.strictSame(statuses, [status ?? statuses[0]], `${name}: one answer, then the end`)
  connection.close()
}

/** What is left open is over soon. */
const limits = { ...TRANSPORT_LIMITS, idleMs: 1_000 }

t.test('S9 a request whose end is not certain is refused with one answer, and its connection is closed', async t => {
  const { listeners, logLines } = await unconnectedServers(t, { transport: { limits } })
  const cases: Array<[name: string, bytes: string, status?: number]> = [
    ['a length beside a coding', `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a coding before a length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['two lengths', `${POST}Content-Length: 0\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`],
    ['the same length twice', `${POST}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`],
    ['a list of lengths', `${POST}Content-Length: 2, 2\r\n\r\n{}${SMUGGLED}`],
    ['a length with a sign', `${POST}Content-Length: +2\r\n\r\n{}${SMUGGLED}`],
    ['a length in hexadecimal', `${POST}Content-Length: 0x2\r\n\r\n{}${SMUGGLED}`],
    ['a space before the colon of a length', `${POST}Content-Length : 2\r\n\r\n{}${SMUGGLED}`],
    ['a space before the colon of a coding', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a coding nobody knows', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['no coding', `${POST}Transfer-Encoding: identity\r\n\r\n${SMUGGLED}`],
    ['two codings', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a coding twice', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a coding in HTTP/1.0', `${POST.replace('1.1', '1.0')}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a coding behind a folded line', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a folded header', `${GET}x: a\r\n b\r\n\r\n`],
    ['a bare line feed', `${GET}x: a\nContent-Length: 5\r\n\r\n`],
    ['bare line feeds alone', 'GET /konnect HTTP/1.1\nHost: a\n\n'],
    ['a bare carriage return', `${GET}x: a\rContent-Length: 5\r\n\r\n`],
    ['a NUL in a header', `${GET}x: a\0b\r\n\r\n`],
    ['a chunk that ends in a bare line feed', `${POST}Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk larger than numbers are', `${POST}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n${SMUGGLED}`],
    ['HTTP/0.9', 'GET /konnect/x/secrets\r\n\r\n'],
    ['no Host', `${GET.replace(HOST, '')}\r\n`],
    ['two Hosts', `${GET}Host: other\r\n\r\n`],
    ['two credentials', `${GET}Authorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n`],
    ['two kinds of body', `${POST}Content-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`],
    ['an empty Host', `${GET.replace('localhost', '')}\r\n`],
    ['a Host with a path', `${GET.replace('localhost', 'localhost/x')}\r\n`],
    ['a Host with a user', `${GET.replace('localhost', 'a@localhost')}\r\n`],
    ['a Host with a space', `${GET.replace('localhost', 'local host')}\r\n`],
    ['more headers than anybody needs', `${GET}${'a: b\r\n'.repeat(200)}\r\n`, 431]
  ]
  for (const server of listeners) {
    const url = await listenOnLoopback(server)
    for (const [name, bytes, status] of cases) await isRefusedAndClosed(t, url, name, bytes, status)
  }
  t.notOk(logLines.some(line => line.includes('smuggled')), 'nothing behind one was taken for a request')
  t.notOk(logLines.some(line => line.includes(KEY)), 'and no key is in the log')
})

t.test('S9 what stands behind a request that ends its connection is served by nobody, though it came in the same packet', async t => {
  const judged: string[] = []
  const failures = { count: (address: string) => { judged.push(address); return null } }
  const behind = `GET /v2/registrations HTTP/1.1\r\n${HOST}x-api-key: behind\r\nauthorization: Bearer behind\r\n\r\nPOST /introspect HTTP/1.1\r\n${HOST}authorization: Bearer behind\r\n\r\n`
  const cases: Array<[name: string, bytes: string, status?: number | null]> = [
    ['two codings', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['a coding in HTTP/1.0 that goes on', `${POST.replace('1.1', '1.0')}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['two Hosts', `${GET}Host: other\r\n\r\n`],
    ['more headers than anybody needs', `${GET}${'a: b\r\n'.repeat(200)}\r\n`, 431],
    ['a path that can\'t be read', `GET /%zz HTTP/1.1\r\n${HOST}\r\n`, null],
    ['the same with two codings', `POST /%zz HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, null]
  ]
  const servers = await unconnectedServers(t, { authentication: { failures }, transport: { limits } })
  for (const server of servers.listeners) {
    const url = await listenOnLoopback(server)
    for (const [name, bytes, status] of cases) await isRefusedAndClosed(t, url, name, bytes + behind, status)
  }
  const { publicServer } = await unconnectedServers(t, { authentication: { failures }, transport: { limits: { ...limits, requests: 1 } } })
  await isRefusedAndClosed(t, await listenOnLoopback(publicServer), 'the last request of a connection', `${GET}\r\n${behind}`, 401)
  t.strictSame(judged, [], 'no key behind one was looked at')
  await publicServer.inject({ url: '/konnect/x/secrets', headers: { 'x-api-key': 'behind' } })
  await servers.gatewayServer.inject({ method: 'POST', url: '/introspect', headers: { authorization: 'Bearer behind' } })
  t.equal(judged.length, 2, 'and would have been')
})

t.test('S9 an address that names a host of its own, and a port behind the Host, change nothing', async t => {
  const { publicServer } = await unconnectedServers(t)
  const url = await listenOnLoopback(publicServer)
  const connection = await openRaw(url)
  for (const bytes of [`GET http://evil.example/konnect/x/secrets HTTP/1.1\r\n${HOST}\r\n`, 'GET /konnect/x/secrets HTTP/1.1\r\nHost: [::1]:3000\r\n\r\n']) {
    connection.send(bytes)
    t.equal((await connection.answer()).status, 401)
  }
  connection.close()
})

/** From where the broker believes the request comes, by what it counts against. */
async function sourceOf (t: Test, trustedProxies: string[], headers: Record<string, string>, remoteAddress = '10.0.0.7'): Promise<string> {
  const counted: string[] = []
  const failures = { count: (address: string) => { counted.push(address); return null } }
  const { publicServer } = await unconnectedServers(t, { transport: { trustedProxies }, authentication: { failures } })
  await publicServer.inject({ method: 'GET', url: '/konnect/x/secrets', headers: { 'x-api-key': 'wrong', ...headers }, remoteAddress })
  return counted.join()
}

t.test('S9 what X-Forwarded-For says is believed from a listed proxy alone, and from behind forwards only as far as proxies are listed', async t => {
  const forwarded = (value: string) => ({ 'x-forwarded-for': value, 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', forwarded: 'for=9.9.9.9' })
  t.equal(await sourceOf(t, [], forwarded('203.0.113.9')), '10.0.0.7', 'nobody is listed')
  t.equal(await sourceOf(t, ['10.0.0.8'], forwarded('203.0.113.9')), '10.0.0.7', 'another one is')
  t.equal(await sourceOf(t, ['10.0.0.7'], forwarded('203.0.113.9')), '203.0.113.9')
  t.equal(await sourceOf(t, ['10.0.0.0/8'], forwarded('1.1.1.1, 203.0.113.9')), '203.0.113.9', 'what a caller has made up stands before')
  t.equal(await sourceOf(t, ['10.0.0.0/8'], forwarded('203.0.113.9, 10.0.0.9')), '203.0.113.9', 'two proxies')
  t.equal(await sourceOf(t, ['10.0.0.0/8'], forwarded('203.0.113.9:4711, 10.0.0.9:80')), '203.0.113.9', 'with ports')
  t.equal(await sourceOf(t, ['10.0.0.7'], forwarded('[2001:db8::1]:4711')), '2001:db8::1')
  t.equal(await sourceOf(t, ['10.0.0.7'], forwarded('203.0.113.9'), '::ffff:10.0.0.7'), '203.0.113.9', 'IPv4 in IPv6')
  t.equal(await sourceOf(t, ['2001:db8::/32'], forwarded('203.0.113.9'), '2001:db8::7'), '203.0.113.9')
  t.equal(await sourceOf(t, ['10.0.0.7'], forwarded('\' OR 1=1')), '10.0.0.7', 'no address stands for the proxy')
  t.equal(await sourceOf(t, ['10.0.0.7'], {}), '10.0.0.7')
})

t.test('S9 nothing that a caller says of host and scheme reaches what is handed out', async t => {
  const { publicServer, operationsServer, gatewayServer } = await unconnectedServers(t, { transport: { trustedProxies: ['127.0.0.1'] } })
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'gopher', 'x-forwarded-prefix': '/evil', forwarded: 'host=evil.example', 'x-original-url': '/healthz', 'x-http-method-override': 'DELETE' }
  for (const [server, url] of [[publicServer, '/register'], [publicServer, '/konnect'], [operationsServer, '/v2/registrations'], [operationsServer, '/openapi/operations.json'], [operationsServer, '/docs/'], [gatewayServer, '/verify'], [gatewayServer, '/introspect']] as const) {
    const answer = await server.inject({ method: 'GET', url, headers })
    t.notMatch(answer.body + JSON.stringify(answer.headers), /evil|gopher/, url)
  }
})
