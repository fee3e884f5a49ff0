// What the broker tells about itself while it works: metrics, traces, and the ids that lead from a caller's request to Microsoft's log.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { createMetrics } from '../src/metrics/metrics.ts'
import { konnectApplication, startTestBroker, type TestBroker } from './support/broker.ts'
import { eventually } from './support/eventually.ts'
import { basic, bearer, startTestGateway } from './support/gateway.ts'

async function scrape ({ operationsUrl }: TestBroker): Promise<string> {
  const response = await fetch(`${operationsUrl}/metrics`)
  if (response.status !== 200) throw new Error(`status ${response.status}`)
  return await response.text()
}

/** Value of one series; NaN when there is none. Labels in any order. */
function valueOf (text: string, name: string, labels: Record<string, string> = {}): number {
  const line = text.split('\n').find(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `)
    ? Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`))
    : false)
  return line === undefined ? NaN : Number(line.split(' ').at(-1))
}

const linesOf = (lines: readonly string[], message: string) =>
  lines.map(line => JSON.parse(line) as Record<string, unknown>).filter(({ msg }) => msg === message)

t.test('a create is counted on its way through: request, Graph calls, the state of the registration, the token', async t => {
  const broker = await startTestBroker(t)
  const { status, body } = await broker.konnect('POST', '', konnectApplication())
  t.equal(status, 201)
  await broker.konnect('POST', '', konnectApplication(), { 'x-api-key': 'wrong' })
  await broker.konnect('DELETE', '/secret-looking-path/with/too/many/parts')

  const response = await fetch(`${broker.operationsUrl}/metrics`)
  t.match(response.headers.get('content-type'), /^text\/plain; version=0\.0\.4/)
  // An answer may be here before its sender has counted it.
  const text = await eventually('the last requests are counted', async () => {
    const text = await scrape(broker)
    return valueOf(text, 'dcr_http_requests_total', { route: 'none' }) === 1 && valueOf(text, 'dcr_http_request_duration_seconds_count', { surface: 'konnect', route: '/konnect' }) === 2
      ? text
      : null
  })
  const created = { surface: 'konnect', method: 'POST', route: '/konnect', status: '2xx' }
  t.equal(valueOf(text, 'dcr_http_requests_total', created), 1)
  t.equal(valueOf(text, 'dcr_http_requests_total', { ...created, status: '4xx' }), 1)
  t.equal(valueOf(text, 'dcr_http_requests_total', { surface: 'none', method: 'any', route: 'none', status: '4xx' }), 1)
  t.equal(valueOf(text, 'dcr_http_request_duration_seconds_count', { surface: 'konnect', route: '/konnect' }), 2)
  t.equal(valueOf(text, 'dcr_graph_calls_total', { provider: 'default', operation: 'add password', status: '200', outcome: 'ok' }), 1)
  t.equal(valueOf(text, 'dcr_registrations', { provider: 'default', state: 'active' }), 1)
  t.equal(valueOf(text, 'dcr_oldest_unfinished_registration_seconds', { provider: 'default' }), 0)
  t.equal(valueOf(text, 'dcr_secrets_expiring', { within: '30d' }), 0)
  t.equal(valueOf(text, 'dcr_entra_token_state', { provider: 'default', state: 'accepted' }), 1)
  t.equal(valueOf(text, 'dcr_reading_up', { group: 'installation' }), 1)
  t.equal(valueOf(text, 'dcr_build_info'), 1)
  t.match(text, /^process_resident_memory_bytes \d+/m)
  for (const forbidden of [body.client_secret, body.client_id, 'secret-looking-path', 'Orders app']) t.notOk(text.includes(forbidden), 'no label is the caller\'s')
})

t.test('what gateways ask is counted under one surface, and what they were told by what was shown; nothing of a client is a label', async t => {
  const gateway = await startTestGateway(t)
  const client = await gateway.registerClient()
  await gateway.verify(basic(client))
  await gateway.verify(basic({ ...client, clientSecret: 'wrong' }), '/verify/orders/secret-looking-path', 'POST')
  await gateway.verify()
  await gateway.verify(bearer('x.y.z'), '/verify?product=orders')
  await gateway.introspect('x.y.z')
  await gateway.introspect('x.y.z', 'a_key_of_nobody')
  const text = await eventually('the last requests are counted', async () => {
    const text = await scrape(gateway)
    return valueOf(text, 'dcr_http_requests_total', { surface: 'gateway', route: '/introspect', status: '4xx' }) === 1 ? text : null
  })
  const verdicts: Array<[credential: string, outcome: string]> = [
    ['secret', 'accepted'], ['secret', 'wrong_secret'], ['none', 'nothing_shown'], ['token', 'invalid_token'], ['introspection', 'inactive']
  ]
  for (const [credential, outcome] of verdicts) t.equal(valueOf(text, 'dcr_gateway_verdicts_total', { credential, outcome }), 1, `${credential}, ${outcome}`)
  t.equal(valueOf(text, 'dcr_http_requests_total', { surface: 'gateway', method: 'GET', route: '/verify', status: '4xx' }), 2)
  t.equal(valueOf(text, 'dcr_http_requests_total', { surface: 'gateway', method: 'POST', route: '/verify/*', status: '4xx' }), 1)
  t.equal(valueOf(text, 'dcr_authentication_failures_total', { guard: 'gateway', status: '401' }), 1)
  for (const forbidden of [client.clientId, client.clientSecret, 'secret-looking-path', 'a_key_of_nobody']) t.notOk(text.includes(forbidden))
})

