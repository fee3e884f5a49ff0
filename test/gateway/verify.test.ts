// GET /verify: a registered client goes on by its secret or its token, and nobody else does.
import t from 'tap'
import { konnectApplication } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { appIdOf, basic, bearer, linkStrategies, startTestGateway, V1_API, V1_STRATEGY, V2_STRATEGY } from '../support/gateway.ts'

t.test('a registered client', async t => {
  const gateway = await startTestGateway(t)
  await linkStrategies(gateway)
  const [v1, v2] = [await gateway.registerClient(V1_STRATEGY), await gateway.registerClient(V2_STRATEGY)]

  await t.test('goes on by its id and secret, and the API behind the gateway learns who it is', async t => {
    const { status, headers, body } = await gateway.verify(basic(v1))
    t.equal(status, 200)
    t.equal(body, null)
    t.match(Object.fromEntries(headers), {
      'x-client-id': v1.clientId, 'x-application-id': '', 'x-developer-id': konnectApplication()['developer_id'], 'x-scopes': 'openid', 'cache-control': 'no-store'
    })
  })

  await t.test('goes on by a v1 and by a v2 token, each under the strategy that is meant for it', async t => {
    for (const [client, token] of [[v1, await gateway.tokenV1(v1)], [v2, await gateway.tokenV2(v2)]] as const) {
      const { status, headers } = await gateway.verify(bearer(token))
      t.equal(status, 200)
      t.equal(headers.get('x-client-id'), client.clientId)
    }
  })

  await t.test('is asked about in every way that gateways know', async t => {
    for (const [method, path] of [['HEAD', '/verify'], ['POST', '/verify'], ['DELETE', '/verify/orders/1'], ['GET', '/verify/orders?x=1'], ['OPTIONS', '/verify/']] as const) {
      t.equal((await gateway.verify(basic(v1), path, method)).status, 200, `${method} ${path}`)
      t.equal((await gateway.verify({}, path, method)).status, 401, `${method} ${path}`)
    }
    const posted = await fetch(`${gateway.gatewayUrl}/verify`, { method: 'POST', body: 'not { json', headers: { ...basic(v1), 'content-type': 'application/json' } })
    t.equal(posted.status, 200, 'a body is the client\'s, and is not read')
  })

  await t.test('is not asked about at Entra: neither for secrets nor for tokens that it has shown before', async t => {
    const token = await gateway.tokenV1(v1)
    await gateway.verify(bearer(token))
    const { journal } = gateway.simulator.control
    const before = journal.entries().length
    for (let time = 0; time < 20; time++) {
      t.equal((await gateway.verify(basic(v1))).status, 200)
      t.equal((await gateway.verify(bearer(token))).status, 200)
    }
    t.equal(journal.entries().length, before)
  })
})

t.test('whoever is refused gets a challenge of his scheme, and nobody learns more', async t => {
  const gateway = await startTestGateway(t)
  await linkStrategies(gateway)
  const [v1, v2] = [await gateway.registerClient(V1_STRATEGY), await gateway.registerClient(V2_STRATEGY)]
  const realm = 'realm="dcr-broker"'

  const shown: Array<[what: string, headers: Record<string, string>, status: number, challenge: string, error: string]> = [
    ['nothing', {}, 401, `Bearer ${realm}, Basic ${realm}`, 'invalid_request'],
    ['another scheme', { authorization: 'Digest username="x"' }, 401, `Bearer ${realm}, Basic ${realm}`, 'invalid_request'],
    ['a wrong secret', basic({ ...v1, clientSecret: 'wrong' }), 401, `Basic ${realm}, charset="UTF-8"`, 'invalid_client'],
    ['the secret of another client', basic({ ...v1, clientSecret: v2.clientSecret }), 401, `Basic ${realm}, charset="UTF-8"`, 'invalid_client'],
    ['no secret', basic({ ...v1, clientSecret: '' }), 401, `Basic ${realm}, charset="UTF-8"`, 'invalid_client'],
    ['a client that nobody has registered', basic({ clientId: gateway.simulator.broker.clientId, clientSecret: gateway.simulator.broker.clientSecret }), 401, `Basic ${realm}, charset="UTF-8"`, 'invalid_client'],
    ['no base64', { authorization: 'Basic %%%' }, 401, `Basic ${realm}, charset="UTF-8"`, 'invalid_client'],
    ['a token that is none', bearer('x.y.z'), 401, `Bearer ${realm}, error="invalid_token", error_description="The token is not valid."`, 'invalid_token'],
    ['a v1 token under a v2 strategy', bearer(await gateway.tokenV1(v2)), 401, `Bearer ${realm}, error="invalid_token", error_description="The token is not valid."`, 'invalid_token'],
    ['a token of a client that nobody has registered', bearer(await gateway.tokenV1(gateway.simulator.control.addClient('foreign'))), 401, `Bearer ${realm}, error="invalid_token", error_description="The client is not known."`, 'invalid_token']
  ]
  for (const [what, headers, status, challenge, error] of shown) {
    const answer = await gateway.verify(headers)
    t.equal(answer.status, status, what)
    t.equal(answer.headers.get('www-authenticate'), challenge, what)
    t.equal(answer.body.error, error, what)
    t.equal(answer.headers.get('x-client-id'), null, what)
  }
})

