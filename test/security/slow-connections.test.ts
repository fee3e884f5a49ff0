// S8: connections that are held and not used. The listener is the real one with shorter times.
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { TRANSPORT_LIMITS, type TransportLimits } from '../../src/http/transport-limits.ts'
import { openRaw, rawRequest, type RawConnection } from '../konnect/raw-request.ts'
import { eventually } from '../support/eventually.ts'
import { KEY, listenOnLoopback, unconnectedServers } from './unconnected-servers.ts'

t.jobs = 4

const HOST = 'Host: localhost\r\n'
const ASK = `GET /konnect/x/secrets HTTP/1.1\r\n${HOST}\r\n`
/** Long enough for whoever is not slow, on a machine that is. */
const short: Partial<TransportLimits> = { headersMs: 1_500, requestMs: 1_500, checkIntervalMs: 50 }

async function listen (t: Test, limits: Partial<TransportLimits>): Promise<{ url: string, server: FastifyInstance }> {
  const { publicServer } = await unconnectedServers(t, { transport: { limits: { ...TRANSPORT_LIMITS, ...limits } } })
  return { url: await listenOnLoopback(publicServer), server: publicServer }
}

async function held (url: string, count: number, bytes: string): Promise<RawConnection[]> {
  return await Promise.all(Array.from({ length: count }, async () => {
    const connection = await openRaw(url)
    connection.send(bytes)
    return connection
  }))
}

t.test('S8 connections whose headers or body never come to an end are closed with 408, and others are served meanwhile', async t => {
  const { url } = await listen(t, short)
  const slow: Array<[name: string, bytes: string]> = [
    ['nothing at all', ''],
    ['half a line', 'POST /kon'],
    ['headers without an end', `POST /konnect HTTP/1.1\r\n${HOST}x: `],
    ['a body without an end', `POST /konnect HTTP/1.1\r\n${HOST}x-api-key: ${KEY}\r\ncontent-type: application/json\r\nContent-Length: 1000\r\n\r\n{`],
    ['chunks without an end', `POST /konnect HTTP/1.1\r\n${HOST}x-api-key: ${KEY}\r\ncontent-type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`]
  ]
  for (const [name, bytes] of slow) {
    const connections = await held(url, 50, bytes)
    t.equal((await rawRequest(url, ASK)).status, 401, `${name}: another is served`)
    const ends = await Promise.all(connections.map(connection => connection.rest()))
    t.ok(ends.every(end => end.startsWith('HTTP/1.1 408 ')), `${name}: ${ends[0]?.slice(0, 40)}`)
  }
})

t.test('S8 a sender who keeps it going byte by byte gets no more time than one who is silent', async t => {
  const { url } = await listen(t, short)
  const connection = await openRaw(url)
  connection.send(`GET /konnect/x/secrets HTTP/1.1\r\n${HOST}x: `)
  const drip = setInterval(() => connection.send('a'), 20)
  t.teardown(() => clearInterval(drip))
  t.match(await connection.rest(), /^HTTP\/1.1 408 /)
})

t.test('S8 a connection that idles between requests is closed without a word', async t => {
  const { url } = await listen(t, { idleMs: 100 })
  const [connection] = await held(url, 1, ASK)
  t.equal((await connection?.answer())?.status, 401)
  t.equal(await connection?.rest(), '')
})

t.test('S8 a caller who has closed his half is answered, and then it is over', async t => {
  const { url } = await listen(t, {})
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let received = ''
  socket.setEncoding('latin1').on('data', text => { received += String(text) })
  socket.end(ASK)
  await new Promise(resolve => socket.once('close', resolve))
  t.match(received, /^HTTP\/1.1 401 /)
})

t.test('S8 whoever sends requests without taking the answers is closed, and others are served meanwhile', async t => {
  const { url, server } = await listen(t, {})
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await new Promise(resolve => socket.once('connect', resolve))
  socket.pause()
  socket.write(ASK.repeat(5_000))
  t.equal((await rawRequest(url, ASK)).status, 401, 'another is served')
  await eventually('it is closed', async () => await connectionsOf(server) === 0)
})

t.test('S8 a few requests at once in one connection are answered in order; a connection with many is closed', async t => {
  const { url } = await listen(t, {})
  const connection = await openRaw(url)
  connection.send(ASK.repeat(TRANSPORT_LIMITS.pipelined))
  const ids = new Set<string | undefined>()
  for (let each = 0; each < TRANSPORT_LIMITS.pipelined; each++) ids.add((await connection.answer()).headers['x-request-id'])
  t.equal(ids.size, TRANSPORT_LIMITS.pipelined)
  connection.send(ASK.repeat(TRANSPORT_LIMITS.pipelined + 1))
  t.ok((await connection.rest()).split('HTTP/1.1 401').length <= TRANSPORT_LIMITS.pipelined + 1)
})

t.test('S8 connections beyond the most of a listener are closed at once, and their place is free again when others go', async t => {
  const { url, server } = await listen(t, { connections: 5 })
  const connections = await held(url, 5, ASK)
  for (const connection of connections) t.equal((await connection.answer()).status, 401)
  await t.rejects(rawRequest(url, ASK), /No whole answer/)
  connections[0]?.close()
  await eventually('a place is free', async () => await connectionsOf(server) < 5)
  t.equal((await rawRequest(url, ASK)).status, 401)
  for (const connection of connections) connection.close()
})

t.test('S8 the times of the service are within what is promised', async t => {
  const { headersMs, requestMs, checkIntervalMs, idleMs } = TRANSPORT_LIMITS
  t.ok(Math.max(headersMs, requestMs) + checkIntervalMs <= 15_000)
  t.ok(idleMs > 60_000, 'longer than proxies keep theirs')
  const { listeners } = await unconnectedServers(t)
  for (const { server } of listeners) {
    const { silenceMs: timeout, connections: maxConnections } = TRANSPORT_LIMITS
    t.match(server, { headersTimeout: headersMs, requestTimeout: requestMs, keepAliveTimeout: idleMs, timeout, maxConnections })
  }
})

async function connectionsOf ({ server }: FastifyInstance): Promise<number> {
  return await new Promise((resolve, reject) => server.getConnections((error, count) => error === null ? resolve(count) : reject(error)))
}
