// The gateway's own key at /verify: a gateway that has none, or a wrong one, is no client's fault.
import t from 'tap'
import { basic, GATEWAY_KEY, startTestGateway } from '../support/gateway.ts'
import { KONNECT_KEY } from '../support/broker.ts'

t.test('beyond loopback /verify asks for the key of a gateway, and blames no client for one that is missing or wrong', async t => {
  const gateway = await startTestGateway(t, { environment: { GATEWAY_HOST: '0.0.0.0' } })
  const client = await gateway.registerClient()
  t.equal((await gateway.verify({ ...basic(client), 'x-gateway-key': GATEWAY_KEY })).status, 200)
  t.equal((await gateway.verify({ ...basic({ ...client, clientSecret: 'wrong' }), 'x-gateway-key': GATEWAY_KEY })).status, 401)
  const keys: Array<[what: string, headers: Record<string, string>]> = [
    ['none', {}], ['an empty one', { 'x-gateway-key': '' }], ['a wrong one', { 'x-gateway-key': 'wrong_key_of_a_gateway' }], ['one of Konnect\'s', { 'x-gateway-key': KONNECT_KEY }]
  ]
  for (const [what, key] of keys) {
    for (const shown of [client, { ...client, clientSecret: 'wrong' }]) {
      const { status, headers, body } = await gateway.verify({ ...basic(shown), ...key })
      t.equal(status, 500, what)
      t.equal(headers.get('www-authenticate'), null, 'a challenge would be the client\'s')
      t.match(body, { error: 'server_error', error_description: /key of the gateway/ })
    }
  }
  t.ok(gateway.logLines.some(line => line.includes('"status":500') && line.includes('/verify')), 'the log has it')
})

t.test('on loopback no key is needed, but one that is shown has to be right', async t => {
  const gateway = await startTestGateway(t)
  const client = await gateway.registerClient()
  t.equal((await gateway.verify(basic(client))).status, 200)
  t.equal((await gateway.verify({ ...basic(client), 'x-gateway-key': GATEWAY_KEY })).status, 200)
  t.equal((await gateway.verify({ ...basic(client), 'x-gateway-key': 'wrong_key_of_a_gateway' })).status, 500)
})

t.test('a key that is bound to a provider is told of its clients only, and a revoked one of nobody', async t => {
  const gateway = await startTestGateway(t)
  const client = await gateway.registerClient()
  const other = gateway.simulator.control.addTenant()
  const { status } = await gateway.operations('POST', '/dcr-providers', {
    name: 'other',
    provider_type: 'azureAd',
    issuer: `https://sts.windows.net/${other.tenantId}/`,
    authority_host: gateway.simulator.url,
    graph_base_url: gateway.simulator.url,
    dcr_config: { initial_client_id: other.broker.clientId, initial_client_secret: other.broker.clientSecret }
  })
  t.equal(status, 201)
  const keyFor = async (provider: string) => (await gateway.operations('POST', '/callers', { kind: 'gateway', name: provider, provider })).body
  const [own, foreign] = [await keyFor('default'), await keyFor('other')]
  const asking = async (key: string) => (await gateway.verify({ ...basic(client), 'x-gateway-key': key })).status
  t.equal(await asking(own.token), 200)
  t.equal(await asking(foreign.token), 401)
  t.equal((await gateway.operations('DELETE', `/callers/${own.id}`)).status, 204)
  t.equal(await asking(own.token), 500)
})
