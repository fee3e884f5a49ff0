// S13 through the whole broker: whatever Entra answers to a create, the caller gets a 5xx of its own dialect in time, and nothing is lost or left.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { SHORT_WINDOW } from '../lifecycle/times.ts'
import { serviceClient } from '../register/prepared-broker.ts'
import { konnectApplication, startTestBroker, type Answer } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'

type Hostile = (answer: ServerResponse) => void

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Hostile =>
  answer => answer.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
const raw = (text: string): Hostile => answer => { answer.socket?.write(text) }

/** By the name of the client whose application is being made. */
const toCreate = (trap: string): Record<string, Hostile> => ({
  'a redirect': json(302, '', { location: `${trap}/v1.0/applications` }),
  'a redirect that keeps the method': json(307, '', { location: `${trap}/v1.0/applications` }),
  'a page': answer => answer.writeHead(201, { 'content-type': 'text/html' }).end('<html>'),
  'half of JSON': json(201, '{"id":"'),
  'ids that are paths': json(201, { id: '../../users', appId: '../users' }),
  'a list': json(201, []),
  'a huge body': json(201, `{"id":"${'x'.repeat(5 * 1024 * 1024)}"}`),
  'a bomb': answer => answer.writeHead(201, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(20 * 1024 * 1024, 32))),
  'a drip': answer => {
    answer.writeHead(201)
    // Whoever asked may be gone already: then nothing closes any more.
    const timer = setInterval(() => answer.write(' '), 50).unref()
    answer.once('close', () => clearInterval(timer))
  },
  'endless headers': raw(`HTTP/1.1 201 Created\r\n${`x: ${'y'.repeat(1000)}\r\n`.repeat(50)}`),
  'interim answers': raw('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(2_000)),
  'an absurd Retry-After': json(503, '', { 'retry-after': '1e99' }),
  'a text that can\'t be kept': json(500, { error: { code: 'x\u0000\ud800', message: 'canary~of~Graph\u0000\ud800\r\n' } })
})

/** Of clients whose application is made; the password may be, too. */
const toAddPassword: Record<string, Hostile> = {
  'a keyId that is a path': json(200, { keyId: '../../users', secretText: 'canary~of~Graph', endDateTime: '2099-01-01T00:00:00Z' }),
  'a secret that is none': json(200, { keyId: '44444444-4444-4444-8444-444444444444', secretText: { canary: 'canary~of~Graph' }, endDateTime: '2099-01-01T00:00:00Z' }),
  'half a character': json(200, { keyId: '44444444-4444-4444-8444-444444444444', secretText: 'canary~of~Graph\ud800', endDateTime: '2099-01-01T00:00:00Z' })
}

/** Stands in front of the simulator, and answers in its place whoever has a hostile name. The write reaches the simulator all the same. */
async function startHostileGraph (t: Test, simulatorUrl: string, hostile: { create: Record<string, Hostile>, password: Record<string, Hostile> }) {
  const state = { isHostile: true, met: new Set<string>() }
  const passwordOf = new Map<string, string>()
  const server = createServer((request, answer) => {
    handle(request, answer).catch(() => answer.destroy())
  })
  async function handle (request: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { method = '', url = '', headers } = request
    const body = Buffer.concat(chunks).toString()
    const { host: _host, connection: _connection, 'content-length': _length, ...rest } = headers
    const forwarded = await fetch(`${simulatorUrl}${url}`, { method, headers: rest as Record<string, string>, ...(body !== '' && { body }) })
    const text = await forwarded.text()
    const given = nameIn(body)
    if (method === 'PATCH' && url.includes('/applications(') && forwarded.status === 201) passwordOf.set((JSON.parse(text) as { id: string }).id, given)
    const script = hostile.create[method === 'PATCH' && url.includes('/applications(') ? given : ''] ??
      hostile.password[url.endsWith('/addPassword') ? passwordOf.get(url.split('/').at(-2) ?? '') ?? '' : '']
    if (script !== undefined && state.isHostile) {
      state.met.add(given === '' ? 'password' : given)
      return script(answer)
    }
    const kept = [...forwarded.headers].filter(([name]) => !['content-length', 'transfer-encoding', 'connection', 'keep-alive'].includes(name))
    answer.writeHead(forwarded.status, Object.fromEntries(kept)).end(text)
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, state }
}

function nameIn (body: string): string {
  try {
    return String((JSON.parse(body) as { displayName?: unknown }).displayName ?? '')
  } catch {
    return ''
  }
}

t.test('S13 hostile answers to a create', async t => {
  let visits = 0
  const trap = createServer((_request, answer) => answer.end('{}')).on('connection', () => visits++)
  await new Promise<void>(resolve => trap.listen(0, '127.0.0.1', resolve))
  t.teardown(() => { trap.close() })
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const create = toCreate(`http://127.0.0.1:${(trap.address() as AddressInfo).port}`)
  const graph = await startHostileGraph(t, simulator.url, { create, password: toAddPassword })
  const { konnect, register, database, logLines } = await startTestBroker(t, { simulator, environment: { ...SHORT_WINDOW, GRAPH_BASE_URL: graph.url } })
  const before = simulator.control.state().applications.length
  const names = [...Object.keys(create), ...Object.keys(toAddPassword)]
  const count = async (where: string) => (await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM registration WHERE ${where}`)).rows[0]?.count

  t.test('S13 each is a 5xx in the caller\'s dialect within the deadline, and repeats nothing of it', async t => {
    const ask = async (what: string, call: () => Promise<Answer>) => {
      const startedMs = performance.now()
      const { status, body, headers } = await call()
      const tookMs = performance.now() - startedMs
      t.ok(status === 502 || status === 503, `${what}: ${status}`)
      t.strictSame(Object.entries(body).map(([name, value]) => [name, typeof value]), [['error', 'string'], ['error_description', 'string']], what)
      t.notMatch(JSON.stringify(body) + JSON.stringify([...headers]), /canary|users|[^\x20-\x7e]/, what)
      t.ok(tookMs < 30_000, `${what}: ${tookMs} ms`)
    }
    // Each group by itself: together they would wait for each other's turn.
    const askAll = async (group: string[]) => await Promise.all(group.flatMap(name => [
      ask(`Konnect: ${name}`, async () => await konnect('POST', '', konnectApplication({ client_name: name }))),
      ask(`register: ${name}`, async () => await register(serviceClient({ client_name: name })))
    ]))
    await askAll(Object.keys(toAddPassword))
    await askAll(Object.keys(create))
    // On a busy machine only the background comes so far.
    await eventually('each was answered', () => [...Object.keys(create), 'password'].every(name => graph.state.met.has(name)))
    t.equal(visits, 0, 'nothing is followed')
  })

  t.test('S13 when Entra is itself again every one of them comes to an end, and none is left in Entra', async t => {
    graph.state.isHostile = false
    await eventually('all are undone', async () => await count("state <> 'undone' OR purge_at IS NOT NULL") === 0, 40_000)
    t.equal(await count('true'), names.length * 2, 'none is forgotten')
    await eventually('Entra has none', () => simulator.control.state().applications.length === before)
    t.equal((await konnect('POST', '', konnectApplication({ client_name: 'a page' }))).status, 201, 'and the next one is made')
    t.strictSame(logLines.filter(line => line.includes('canary~of~Graph') && !line.includes('Graph answered 500')), [])
  })
})
