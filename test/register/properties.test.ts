// Whatever is sent: what was registered is what is read, every refusal has the form of the RFC, and nothing is the broker's fault.
import { Agent, METHODS, request as send, type IncomingHttpHeaders } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { INITIAL_ACCESS_TOKEN, startTestBroker } from '../support/broker.ts'
import { documents } from './differential/documents.ts'

const SEED = 7592
const ROUND_TRIPS = 120
const ODD_REQUESTS = 1_000
const MANAGED = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at']

type Body = Record<string, unknown>

t.test('an accepted document is read as it was answered, and registers the same again when it is put back', async t => {
  const broker = await startTestBroker(t)
  t.comment(`${ROUND_TRIPS} documents of the seed ${SEED}`)
  let accepted = 0
  await fc.assert(fc.asyncProperty(documents, async ({ body }) => {
    const made = await broker.register(body)
    if (made.status !== 201) return
    accepted += 1
    const uri = String(made.body.registration_client_uri)
    const read = await broker.manage('GET', uri, made.body.registration_access_token)
    expectSame('GET after POST', made.body, read.body, [])
    const put = await broker.manage('PUT', uri, made.body.registration_access_token, without(read.body, MANAGED))
    expectSame('PUT', made.body, put.body, ['registration_access_token'])
    const readAgain = await broker.manage('GET', uri, put.body.registration_access_token)
    expectSame('GET after PUT', put.body, readAgain.body, [])
    for (const answer of [made, read, put, readAgain]) {
      if (emptyIn(answer.body)) throw new Error(`null or "" in ${JSON.stringify(answer.body)}`)
      if (answer.headers.get('cache-control') !== 'no-store') throw new Error('an answer that may be stored')
    }
  }), { seed: SEED, numRuns: ROUND_TRIPS })
  t.ok(accepted >= ROUND_TRIPS / 4, 'many of them were registered', { accepted })
})

t.test('no request is answered with a 5xx, with a refusal in another form than the RFC\'s, or with a null or empty member', async t => {
  const broker = await startTestBroker(t)
  const made = await broker.register({ redirect_uris: ['https://app.example.com/cb'] })
  t.equal(made.status, 201)
  t.comment(`${ODD_REQUESTS} requests of the seed ${SEED}`)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const seen = new Map<number, number>()
  await fc.assert(fc.asyncProperty(oddRequests({ clientId: made.body.client_id, token: made.body.registration_access_token }), async odd => {
    const answer = await exchange(broker.url, agent, odd)
    seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
    const faults = faultsOf(odd.method, answer)
    if (faults.length > 0) throw new Error(`${faults.join(', ')}: ${answer.status} ${JSON.stringify(answer.headers)} ${answer.text.slice(0, 1_000)}`)
  }), { seed: SEED, numRuns: ODD_REQUESTS })
  for (const status of [200, 201, 400, 401, 404, 405, 413, 415]) t.ok(seen.has(status), `${status} was among the answers`, Object.fromEntries(seen))
})

function without (document: Body, members: readonly string[]): Body {
  return Object.fromEntries(Object.entries(document).filter(([member]) => !members.includes(member)))
}

function expectSame (when: string, one: Body, other: Body, except: readonly string[]): void {
  if (isDeepStrictEqual(without(one, except), without(other, except))) return
  throw new Error(`${when}: ${JSON.stringify(other)} is not ${JSON.stringify(one)}`)
}

function emptyIn (value: unknown): boolean {
  if (typeof value !== 'object') return value === ''
  return value === null || Object.values(value).some(emptyIn)
}

interface OddRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: string | Uint8Array | null
}

interface RawAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

async function exchange (base: string, agent: Agent, { method, path, headers, body }: OddRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(base)
  return await new Promise((resolve, reject) => {
    const sent = send({ agent, hostname, port, method, path, headers: { ...headers, ...(body !== null && { 'content-length': Buffer.byteLength(body) }) } }, answer => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => { text += chunk })
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }))
      answer.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body ?? undefined)
  })
}