t.test('a client with a strategy that names no audience shows a secret, and no token of it is accepted', async t => {
  const gateway = await startTestGateway(t)
  const client = await gateway.registerClient()
  t.equal((await gateway.verify(basic(client))).status, 200)
  t.equal((await gateway.verify(bearer(await gateway.tokenV1(client)))).status, 401)
})

t.test('a way to authenticate that the strategy does not name is not accepted', async t => {
  const gateway = await startTestGateway(t)
  const { v1 } = await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  const token = await gateway.tokenV1(client)
  const only = async (method: string) => await gateway.operations('PATCH', `/application-auth-strategies/${v1}`, { configs: { 'openid-connect': { auth_methods: [method] } } })
  t.equal((await only('bearer')).status, 200)
  t.equal((await gateway.verify(bearer(token))).status, 200)
  t.equal((await gateway.verify(basic(client))).status, 401)
  t.equal((await only('client_credentials')).status, 200)
  t.equal((await gateway.verify(bearer(token))).status, 401)
  t.equal((await gateway.verify(basic(client))).status, 200)
})

t.test('the product is asked for only when the gateway names one', async t => {
  const gateway = await startTestGateway(t)
  await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  const token = await gateway.tokenV1(client)
  const event = async (type: string, product: string) => await gateway.konnect('POST', `/${client.clientId}/event-hook`, {
    ...konnectApplication(), event_type: type, client_id: client.clientId, application_id: 'app 1', application_name: 'Orders app', api_product_version_id: product
  })
  const refusal = await gateway.verify(basic(client), '/verify?product=orders')
  t.equal(refusal.status, 403)
  t.equal(refusal.headers.get('www-authenticate'), null)
  t.equal((await gateway.verify(bearer(token), '/verify?product=orders')).headers.get('www-authenticate'), 'Bearer realm="dcr-broker", error="insufficient_scope"')

  t.equal((await event('add_registration', 'orders')).status, 200)
  const accepted = await gateway.verify(basic(client), '/verify?product=orders')
  t.equal(accepted.status, 200)
  t.equal(accepted.headers.get('x-application-id'), 'app%201', 'what is no visible ASCII is percent-encoded')
  t.equal((await gateway.verify({ ...basic(client), 'x-product-id': 'orders' }, '/verify/any/path')).status, 200)
  t.equal((await gateway.verify({ ...basic(client), 'x-product-id': 'invoices' }, '/verify/any/path?product=orders')).status, 403)
  t.equal((await gateway.verify({ ...basic(client), 'x-product-id': 'invoices' }, '/verify?product=orders')).status, 403, 'all that are named are demanded')
  for (const path of ['/verify/any/path?product=invoices', '/verify/?product=invoices', `/verify/?product=${'x'.repeat(300)}`]) {
    t.equal((await gateway.verify(basic(client), path)).status, 200, 'the query behind another path is the client\'s own')
    t.equal((await gateway.verify(basic(client), path, 'POST')).status, 200)
  }
  t.equal((await gateway.verify(basic(client), `/verify?product=${'x'.repeat(300)}`)).status, 400)

  // The replica that took it had a clock that is fast.
  await gateway.database.query("UPDATE registration_event SET received_at = now() + interval '1 hour'")
  t.equal((await event('remove_registration', 'orders')).status, 200)
  await eventually('the product is not the client\'s any more', async () => (await gateway.verify(basic(client), '/verify?product=orders')).status === 403, 1_000)
  t.equal((await gateway.verify(basic(client))).status, 200)
})

t.test('a token is for the audience of its client\'s own strategy, not for that of another one', async t => {
  const gateway = await startTestGateway(t)
  const { v1 } = await linkStrategies(gateway)
  gateway.simulator.control.addResource({ displayName: 'Invoices', identifierUris: ['api://invoices'] })
  const { body: { id, warnings, ...first } } = await gateway.operations('GET', `/application-auth-strategies/${v1}`)
  const { status } = await gateway.operations('POST', '/application-auth-strategies', {
    name: 'invoices', strategy_type: first.strategy_type, configs: first.configs, audience: 'api://invoices', konnect_auth_strategy_id: 'invoices'
  })
  t.equal(status, 201)
  const [orders, invoices] = [await gateway.registerClient(V1_STRATEGY), await gateway.registerClient('invoices')]
  for (const [client, own, foreign] of [[orders, V1_API, 'api://invoices'], [invoices, 'api://invoices', V1_API]] as const) {
    t.equal((await gateway.verify(bearer(await gateway.tokenV1(client, own)))).status, 200)
    t.equal((await gateway.verify(bearer(await gateway.tokenV1(client, foreign)))).status, 401)
  }
})

t.test('a token for another API is refused', async t => {
  const gateway = await startTestGateway(t)
  const { v1 } = await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  gateway.simulator.control.addResource({ displayName: 'Other', identifierUris: ['api://other'] })
  t.equal((await gateway.verify(bearer(await gateway.tokenV1(client, 'api://other')))).status, 401)
  t.equal((await gateway.verify(bearer(await gateway.tokenV1(client, appIdOf(gateway.simulator.control, V1_API))))).status, 401, 'v1: aud is as the client asked for it')
  t.equal((await gateway.operations('PATCH', `/application-auth-strategies/${v1}`, { audience: 'api://other' })).status, 200)
  t.equal((await gateway.verify(bearer(await gateway.tokenV1(client, 'api://other')))).status, 200)
})
