// Every answer of /register has the form of the standard: statuses, headers, {error, error_description}.
import t from 'tap'
import { RegistrationError, type RegistrationErrorCode } from '../../../src/registration/errors.ts'
import { DirectoryError, StoreUnavailableError } from '../../../src/registration/ports.ts'
import { CLIENT_ID, MANAGEMENT_TOKEN, isFailure, openSurface } from './surface.ts'

const CLIENT = `/register/${CLIENT_ID}`
const document = { redirect_uris: ['https://app.example.com/cb'] }

t.test('a wrong method is 405 with the methods there are, whatever the body and the token', async t => {
  const { send, calls } = await openSurface(t)
  const cases = [
    ['/register', ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'PROPFIND'], 'OPTIONS, POST'],
    ['/register/', ['GET'], 'OPTIONS, POST'],
    ['/t/sales/register', ['GET'], 'OPTIONS, POST'],
    [CLIENT, ['POST', 'PATCH'], 'DELETE, GET, HEAD, OPTIONS, PUT'],
    [`/t/sales${CLIENT}`, ['POST'], 'DELETE, GET, HEAD, OPTIONS, PUT'],
    ['/.well-known/oauth-authorization-server', ['POST'], 'GET, HEAD, OPTIONS']
  ] as const
  for (const [url, methods, allow] of cases) {
    for (const method of methods) {
      const answer = await send(method, url, { token: null, headers: { 'content-type': 'text/plain' }, body: 'x' })
      t.equal(answer.headers.allow, allow, `${method} ${url}: Allow`)
      if (method === 'HEAD') t.equal(answer.statusCode, 405)
      else isFailure(t, answer, 405, 'invalid_request', `${method} ${url}`)
    }
  }
  t.strictSame(calls, [])
})

t.test('a path beneath that does not exist is 404', async t => {
  const { send } = await openSurface(t)
  for (const url of [`${CLIENT}/secrets`, '/t/sales/register/a/b', '/.well-known/other', '/t/sales/.well-known/other']) {
    isFailure(t, await send('GET', url), 404, 'not_found', url)
  }
})

t.test('a body that can\'t be read is invalid_request, one that is no object is no metadata', async t => {
  const { send } = await openSurface(t)
  const json = { 'content-type': 'application/json' }
  const cases: Array<[name: string, body: string | undefined, headers: Record<string, string>, status: number, error: string]> = [
    ['no JSON', '{', json, 400, 'invalid_request'],
    ['a member that is dangerous', '{"__proto__": {}}', json, 400, 'invalid_request'],
    ['half a surrogate pair', '{"client_name": "\\ud800"}', json, 400, 'invalid_request'],
    ['a form', 'client_name=a', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'invalid_request'],
    ['too much', JSON.stringify({ jwks: 'x'.repeat(300_000) }), json, 413, 'invalid_request'],
    ['null', 'null', json, 400, 'invalid_client_metadata'],
    ['a list', '[]', json, 400, 'invalid_client_metadata'],
    ['a text', '"a"', json, 400, 'invalid_client_metadata'],
    ['an empty body', '', json, 400, 'invalid_client_metadata'],
    ['no body and no type', undefined, {}, 400, 'invalid_client_metadata']
  ]
  for (const [name, body, headers, status, error] of cases) {
    isFailure(t, await send('POST', '/register', { headers, ...(body === undefined ? {} : { body }) }), status, error, name)
  }
})

t.test('every failure of the core has a status of its own, and only a token\'s has a challenge', async t => {
  const { send, fail } = await openSurface(t)
  const statuses: Record<RegistrationErrorCode, [status: number, error: string]> = {
    invalid_client_metadata: [400, 'invalid_client_metadata'],
    invalid_redirect_uri: [400, 'invalid_redirect_uri'],
    invalid_request: [400, 'invalid_request'],
    unknown_client: [401, 'invalid_token'],
    unknown_secret: [404, 'not_found'],
    invalid_token: [401, 'invalid_token'],
    not_permitted: [403, 'access_denied'],
    registration_quota: [403, 'access_denied'],
    secret_limit: [403, 'access_denied'],
    wrong_state: [403, 'access_denied'],
    drifted: [401, 'invalid_token'],
    busy: [503, 'temporarily_unavailable'],
    temporarily_unavailable: [503, 'temporarily_unavailable'],
    throttled_upstream: [503, 'temporarily_unavailable'],
    upstream_credential: [502, 'server_error'],
    upstream_permission: [502, 'server_error'],
    upstream_policy: [502, 'server_error'],
    upstream_quota: [502, 'server_error'],
    upstream_rejected: [502, 'server_error'],
    credential_unreadable: [500, 'server_error'],
    key_in_flight: [409, 'temporarily_unavailable'],
    key_reused: [422, 'invalid_request'],
    answer_void: [409, 'invalid_request']
  }
  for (const [code, [status, error]] of Object.entries(statuses)) {
    fail(new RegistrationError(code as RegistrationErrorCode, 'A sentence.'))
    const answer = await send('POST', '/register', { body: document })
    isFailure(t, answer, status, error, code)
    t.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer realm="dcr-broker", error="invalid_token"' : undefined, code)
    t.equal('retry-after' in answer.headers, status === 503, `${code}: Retry-After`)
  }
})

t.test('what is away while a token is looked up is 503, and what nobody has foreseen is 500 without its text', async t => {
  const { send, fail } = await openSurface(t)
  for (const error of [new StoreUnavailableError('secret text'), new DirectoryError('unavailable', 'secret text')]) {
    fail(error)
    const answer = await send('GET', CLIENT, { token: MANAGEMENT_TOKEN })
    isFailure(t, answer, 503, 'temporarily_unavailable', error.name)
    t.match(answer.headers['retry-after'], /^[1-9]\d*$/)
  }
  fail(new Error('secret text'))
  const answer = await send('POST', '/register', { body: document })
  isFailure(t, answer, 500, 'server_error', 'unforeseen')
  t.notMatch(answer.body, 'secret text')
})

t.test('a sentence is ASCII without quotation marks, whatever is in it', async t => {
  const { send, fail } = await openSurface(t)
  fail(new RegistrationError('invalid_client_metadata', 'The name "é\\\n😀" is not good.'))
  t.equal((await send('POST', '/register', { body: document })).json().error_description, 'The name \'?????\' is not good.')
})

t.test('successes have the statuses of the standard and are never cached', async t => {
  const { send } = await openSurface(t)
  const answers = [
    await send('POST', '/register', { body: document }),
    await send('GET', CLIENT, { token: MANAGEMENT_TOKEN, headers: { 'content-type': 'application/json' } }),
    await send('PUT', CLIENT, { token: MANAGEMENT_TOKEN, body: { client_id: CLIENT_ID, ...document } }),
    await send('DELETE', CLIENT, { token: MANAGEMENT_TOKEN, headers: { 'content-type': 'application/json' } })
  ]
  t.strictSame(answers.map(({ statusCode }) => statusCode), [201, 200, 200, 204])
  for (const { headers } of answers) t.equal(headers['cache-control'], 'no-store')
  for (const { headers } of answers.slice(0, 3)) t.match(headers['content-type'], /^application\/json/)
  t.equal(answers[3]?.body, '')
})