function faultsOf (method: string, { status, headers, text }: RawAnswer): string[] {
  const faults: Array<[boolean, string]> = [
    [status >= 500 || status < 200, 'a fault of the broker'],
    [headers['cache-control'] !== 'no-store', 'it may be stored'],
    [status === 400 && headers['www-authenticate'] !== undefined, 'a challenge on 400'],
    [status === 401 && !/^Bearer realm="/.test(headers['www-authenticate'] ?? ''), 'no challenge on 401'],
    [status === 405 && headers.allow === undefined, 'no Allow on 405'],
    [method !== 'HEAD' && status >= 400 && !isRefusal(headers, text), 'not {error, error_description} in ASCII'],
    [status < 400 && text !== '' && emptyIn(JSON.parse(text)), 'a null or empty member']
  ]
  return faults.flatMap(([found, fault]) => found ? [fault] : [])
}

// RFC 7591 §3.2.2
function isRefusal (headers: IncomingHttpHeaders, text: string): boolean {
  if (!/^application\/json(;|$)/.test(headers['content-type'] ?? '')) return false
  const body = JSON.parse(text)
  return isDeepStrictEqual(Object.keys(body).sort(), ['error', 'error_description']) &&
    Object.values(body).every(value => typeof value === 'string' && /^[\x20-\x7e]+$/.test(value))
}

const KNOWN = { redirect_uris: ['https://app.example.com/cb'], client_name: 'x' }
const MEMBERS = [
  ...MANAGED, 'client_id', 'client_secret', 'redirect_uris', 'token_endpoint_auth_method', 'grant_types', 'response_types', 'client_name', 'client_uri',
  'logo_uri', 'scope', 'contacts', 'tos_uri', 'policy_uri', 'jwks', 'jwks_uri', 'software_id', 'software_version', 'application_type', 'subject_type',
  'post_logout_redirect_uris', 'initiate_login_uri', 'token_endpoint_auth_signing_alg', 'id_token_signed_response_alg', 'entra_platform',
  'entra_federated_identity_credentials', 'client_name#ja', 'client_name#', 'tos_uri#x', 'x_unheard_of', 'constructor', ''
]
/** Latin-1, as far as HTTP lets it through. */
const HEADER_TEXT = fc.array(fc.integer({ min: 0x20, max: 0xff }).filter(unit => unit !== 0x7f), { maxLength: 60 }).map(units => String.fromCharCode(...units))

/** Of somebody who has the tokens, or none, or odd ones. */
function oddRequests ({ clientId, token }: { clientId: string, token: string }): fc.Arbitrary<OddRequest> {
  const id = fc.oneof(
    { weight: 3, arbitrary: fc.constant(clientId) },
    { weight: 1, arbitrary: fc.constantFrom(clientId.toUpperCase(), `${clientId}/`, `${clientId}/more`, `${clientId}?x=1`, '%', '%zz', '%00', '%C3%28', '..', '%2e%2e', '__proto__', 'null') },
    { weight: 1, arbitrary: fc.oneof(fc.uuid(), fc.string({ unit: 'binary' }).map(text => encodeURIComponent(text.toWellFormed())), fc.constant('a'.repeat(5_000))) }
  )
  const path = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom('/register', '/register/', '/register?dry_run=true', '/register?dry_run=perhaps', '/register?dry_run=true&dry_run=true') },
    { weight: 2, arbitrary: id.map(id => `/register/${id}`) },
    { weight: 1, arbitrary: id.map(id => `/t/${id}/register`) },
    { weight: 1, arbitrary: fc.constantFrom('/t/default/register', `/t/default/register/${clientId}`, `/t/x/register/${clientId}`, '/t//register', '//register') }
  )
  const authorization = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(INITIAL_ACCESS_TOKEN, token).map(token => `Bearer ${token}`) },
    { weight: 1, arbitrary: fc.oneof(HEADER_TEXT, HEADER_TEXT.map(text => `Bearer ${text}`), fc.base64String().map(text => `bearer  ${text}`)) },
    { weight: 1, arbitrary: fc.constantFrom('Bearer', 'Basic dXNlcjpwYXNz', `Bearer dcr_iat_${'A'.repeat(43)}`, `Bearer ${token},${token}`, `Bearer ${'a'.repeat(9_000)}`, 'Bearer eyJhbGciOiJub25lIn0.e30.') }
  )
  const contentType = fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8') },
    { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16', 'multipart/form-data; boundary=x', 'json') },
    { weight: 1, arbitrary: HEADER_TEXT }
  )
  const member = fc.tuple(fc.constantFrom(...MEMBERS), fc.oneof(fc.jsonValue(), fc.array(fc.string({ unit: 'binary' })), fc.string({ unit: 'binary' })))
  const document = fc.tuple(fc.constantFrom<Body>(KNOWN, { ...KNOWN, client_id: clientId }, {}), fc.array(member, { maxLength: 3 }))
    .map(([known, members]) => JSON.stringify({ ...known, ...Object.fromEntries(members) }))
  const body = fc.oneof(
    { weight: 5, arbitrary: document },
    { weight: 1, arbitrary: fc.jsonValue().map(value => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.oneof(fc.string(), fc.uint8Array({ minLength: 1 }), fc.constant(null)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '['.repeat(50_000), `{"jwks":${'{"keys":['.repeat(5_000)}${']}'.repeat(5_000)}}`, `{"x":${'['.repeat(15)}${']'.repeat(15)}}`,
        JSON.stringify({ ...KNOWN, client_name: 'n'.repeat(200_000) }), JSON.stringify({ ...KNOWN, scope: 's '.repeat(100_000) }),
        JSON.stringify({ client_name: 'n'.repeat(300_000) }), JSON.stringify({ redirect_uris: Array(20_000).fill('x') }),
        '{"client_name":"\\u0000","redirect_uris":["https://app.example.com/cb"]}', '{"client_name":"\\ud800"}', '{"__proto__":{"a":1}}', '\ufeff{}',
        '{"client_id_issued_at":1e999}', '{"redirect_uris":["https://a.example/","https://a.example/"],"redirect_uris":[]}'
      )
    }
  )
  const headers = fc.record({
    authorization,
    'content-type': contentType,
    'idempotency-key': fc.oneof(HEADER_TEXT, fc.constantFrom('once', 'k'.repeat(300))),
    'content-encoding': fc.constantFrom('identity', 'gzip'),
    accept: fc.constantFrom('application/xml', '*/*', 'text/html'),
    origin: fc.constantFrom('https://page.example', 'null'),
    'access-control-request-method': fc.constantFrom('POST', 'X')
  }, { requiredKeys: [] })
  const shown = (bearer: string) => fc.tuple(fc.oneof(fc.constant({}), headers), contentType).map(([others, type]) =>
    ({ 'content-type': type, ...others, authorization: `Bearer ${bearer}` }))
  const anyMethod = fc.constantFrom(...METHODS.filter(method => method !== 'CONNECT'))
  const anything = fc.record({ method: fc.oneof(fc.constantFrom('POST', 'GET', 'PUT', 'DELETE'), anyMethod), path, headers, body })
  const registering = fc.record({
    method: fc.constant('POST'), path: fc.constantFrom('/register', '/register?dry_run=true', '/register/'), headers: shown(INITIAL_ACCESS_TOKEN), body
  })
  const managing = fc.record({ method: fc.constantFrom('PUT', 'PUT', 'GET'), path: fc.constant(`/register/${clientId}`), headers: shown(token), body })
  return fc.oneof(
    { weight: 3, arbitrary: anything.filter(({ method, headers }) => method !== 'DELETE' || headers.authorization !== `Bearer ${token}`) },
    { weight: 3, arbitrary: registering },
    { weight: 2, arbitrary: managing }
  )
}