t.test('a tenant that throttles shows by operation and outcome, and what is left of it as unfinished', async t => {
  const broker = await startTestBroker(t, { environment: { REQUEST_DEADLINE_MS: '1500', ATTEMPT_TIMEOUT_MS: '500' } })
  broker.simulator.control.faults.add({ match: { method: 'POST', path: 'addPassword$', times: 'always' }, action: { type: 'status', status: 429, headers: { 'retry-after': '30' } } })
  t.equal((await broker.konnect('POST', '', konnectApplication())).status, 503)
  // On a busy machine the request may be over before the tenant is asked: then the background is throttled.
  const text = await eventually('what is left is counted, and that the tenant throttles', async () => {
    const text = await scrape(broker)
    return valueOf(text, 'dcr_oldest_unfinished_registration_seconds', { provider: 'default' }) > 0 &&
      valueOf(text, 'dcr_graph_calls_total', { operation: 'add password', status: '429', outcome: 'throttled' }) >= 1
      ? text
      : null
  }, 60_000)
  t.equal(valueOf(text, 'dcr_registrations_failing', { provider: 'default' }), 0, 'a tenant that throttles is no failure of the registration')
  t.ok(valueOf(text, 'dcr_graph_pause_seconds', { provider: 'default' }) > 0)
  t.ok(valueOf(text, 'dcr_graph_calls_total', { operation: 'add password', status: '429', outcome: 'throttled' }) >= 1)
  await eventually('the loops are counted', async () => valueOf(await scrape(broker), 'dcr_background_rounds_total', { loop: 'upkeep', outcome: 'ok' }) >= 1)
})

t.test('secrets that end soon and the broker\'s own credential show before they do', async t => {
  const broker = await startTestBroker(t)
  for (const days of [0.5, 5, 20, 60]) {
    const { body } = await broker.konnect('POST', '', konnectApplication())
    await broker.database.query(`UPDATE credential c SET expires_at = now() + $1 * interval '1 day'
      FROM registration r WHERE r.id = c.registration_id AND r.client_id = $2`, [days, body.client_id])
  }
  await broker.database.query(`INSERT INTO provider_credential (id, provider_id, state, kind, client_id, expires_at)
    SELECT gen_random_uuid(), id, 'active', 'federated', 'client', '2030-01-01T00:00:00Z' FROM provider WHERE name = 'default'`)
  const text = await scrape(broker)
  t.same(['1d', '7d', '30d'].map(within => valueOf(text, 'dcr_secrets_expiring', { within })), [1, 2, 3])
  t.equal(valueOf(text, 'dcr_provider_credential_expires_timestamp_seconds', { provider: 'default' }), Date.UTC(2030, 0, 1) / 1_000)
})

t.test('many scrapers are one reading; a reading that fails or hangs leaves its gauges out and the rest is answered', async t => {
  const metrics = createMetrics('1.2.3')
  let readings = 0
  const gauges = { dcr_example: { help: 'An example.', labelNames: ['kind'] } } as const
  metrics.watch({ name: 'shared', gauges, everyMs: 60_000, read: async () => ({ dcr_example: [{ labels: { kind: 'a' }, value: ++readings }] }) })
  await Promise.all([metrics.text(), metrics.text()])
  t.equal(valueOf(await metrics.text(), 'dcr_example', { kind: 'a' }), 1)

  let fails = false
  const sometimes = { dcr_sometimes: { help: 'There at times.', labelNames: ['kind'] } } as const
  metrics.watch({
    name: 'sometimes',
    gauges: sometimes,
    everyMs: 0,
    read () {
      if (fails) throw new Error('away')
      return { dcr_sometimes: [{ labels: { kind: 'b' }, value: 7 }] }
    }
  })
  t.equal(valueOf(await metrics.text(), 'dcr_sometimes', { kind: 'b' }), 7)
  fails = true
  const text = await metrics.text()
  t.ok(Number.isNaN(valueOf(text, 'dcr_sometimes')))
  t.equal(valueOf(text, 'dcr_reading_up', { group: 'sometimes' }), 0)

  const silent = { dcr_silent: { help: 'Never there.', labelNames: ['kind'] } } as const
  metrics.watch({ name: 'silent', gauges: silent, everyMs: 0, read: async () => await new Promise<{ dcr_silent: [] }>(() => {}) })
  t.equal(valueOf(await metrics.text(), 'dcr_example', { kind: 'a' }), 1)

  const count = metrics.counter('dcr_of_a_part_total', 'What a part counts.', ['outcome'])
  count({ outcome: 'ok' })
  count({ outcome: 'ok' }, 2)
  t.equal(valueOf(await metrics.text(), 'dcr_of_a_part_total', { outcome: 'ok' }), 3)
})

