// The configuration for nginx that is shipped: a real nginx with it, in front of an API and of two replicas of the broker, asked by curl.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { decodeJwt, importJWK, SignJWT, type JWTPayload } from 'jose'
import t from 'tap'
import type { Test } from 'tap'
import { closeServer } from '../../src/close-server.ts'
import { requestTokenV1 } from '../../src/demo/entra-client.ts'
import { konnectApplication } from '../support/broker.ts'
import { echoOf, startEchoServer, valuesOf } from '../support/echo-server.ts'
import { eventually } from '../support/eventually.ts'
import { CLIENT_HEADERS, GATEWAY_KEY, startTwoGateways, V1_API, V1_STRATEGY, V2_STRATEGY } from '../support/gateway.ts'
import { basic, bearer, missingPrograms, prepareNginx, SHIPPED, startNginx, type Nginx } from '../support/nginx.ts'

/** The promise is a second; what a busy machine adds is its own. */
const WITHIN_MS = 1_500
const REALM = 'realm="dcr-broker"'

t.test('every header that names a client is taken from the broker and overwritten on the way to the API', async t => {
  const [check, toApi] = await Promise.all(['location', 'to-api'].map(async name => await readFile(`${SHIPPED}/dcr-broker/${name}.conf`, 'utf8')))
  for (const name of CLIENT_HEADERS) {
    const taken = new RegExp(`^auth_request_set (\\$\\w+) \\$upstream_http_${name.replaceAll('-', '_')};$`, 'm').exec(check ?? '')
    t.ok(taken, name)
    t.match(toApi?.toLowerCase(), `proxy_set_header ${name} ${taken?.[1]};`)
  }
})

const missing = await missingPrograms()
if (missing.length > 0) t.comment(`The shipped configuration of nginx was NOT RUN: this machine has no ${missing.join(' and no ')}.`)
const skip = missing.length > 0 && `this machine has no ${missing.join(' and no ')}`

