// Pages of any origin may read the metadata, register and manage; the bridge is not for them.
import t from 'tap'
import { CLIENT_ID, INITIAL_TOKEN, openSurface } from './surface.ts'

const origin = 'https://inspector.example.com'
const addresses = [
  '/register', `/register/${CLIENT_ID}`, '/t/sales/register', `/t/sales/register/${CLIENT_ID}`,
  '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration', '/.well-known/oauth-authorization-server/t/sales',
  '/t/sales/.well-known/openid-configuration'
]

t.test('a preflight needs no token and allows what clients send', async t => {
  const { send, calls } = await openSurface(t)
  for (const url of addresses) {
    const { statusCode, headers, body } = await send('OPTIONS', url, {
      token: null, headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' }
    })
    t.equal(statusCode, 204, url)
    t.equal(body, '')
    t.match(headers, { 'access-control-allow-origin': '*', 'cache-control': 'no-store' }, url)
    const listOf = (name: string) => String(headers[name]).toLowerCase().split(', ').sort()
    t.strictSame(listOf('access-control-allow-methods'), ['delete', 'get', 'options', 'post', 'put'], url)
    t.strictSame(listOf('access-control-allow-headers'), ['authorization', 'content-type', 'idempotency-key', 'mcp-protocol-version'], url)
    t.notOk('access-control-allow-credentials' in headers, url)
  }
  t.strictSame(calls, [])
})

t.test('an OPTIONS that is no preflight is answered like one', async t => {
  const { send } = await openSurface(t)
  for (const url of addresses) t.equal((await send('OPTIONS', url, { token: null })).statusCode, 204, url)
})

t.test('answers and failures alike are open to pages, with the headers that say what to do', async t => {
  const { send } = await openSurface(t)
  const body = { redirect_uris: ['https://app.example.com/cb'] }
  const answers = [
    [201, await send('POST', '/register', { body, headers: { origin } })],
    [400, await send('POST', '/register', { body: '[]', headers: { origin } })],
    [401, await send('POST', '/register', { token: null, body, headers: { origin } })],
    [401, await send('GET', `/register/${CLIENT_ID}`, { token: INITIAL_TOKEN, headers: { origin } })],
    [405, await send('GET', '/register', { headers: { origin } })],
    [404, await send('GET', '/.well-known/other', { headers: { origin } })],
    [200, await send('GET', '/.well-known/oauth-authorization-server', { headers: { origin } })]
  ] as const
  for (const [status, { statusCode, headers }] of answers) {
    t.equal(statusCode, status)
    t.match(headers, { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'www-authenticate, retry-after, x-request-id, location, idempotency-replayed' })
  }
})

t.test('the bridge says nothing about origins', async t => {
  const { send } = await openSurface(t)
  for (const method of ['OPTIONS', 'POST']) {
    const { statusCode, headers } = await send(method, '/konnect', { token: null, headers: { origin, 'access-control-request-method': 'POST' } })
    t.equal(statusCode, 401)
    t.notOk('access-control-allow-origin' in headers)
  }
  t.equal((await send('OPTIONS', '/unknown', { headers: { origin } })).statusCode, 404)
})
