// Who gets past the door of /register, and what the others are told (RFC 6750 §3, RFC 7592 §2).
import t from 'tap'
import { CLIENT_ID, INITIAL_TOKEN, MANAGEMENT_TOKEN, READING_TOKEN, isFailure, openSurface } from './surface.ts'

const CHALLENGE = 'Bearer realm="dcr-broker"'
const INVALID = `${CHALLENGE}, error="invalid_token"`
const CLIENT = `/register/${CLIENT_ID}`
const document = { redirect_uris: ['https://app.example.com/cb'] }

t.test('without a token the challenge names no error, with a wrong one it does, and the body is not looked at', async t => {
  const { send, calls } = await openSurface(t)
  const cases: Array<[name: string, headers: Record<string, string>, challenge: string]> = [
    ['nothing', {}, CHALLENGE],
    ['another scheme', { authorization: 'Basic eDp5' }, CHALLENGE],
    ['a key of Konnect', { 'x-api-key': INITIAL_TOKEN }, CHALLENGE],
    ['an unknown token', { authorization: 'Bearer unknown' }, INVALID],
    ['no token behind the scheme', { authorization: 'Bearer' }, INVALID],
    ['what no bearer token can be', { authorization: 'Bearer a b' }, INVALID]
  ]
  for (const [name, headers, challenge] of cases) {
    for (const [method, url] of [['POST', '/register'], ['GET', CLIENT], ['PUT', CLIENT], ['DELETE', CLIENT], ['POST', '/t/sales/register']] as const) {
      const answer = await send(method, url, { token: null, headers: { 'content-type': 'application/json', ...headers }, body: 'no JSON' })
      isFailure(t, answer, 401, 'invalid_token', `${name}, ${method}`)
      t.equal(answer.headers['www-authenticate'], challenge, `${name}, ${method}: challenge`)
    }
  }
  t.strictSame([...new Set(calls)].sort(), ['holderOf', 'recognise'], 'no use case')
})

t.test('a token in the query or in the body is none', async t => {
  const { send } = await openSurface(t)
  const inBody = await send('POST', '/register', { token: null, body: { ...document, access_token: INITIAL_TOKEN } })
  const inQuery = await send('POST', `/register?access_token=${INITIAL_TOKEN}`, { token: null, body: document })
  for (const answer of [inBody, inQuery]) t.match(answer, { statusCode: 401, headers: { 'www-authenticate': CHALLENGE } })
  t.equal((await send('POST', '/register', { body: document })).statusCode, 201, 'positive control')
})

t.test('the scheme is written in any case', async t => {
  const { send } = await openSurface(t)
  for (const scheme of ['bearer', 'BEARER']) {
    t.equal((await send('POST', '/register', { token: null, headers: { authorization: `${scheme} ${INITIAL_TOKEN}` }, body: document })).statusCode, 201)
  }
})

t.test('a token that does not allow to register is 403 insufficient_scope', async t => {
  const { send } = await openSurface(t)
  const answer = await send('POST', '/register', { token: READING_TOKEN, body: document })
  isFailure(t, answer, 403, 'insufficient_scope', 'reading token')
  t.equal(answer.headers['www-authenticate'], `${CHALLENGE}, error="insufficient_scope", scope="register"`)
})

t.test('where registration is open nobody needs a token, and one that is shown is judged all the same', async t => {
  const { send, registered } = await openSurface(t, { mode: 'open' })
  t.equal((await send('POST', '/register', { token: null, body: document })).statusCode, 201)
  t.equal((await send('POST', '/register', { body: document })).statusCode, 201)
  t.strictSame(registered.map(({ caller }) => caller.kind), ['anonymous', 'initial_access_token'])
  isFailure(t, await send('POST', '/register', { token: 'unknown', body: document }), 401, 'invalid_token', 'a wrong token')
})

t.test('where it is disabled there is no such address, and what is registered stays managed', async t => {
  const { send } = await openSurface(t, { mode: 'disabled' })
  for (const url of ['/register', '/t/sales/register']) {
    for (const token of [INITIAL_TOKEN, null]) isFailure(t, await send('POST', url, { body: document, token }), 404, 'not_found', url)
  }
  t.match(await send('GET', CLIENT, { token: null }), { statusCode: 401, headers: { 'www-authenticate': CHALLENGE } })
})

t.test('an unknown client, a malformed id and a wrong token get the same answer', async t => {
  const { send } = await openSurface(t)
  await send('POST', '/register', { body: document })
  t.equal((await send('GET', CLIENT, { token: MANAGEMENT_TOKEN })).statusCode, 200, 'positive control')
  t.equal((await send('GET', CLIENT.toUpperCase().replace('/REGISTER', '/register'), { token: MANAGEMENT_TOKEN })).statusCode, 200, 'a GUID has no case')
  const cases = [['/register/01a20951-0000-4000-8000-0000000000ff', MANAGEMENT_TOKEN], ['/register/x', MANAGEMENT_TOKEN], [CLIENT, INITIAL_TOKEN]] as const
  for (const [url, token] of cases) {
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await send(method, url, { token, body: {} })
      isFailure(t, answer, 401, 'invalid_token', `${method} ${url}`)
      t.equal(answer.headers['www-authenticate'], INVALID)
    }
  }
})

t.test('a provider that nobody knows is 404, and the default one has no second address', async t => {
  const { send } = await openSurface(t)
  for (const name of ['unknown', 'default']) {
    isFailure(t, await send('POST', `/t/${name}/register`, { body: document }), 404, 'not_found', name)
    isFailure(t, await send('GET', `/t/${name}/register/${CLIENT_ID}`, { token: MANAGEMENT_TOKEN }), 404, 'not_found', name)
  }
})