t.test('nginx with the shipped configuration', { skip }, async t => {
  // Beyond loopback a key of the gateway is asked for; the tests reach the listeners over loopback all the same.
  const gateways = await startTwoGateways(t, { GATEWAY_HOST: '0.0.0.0' })
  const [one, other] = gateways
  const { simulator } = one
  const api = await startEchoServer(t)
  const addresses = gateways.map(({ gatewayUrl }) => new URL(gatewayUrl).host)
  const nginx = async (brokers: readonly string[]): Promise<Nginx> => await startNginx(t, { brokers, api: api.address, gatewayKey: GATEWAY_KEY })
  const [first, second, both] = [await nginx(addresses.slice(0, 1)), await nginx(addresses.slice(1)), await nginx(addresses)]
  const [v1, v2] = [await one.registerClient(V1_STRATEGY), await one.registerClient(V2_STRATEGY)]
  const [tokenV1, tokenV2] = [await one.tokenV1(v1), await one.tokenV2(v2)]
  // A strategy that was made at one replica is known at the other within a second.
  for (const shown of [basic(v1), bearer(tokenV1), bearer(tokenV2)]) await acceptedBy([first, second], shown)

  await t.test('is taken by nginx as it is, without a warning', async t => {
    const prepared = await prepareNginx(t, { brokers: ['127.0.0.1:3003'], api: api.address })
    const said = await prepared.check()
    t.match(said, 'test is successful')
    t.notMatch(said, /\[(warn|error|emerg)\]/)
  })

  await t.test('lets a client in by its secret, and tells the API who it is and not what it has shown', async t => {
    const answer = await both.curl('/orders-of-today?x=1', ...basic(v1))
    t.equal(answer.status, 200)
    t.strictSame(answer.header('x-api'), ['echo'])
    const { method, url, headers } = echoOf(answer)
    t.strictSame([method, url], ['GET', '/orders-of-today?x=1'])
    t.strictSame(valuesOf(headers, 'x-client-id'), [v1.clientId])
    t.strictSame(valuesOf(headers, 'x-developer-id'), [konnectApplication()['developer_id']])
    t.strictSame(valuesOf(headers, 'x-scopes'), ['openid'])
    t.strictSame(valuesOf(headers, 'x-application-id'), [], 'what is empty is not sent')
    t.strictSame(headers.filter(([name]) => ['authorization', 'x-gateway-key', 'x-product-id'].includes(name)), [])
    t.notMatch(JSON.stringify(headers), v1.clientSecret)
  })

  await t.test('lets clients in by a v1 and by a v2 token', async t => {
    for (const [client, token] of [[v1, tokenV1], [v2, tokenV2]] as const) {
      const { headers } = echoOf(await both.curl('/', ...bearer(token)))
      t.strictSame(valuesOf(headers, 'x-client-id'), [client.clientId])
    }
  })

  await t.test('hands a large body to the API untouched, whatever the method, with a length or in chunks', async t => {
    // More than the megabyte that nginx takes unless it is told otherwise.
    const bodyBytes = 2_000_000
    const file = join(t.testdir({ body: 'x'.repeat(bodyBytes) }), 'body')
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      for (const coding of [[], ['--header', 'Transfer-Encoding: chunked']]) {
        const answer = await both.curl('/', '--request', method, '--data-binary', `@${file}`, ...coding, ...basic(v1))
        t.match(echoOf(answer), { method, bodyBytes })
      }
    }
    const before = api.count()
    t.equal((await both.curl('/', '--data-binary', `@${file}`)).status, 401)
    t.equal(api.count(), before)
  })

  await t.test('drops what a client says of itself, and of the gateway', async t => {
    const spoofed = ['X-Client-Id', 'X-Application-Id', 'X-Developer-Id', 'X-Scopes', 'X-Product-Id', 'X-Gateway-Key', 'x-client-id', 'X_Client_Id']
    const lines = spoofed.flatMap(name => ['--header', `${name}: made-up`])
    const answer = await both.curl('/?product=made-up', ...basic(v1), ...lines)
    t.equal(answer.status, 200, 'neither the made-up key nor the made-up product reaches the broker')
    const { headers } = echoOf(answer)
    t.strictSame(valuesOf(headers, 'x-client-id'), [v1.clientId])
    t.strictSame(headers.filter(([, value]) => value === 'made-up'), [])
    t.equal((await both.curl('/', ...lines)).status, 401)
  })

  await t.test('refuses whoever the broker refuses, with the challenge of the broker, and asks the API nothing', async t => {
    const tenant = simulator.control.addTenant()
    const stranger = simulator.control.addClient('stranger', tenant.tenantId)
    const abroad = await requestTokenV1({ authorityHost: simulator.url, tenantId: tenant.tenantId }, stranger, V1_API)
    if (!('token' in abroad)) throw new Error(abroad.error)
    const now = Math.floor(Date.now() / 1_000)
    t.equal((await both.curl('/', ...bearer(await signedAgain(tokenV1, {})))).status, 200, 'a token that the test signs with the tenant\'s key is as good as Entra\'s')

    const invalid = (sentence: string) => `Bearer ${REALM}, error="invalid_token", error_description="${sentence}"`
    const shown: Array<[what: string, options: string[], challenge: string, error: string]> = [
      ['nothing', [], `Bearer ${REALM}, Basic ${REALM}`, 'invalid_request'],
      ['a wrong secret', basic({ ...v1, clientSecret: 'wrong' }), `Basic ${REALM}, charset="UTF-8"`, 'invalid_client'],
      ['the secret of another client', basic({ ...v1, clientSecret: v2.clientSecret }), `Basic ${REALM}, charset="UTF-8"`, 'invalid_client'],
      ['a client that nobody has registered', basic(simulator.control.addClient('foreign')), `Basic ${REALM}, charset="UTF-8"`, 'invalid_client'],
      ['an expired token', bearer(await signedAgain(tokenV1, { iat: now - 7_500, nbf: now - 7_500, exp: now - 3_600 })), invalid('The token is not valid.'), 'invalid_token'],
      ['a token of another tenant', bearer(abroad.token), invalid('The token is not valid.'), 'invalid_token'],
      ['a token that somebody has changed', bearer(tokenV1.replace(/\.[^.]+\./, '.eyJhcHBpZCI6IngifQ.')), invalid('The token is not valid.'), 'invalid_token']
    ]
    const before = api.count()
    for (const nginx of [first, second]) {
      for (const [what, options, challenge, error] of shown) {
        const answer = await nginx.curl('/page.html', ...options)
        t.equal(answer.status, 401, what)
        t.strictSame(answer.header('www-authenticate'), [challenge], what)
        t.strictSame(JSON.parse(answer.body), { error }, what)
        t.match(answer.header('content-type').join(), 'application/json')
        t.strictSame(answer.header('cache-control'), ['no-store'])
      }
    }
    t.equal(api.count(), before)
  })

  await t.test('asks over connections that are kept, whatever the answer', async t => {
    let connections = 0
    const count = (): void => { connections += 1 }
    one.broker.gatewayServer?.server.on('connection', count)
    for (let time = 0; time < 5; time++) for (const [shown, status] of [[bearer(tokenV1), 200], [basic(v1), 200], [[], 401]] as const) t.equal((await first.curl('/', ...shown)).status, status)
    one.broker.gatewayServer?.server.off('connection', count)
    t.ok(connections <= 1, `${connections} of 15 are new`)
  })

  await t.test('lets the API\'s own refusals and failures through as they are', async t => {
    for (const status of [401, 403, 418, 500, 503]) {
      const answer = await both.curl(`/${status}`, ...basic(v1))
      t.equal(answer.status, status)
      t.strictSame(answer.header('x-api'), ['echo'])
      t.strictSame(answer.header('www-authenticate'), [])
    }
  })

  await t.test('refuses an Authorization that is longer than the broker reads, and takes it for the client\'s fault', async t => {
    t.equal((await both.curl('/', ...bearer('x'.repeat(13_000)))).status, 401)
    t.equal((await both.curl('/', ...bearer('x'.repeat(15_000)))).status, 400)
    t.equal((await both.curl('/', ...basic(v1), ...bearer(tokenV1), '--header', 'Authorization: Basic eDp5')).status >= 400, true, 'two of them')
  })

  await t.test('lets a client to a product only while it is registered for it', async t => {
    const product = /set \$dcr_product "([^"]+)";/.exec(await readFile(`${SHIPPED}/site.conf`, 'utf8'))?.[1]
    const event = async (type: string) => {
      const answer = await one.konnect('POST', `/${v1.clientId}/event-hook`, {
        ...konnectApplication(), event_type: type, client_id: v1.clientId, application_id: 'app-1', application_name: 'Orders app', api_product_version_id: product
      })
      t.equal(answer.status, 200)
    }
    const bySecret = await both.curl('/orders/1', ...basic(v1))
    t.equal(bySecret.status, 403)
    t.strictSame(bySecret.header('www-authenticate'), [])
    t.strictSame(JSON.parse(bySecret.body), { error: 'insufficient_scope' })
    const byToken = await both.curl('/orders/1', ...bearer(tokenV1))
    t.equal(byToken.status, 403)
    t.strictSame(byToken.header('www-authenticate'), [`Bearer ${REALM}, error="insufficient_scope"`])
    t.equal((await both.curl('/', ...bearer(tokenV1))).status, 200)

    await event('add_registration')
    for (const nginx of [first, second]) {
      const { headers } = echoOf(await nginx.curl('/orders/1', ...bearer(tokenV1), '--header', 'X-Product-Id: invoices'))
      t.strictSame(valuesOf(headers, 'x-product-id'), [product], 'the gateway says which product it is, not the client')
      t.strictSame(valuesOf(headers, 'x-application-id'), ['app-1'])
    }
    await event('remove_registration')
    await Promise.all([first, second].map(async nginx => await refusedBy(nginx, bearer(tokenV1), 403, '/orders/1')))
  })

  await t.test('lets preflights through, without a client, and no other OPTIONS', async t => {
    const preflight = ['--request', 'OPTIONS', '--header', 'Origin: https://app.example', '--header', 'Access-Control-Request-Method: GET']
    for (const path of ['/', '/orders/1']) {
      const answer = await both.curl(path, ...preflight, '--header', 'X-Client-Id: made-up', ...bearer(tokenV1), '--data', 'body')
      t.equal(answer.status, 200)
      const { method, url, headers, bodyBytes } = echoOf(answer)
      t.strictSame([method, url, bodyBytes], ['OPTIONS', path, 0])
      t.strictSame(headers.filter(([name]) => ['x-client-id', 'authorization'].includes(name)), [])
    }
    t.equal((await both.curl('/', '--request', 'OPTIONS', '--header', 'Origin: https://app.example')).status, 401)
    t.equal((await both.curl('/', ...preflight, '--request', 'POST')).status, 401)
  })

  await t.test('refuses a rotated secret on both replicas while Entra still takes it, and lets the new one in at once', async t => {
    const client = await one.registerClient(V1_STRATEGY)
    await acceptedBy([first, second], basic(client))
    const { status, body } = await one.konnect('POST', `/${client.clientId}/new-secret`)
    t.equal(status, 200)
    for (const nginx of [first, second]) t.equal((await nginx.curl('/', ...basic({ ...client, clientSecret: body.client_secret }))).status, 200)
    await refusedWithin(t, 'the old secret', basic(client))
    t.ok(await one.tokenV1(client), 'Entra still takes it')
  })

  await t.test('refuses a deleted client on both replicas within a second, by secret and by token, though Entra goes on giving it tokens', async t => {
    for (const [deleter, strategy] of [[one, V1_STRATEGY], [other, V2_STRATEGY]] as const) {
      const client = await one.registerClient(strategy)
      const token = await (strategy === V1_STRATEGY ? one.tokenV1(client) : one.tokenV2(client))
      for (const shown of [basic(client), bearer(token)]) await acceptedBy([first, second], shown)
      t.equal((await deleter.konnect('DELETE', `/${client.clientId}`)).status, 204)
      await refusedWithin(t, 'the secret and the token of a deleted client', basic(client), bearer(token))
      t.ok(await (strategy === V1_STRATEGY ? one.tokenV1(client) : one.tokenV2(client)), 'Entra goes on giving tokens')
    }
  })

  await t.test('lets nobody in when the gateway\'s key is missing', async t => {
    const keyless = await startNginx(t, { brokers: addresses, api: api.address })
    const before = api.count()
    for (const shown of [basic(v1), bearer(tokenV1)]) t.not((await keyless.curl('/', ...shown)).status, 200)
    t.equal(api.count(), before)
  })

  await t.test('tells the client when to come again, as the broker says it, when the broker can\'t say', async t => {
    for (const status of [503, 500, 429]) {
      const broker = createServer((_request, response) => { response.writeHead(status, { 'retry-after': '7', 'www-authenticate': 'Bearer' }).end() })
      broker.listen(0, '127.0.0.1')
      await once(broker, 'listening')
      t.teardown(() => broker.close())
      const unsure = await startNginx(t, { brokers: [`127.0.0.1:${(broker.address() as AddressInfo).port}`], api: api.address })
      const answer = await unsure.curl('/', ...basic(v1))
      t.strictSame([answer.status, answer.header('retry-after'), answer.header('www-authenticate')], [503, ['7'], []])
    }
  })

  await t.test('goes on when a replica is down, and says 503 when both are', async t => {
    const [{ broker: { gatewayServer: one }, operations }, { broker: { gatewayServer: other } }] = gateways
    if (one === null || other === null) throw new Error('There is no gateway listener')
    await closeServer(one)
    for (let time = 0; time < 10; time++) t.equal((await both.curl('/', ...bearer(tokenV1))).status, 200, 'the other replica answers')
    t.equal((await both.curl('/', ...basic({ ...v1, clientSecret: 'wrong' }))).status, 401)
    await closeServer(other)
    const before = api.count()
    for (const shown of [basic(v1), bearer(tokenV1), basic({ ...v1, clientSecret: 'wrong' }), []]) {
      const answer = await both.curl('/', ...shown)
      t.equal(answer.status, 503)
      t.match(answer.header('retry-after').join(), /^\d+$/)
      t.strictSame(answer.header('www-authenticate'), [], 'nothing is said of the client')
      t.strictSame(JSON.parse(answer.body), { error: 'temporarily_unavailable' })
    }
    t.equal(api.count(), before)
    t.equal((await operations('GET', '/registrations')).status, 200, 'only the gateway listeners are down')
  })

  /** With the key of the simulator's tenants, and other claims. */
  async function signedAgain (token: string, claims: JWTPayload): Promise<string> {
    const { signingKey } = simulator.snapshot()
    const { kid = '' } = signingKey
    return await new SignJWT({ ...decodeJwt(token), ...claims }).setProtectedHeader({ typ: 'JWT', alg: 'RS256', kid }).sign(await importJWK(signingKey, 'RS256'))
  }

  /** From now, which is just after the change, to the last refusal of all on both. They stay refused. */
  async function refusedWithin (t: Test, what: string, ...shown: string[][]): Promise<void> {
    const changedAtMs = performance.now()
    await Promise.all([first, second].flatMap(nginx => shown.map(async options => await refusedBy(nginx, options))))
    t.comment(`${what}: refused on both replicas after ${Math.round(performance.now() - changedAtMs)} ms`)
    for (const nginx of [first, second, both]) for (const options of shown) t.equal((await nginx.curl('/', ...options)).status, 401, `${what}: stays refused`)
  }
})

async function acceptedBy (gateways: readonly Nginx[], shown: readonly string[]): Promise<void> {
  for (const nginx of gateways) await eventually('the client is let in', async () => (await nginx.curl('/', ...shown)).status === 200, 3_000)
}

async function refusedBy (nginx: Nginx, shown: readonly string[], status = 401, path = '/'): Promise<void> {
  await eventually('the client is refused', async () => (await nginx.curl(path, ...shown)).status === status, WITHIN_MS)
}