t.test('the log leads from the id in the answer to every Graph attempt, each under a fresh id of its own and with Graph\'s', async t => {
  const broker = await startTestBroker(t)
  broker.simulator.control.faults.add({ match: { method: 'POST', path: 'addPassword$' }, action: { type: 'status', status: 503 } })
  const answer = await broker.konnect('POST', '', konnectApplication())
  t.equal(answer.status, 201)
  const { rows: [row] } = await broker.database.query<{ id: string }>('SELECT id FROM registration')
  const calls = linesOf(broker.logLines, 'Graph call')
  t.same(calls.map(({ call }) => call), ['upsert application', 'upsert principal', 'add password', 'list passwords', 'add password'])
  for (const call of calls) t.match(call, { requestId: answer.headers.get('x-request-id'), registrationId: row?.id, graphRequestId: /^[\da-f-]{36}$/ })
  const ids = calls.map(({ clientRequestId }) => clientRequestId)
  t.equal(new Set(ids).size, 5)
  const sent = broker.simulator.control.journal.entries({ path: '^/v1.0/(applications|servicePrincipals)' })
  t.same(sent.map(({ clientRequestId }) => clientRequestId), ids, 'they are what Graph was told')
})

interface Span { name: string, traceId: string, spanId: string, parentSpanId?: string, attributes: Array<{ key: string, value: Record<string, unknown> }> }

/** Takes spans over OTLP/HTTP, as a collector does. */
async function startCollector (t: Test) {
  const spans: Span[] = []
  const bodies: string[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks).toString()
      bodies.push(body)
      const { resourceSpans } = JSON.parse(body) as { resourceSpans: Array<{ scopeSpans: Array<{ spans: Span[] }> }> }
      spans.push(...resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(scope => scope.spans)))
      response.setHeader('content-type', 'application/json').end('{}')
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => { server.closeAllConnections(); server.close() })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, spans, bodies }
}

t.test('a traced request shows its use case, its commits and its Graph attempts within the caller\'s trace, and no secret', async t => {
  const collector = await startCollector(t)
  const broker = await startTestBroker(t, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url } })
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const answer = await broker.konnect('POST', '?token=query-canary', konnectApplication(), { traceparent: `00-${traceId}-00f067aa0ba902b7-01` })
  t.equal(answer.status, 201)
  const root = await eventually('the spans are sent', () => collector.spans.find(({ name }) => name === 'POST /konnect'))
  const ours = collector.spans.filter(span => span.traceId === traceId)
  t.equal(root.parentSpanId, '00f067aa0ba902b7')
  const useCase = ours.find(({ name }) => name === 'use case register')
  t.equal(useCase?.parentSpanId, root.spanId)
  const children = ours.filter(({ parentSpanId }) => parentSpanId === useCase?.spanId).map(({ name }) => name)
  for (const name of ['database reserve', 'graph upsert application', 'graph upsert principal', 'graph add password', 'database save']) t.ok(children.includes(name), name)
  t.same(root.attributes.find(({ key }) => key === 'dcr.request_id')?.value, { stringValue: answer.headers.get('x-request-id') })
  for (const body of collector.bodies) {
    for (const secret of [answer.body.client_secret, 'query-canary', 'konnect_key_of_the_tests', 'Orders app', broker.simulator.broker.clientSecret]) t.notOk(body.includes(secret))
  }
})

t.test('a collector that is away costs no request and does not hold the end', async t => {
  const broker = await startTestBroker(t, { environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' } })
  t.equal((await broker.konnect('POST', '', konnectApplication())).status, 201)
  t.equal((await broker.konnect('POST', '', konnectApplication(), { traceparent: 'not-a-traceparent' })).status, 201)
})
