// What the operations listener refuses, and how: problem documents in Konnect's form.
import type { FastifyInstance, InjectOptions } from 'fastify'
import t from 'tap'
import { unconnectedIdempotency } from '../../scripts/unconnected.ts'
import { encodeCursor } from '../../src/http/operations/listing/cursor.ts'
import { StoreUnavailableError } from '../../src/registration/ports.ts'
import { buildOperationsServer } from '../../src/http/operations-server.ts'
import { createReadiness } from '../../src/http/readiness.ts'
import { createLogger } from '../../src/logger.ts'
import { createRegistrationsReader } from '../../src/registration/browse.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createRegistrationBrowser } from '../../src/store/registration-browser.ts'
import { authorized, brokenResources, createRecords, createServer, operator } from './operations-server.ts'

const id = '0197b2e4-7a11-7c3e-9d55-1b2f6a7c8d90'

interface ProblemBody { status: number, title: string, instance: string, detail: string, invalid_parameters?: Array<Record<string, unknown>> }

async function problemOf (server: FastifyInstance, request: InjectOptions) {
  const response = await server.inject(request)
  const body = response.json<ProblemBody>()
  if (!/^application\/problem\+json\b/.test(String(response.headers['content-type']))) throw new Error(`Not a problem: ${response.body}`)
  return { headers: response.headers, body, statusCode: response.statusCode }
}

t.test('a request without a valid operator key gets 401 and the challenge, before its parameters are looked at', async t => {
  const server = await createServer(t)
  for (const url of ['/v2/registrations?nonsense=1', '/v2/registrations/not-a-uuid']) {
    const { body, headers, statusCode } = await problemOf(server, { url })
    t.equal(statusCode, 401)
    t.equal(headers['www-authenticate'], 'Bearer realm="dcr-broker"')
    t.match(body, { status: 401, title: 'Unauthorized', instance: `dcr-broker:trace:${String(headers['x-request-id'])}` })
    for (const authorization of ['Bearer wrong-key-0123456789', 'Basic b3A6a2V5', 'Bearer', `Bearer ${'x'.repeat(600)}`]) {
      const refused = await problemOf(server, { url, headers: { authorization } })
      t.equal(refused.statusCode, 401)
      t.match(refused.headers['www-authenticate'], /error="invalid_token"/)
    }
  }
})

t.test('an audit is asked for by an id: anything else is named as the fault, and PostgreSQL is not asked', async t => {
  const server = await createServer(t, { caller: { ...operator, scopes: ['audit'] } })
  const { body, statusCode } = await problemOf(server, { url: '/v2/registrations/not-a-uuid/audit', headers: authorized })
  t.equal(statusCode, 400)
  t.match(body.invalid_parameters, [{ field: 'id', rule: 'is_uuid', source: 'path' }])
})

t.test('a key of another kind is no operator key', async t => {
  const server = await createServer(t, { caller: { ...operator, kind: 'konnect' } })
  t.equal((await problemOf(server, { url: '/v2/registrations', headers: authorized })).statusCode, 401)
})

t.test('an operator whose key lacks the scope gets 403 and learns which', async t => {
  const server = await createServer(t, { caller: { ...operator, scopes: ['audit'] } })
  const { headers, statusCode } = await problemOf(server, { url: `/v2/registrations/${id}`, headers: authorized })
  t.equal(statusCode, 403)
  t.match(headers['www-authenticate'], /error="insufficient_scope", scope="read"/)
})

t.test('every faulty parameter of a list is named, with rule, reason and source', async t => {
  const server = await createServer(t)
  const query = 'page[size]=0&page[number]=x&sort=secret&filter[state]=gone&filter[id]=7&filter[created_at][gt]=yesterday&filter[state][contains]=a&filter[nope]=1&limit=5&filter[provider]=a&filter[provider]=b&filter[client_name]=%00'
  const { body, statusCode } = await problemOf(server, { url: `/v2/registrations?${query}`, headers: authorized })
  t.equal(statusCode, 400)
  t.match(body, { title: 'Bad request', detail: 'Invalid parameters' })
  const found = Object.fromEntries((body.invalid_parameters ?? []).map(({ field, rule }) => [field, rule]))
  t.same(found, {
    'filter[provider]': 'is_string',
    sort: 'enum',
    'page[size]': 'min',
    'page[number]': 'is_integer',
    'filter[state]': 'enum',
    'filter[id]': 'is_uuid',
    'filter[created_at][gt]': 'is_date_time',
    'filter[state][contains]': 'unknown_property',
    'filter[nope]': 'unknown_property',
    limit: 'unknown_property',
    'filter[client_name]': 'invalid'
  })
  for (const { reason, source } of body.invalid_parameters ?? []) {
    t.equal(source, 'query')
    t.match(reason, /^The .+\.$/)
  }
  t.match(body.invalid_parameters?.find(each => each.field === 'filter[state]'), { choices: ['reserved', 'application_created'] })
})

const badValues: Array<[parameter: string, value: string, rule: string]> = [
  ['page[size]', '101', 'max'],
  ['page[size]', '1.5', 'is_integer'],
  ['filter[created_at][lt]', '2026-01-01', 'is_date_time'],
  ['filter[created_at][lt]', '2026-13-01T00:00:00Z', 'is_date_time'],
  ['filter[created_at][lt]', '0001-01-01T00:00:00+10:00', 'is_date_time'],
  ['filter[created_at]', '2026-01-01T00:00:00Z', 'unknown_property'],
  ['filter[client_name]', '', 'min_length'],
  ['filter[client_name][contains]', 'x'.repeat(1_001), 'max_length'],
  ['filter[id][oeq]', `${id},x`, 'is_uuid'],
  ['filter[id][oeq]', new Array(51).fill(id).join(','), 'max_items'],
  ['filter[__proto__]', '1', 'unknown_property'],
  ['filter[constructor][eq]', '1', 'unknown_property'],
  ['page[after]', '%%%', 'invalid'],
  ['page[after]', Buffer.from('{"a":1}').toString('base64url'), 'invalid'],
  ['page[after]', encodeCursor({ value: new Date(0), id }, 'created_at asc'), 'invalid'],
  ['page[after]', encodeCursor({ value: 'never', id }, 'created_at desc'), 'invalid'],
  ['page[after]', encodeCursor({ value: new Date(0), id: 'x' }, 'created_at desc'), 'invalid']
]
for (const [parameter, value, rule] of badValues) {
  t.test(`${parameter}=${value.slice(0, 40)} is refused as ${rule}`, async t => {
    const server = await createServer(t)
    const { body, statusCode } = await problemOf(server, { url: '/v2/registrations', query: { [parameter]: value }, headers: authorized })
    t.equal(statusCode, 400)
    t.match(body.invalid_parameters, [{ field: parameter, rule, source: 'query' }])
    t.equal(body.invalid_parameters?.length, 1)
  })
}

t.test('a page that ends beyond row 10,000 is refused with a hint at page[after]; the last one before it is served', async t => {
  const records = await createRecords(t)
  const server = await createServer(t, { records })
  const ask = (number: string) => ({ url: '/v2/registrations', query: { 'page[size]': '30', 'page[number]': number }, headers: authorized })
  const { body, statusCode } = await problemOf(server, ask('334'))
  t.equal(statusCode, 400)
  t.match(body.invalid_parameters, [{ field: 'page[number]', rule: 'max', maximum: 333, reason: /page\[after\]/ }])
  t.equal((await server.inject(ask('333'))).statusCode, 200)
})

t.test('page[number] and page[after] exclude each other', async t => {
  const server = await createServer(t)
  const cursor = encodeCursor({ value: new Date(0), id }, 'created_at desc')
  const { body } = await problemOf(server, { url: '/v2/registrations', query: { 'page[after]': cursor, 'page[number]': '2' }, headers: authorized })
  t.match(body.invalid_parameters, [{ field: 'page[number]', rule: 'invalid' }])
})

t.test('an id that is no UUID, and an unknown parameter of one registration, are refused by the schema in the same form', async t => {
  const server = await createServer(t, { caller: { ...operator, scopes: ['read', 'audit'] } })
  // The second is a list, whose query is judged by other means.
  for (const url of ['/v2/registrations/7', '/v2/registrations/7/audit']) {
    const badId = await problemOf(server, { url, headers: authorized })
    t.equal(badId.statusCode, 400, url)
    t.match(badId.body.invalid_parameters, [{ field: 'id', rule: 'is_uuid', source: 'path' }], url)
  }
  const badQuery = await problemOf(server, { url: `/v2/registrations/${id}?expand=all`, headers: authorized })
  t.match(badQuery.body.invalid_parameters, [{ field: 'expand', rule: 'unknown_property', source: 'query' }])
})

t.test('an unknown route is 404, a wrong method 405 with the methods there are, both without a key', async t => {
  const server = await createServer(t)
  for (const url of ['/', '/v2', '/v2/nothing', '/healthz/x', `/v2/registrations/${id}/secrets`]) {
    t.equal((await problemOf(server, { url })).statusCode, 404, url)
  }
  for (const url of ['/v2/registrations', '/v2/registrations/', `/v2/registrations/${id}?x=1`, '/healthz', '/docs']) {
    const { headers, statusCode, body } = await problemOf(server, { url, method: 'POST', payload: { a: 1 } })
    t.equal(statusCode, 405, url)
    t.equal(headers.allow, url.includes(id) ? 'DELETE, GET, HEAD, PATCH' : 'GET, HEAD')
    t.match(body.detail, /\[POST\]/)
  }
})

t.test('a URL that can\'t be decoded is a 400 problem', async t => {
  const server = await createServer(t)
  t.equal((await problemOf(server, { url: '/v2/%zz', headers: authorized })).statusCode, 400)
})

t.test('an error nobody knows is 500 without its text', async t => {
  const server = await createServer(t)
  const { body, statusCode } = await problemOf(server, { url: '/v2/registrations', headers: authorized })
  t.equal(statusCode, 500)
  t.match(body, { title: 'Internal server error' })
  t.notMatch(JSON.stringify(body), /hunter2|postgresql/)
})

t.test('a database that is away is 503 with Retry-After, not the caller\'s fault', async t => {
  const { prisma, close } = openDatabase({ connectionString: 'postgresql://nobody@127.0.0.1:1/nothing' })
  t.teardown(close)
  const server = await createServer(t, { records: { reader: createRegistrationsReader(createRegistrationBrowser(prisma)) } })
  for (const url of ['/v2/registrations', `/v2/registrations/${id}`]) {
    const { headers, statusCode } = await problemOf(server, { url, headers: authorized })
    t.equal(statusCode, 503)
    t.match(headers['retry-after'], /^\d+$/)
  }
})

t.test('while callers can\'t be looked up yet, a request gets 503', async t => {
  const server = await buildOperationsServer({
    logger: createLogger({ level: 'silent' }),
    resources: brokenResources,
    recogniseCaller: async () => { throw new StoreUnavailableError('Not started yet') },
    idempotency: unconnectedIdempotency,
    readiness: createReadiness({ checks: {}, tenants: () => ({}) }),
    documents: {},
    version: '1.2.3',
    metrics: { contentType: 'text/plain', text: async () => '' }
  })
  t.teardown(async () => await server.close())
  t.equal((await problemOf(server, { url: '/v2/registrations', headers: authorized })).statusCode, 503)
})
