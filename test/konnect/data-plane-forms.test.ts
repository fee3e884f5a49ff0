// The JSON that Konnect gets, at a gateway: who the clients of the bridge are there, for v1 and for v2 tokens.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { basic, bearer, startBehindAGateway } from './behind-a-gateway.ts'

t.test('a client of the bridge behind the strategies that Konnect gets', async t => {
  const stage = await startBehindAGateway(t)
  const { apis, linked, registered, tokenOf, plane, strategyFor, simulator } = stage

  for (const version of [1, 2] as const) {
    const { uri, appId } = apis[version]
    t.test(`v${version}: Basic and Bearer give exactly the client id that the bridge answered, and the API behind gets the token as Bearer`, async t => {
      const { konnectId, config, warnings } = await linked(strategyFor(version))
      t.strictSame(warnings, [])
      const client = await registered(konnectId)
      const gateway = plane(config, [client.clientId])
      const expected = { aud: version === 1 ? uri : appId, ver: `${version}.0`, tid: simulator.tenantId }

      const byBasic = await gateway.handle(basic(client))
      t.match(byBasic, { status: 200, clientId: client.clientId, upstreamAuthorization: /^Bearer ey[\w-]+\.[\w-]+\.[\w-]+$/, claims: expected })
      const token = await tokenOf(client, version, version === 1 ? { resource: uri } : { scope: `${uri}/.default` })
      t.match(await gateway.handle(bearer(token)), { status: 200, clientId: client.clientId, upstreamAuthorization: `Bearer ${token}`, claims: expected })
    })

    t.test(`v${version}: the endpoint that a client asks makes no difference, the API alone decides the version`, async t => {
      const { konnectId, config } = await linked(strategyFor(version))
      const client = await registered(konnectId)
      const gateway = plane(config, [client.clientId])
      for (const token of [await tokenOf(client, 1, { resource: uri }), await tokenOf(client, 2, { scope: `${uri}/.default` })]) {
        t.match(await gateway.handle(bearer(token)), { status: 200, clientId: client.clientId })
      }
    })

    t.test(`v${version}: a token for another API, a client that no application has, and somebody else's secret are refused`, async t => {
      const { konnectId, config } = await linked(strategyFor(version))
      const client = await registered(konnectId)
      const gateway = plane(config, [client.clientId])
      const other = simulator.control.addResource({ displayName: 'Sales', identifierUris: [`api://sales-v${version}`], requestedAccessTokenVersion: version })
      const asked = version === 1 ? { resource: `api://sales-v${version}` } : { scope: `${other.appId}/.default` }
      t.match(await gateway.handle(bearer(await tokenOf(client, version, asked))), { status: 403, reason: /^aud / })

      const stranger = simulator.control.addClient('Of the same tenant')
      t.match(await gateway.handle(basic(stranger)), { status: 401, reason: `no application has the client id ${stranger.clientId}` })
      const token = await tokenOf(stranger, version, version === 1 ? { resource: uri } : { scope: `${uri}/.default` })
      t.match(await gateway.handle(bearer(token)), { status: 401, reason: `no application has the client id ${stranger.clientId}` })
      t.match(await gateway.handle(basic({ ...stranger, clientId: client.clientId })), { status: 401, reason: /^AADSTS7000215/ })
    })
  }

  t.test('a client that asks for itself gets the version that its own application has, and that is its strategy\'s', async t => {
    for (const version of [1, 2] as const) {
      const { konnectId, config: { audience_required: required, ...config } } = await linked(strategyFor(version))
      const client = await registered(konnectId)
      for (const token of [await tokenOf(client, 1, { resource: client.clientId }), await tokenOf(client, 2, { scope: `${client.clientId}/.default` })]) {
        t.match(await plane(config, [client.clientId]).handle(bearer(token)),
          { status: 200, clientId: client.clientId, claims: { aud: client.clientId, ver: `${version}.0` } })
        t.match(await plane({ ...config, audience_required: required }, [client.clientId]).handle(bearer(token)), { status: 403 }, 'the API is another')
      }
    }
  })

  t.test('an API that wants its clients assigned refuses the others, and the gateway with it', async t => {
    const { konnectId, config } = await linked(strategyFor(1))
    const [client, assigned] = [await registered(konnectId), await registered(konnectId)]
    const gateway = plane(config, [client.clientId, assigned.clientId])
    simulator.control.assignRole(assigned.clientId, apis[1].uri, 'Orders.Read')
    simulator.control.requireAssignment(apis[1].uri, true)
    t.teardown(() => simulator.control.requireAssignment(apis[1].uri, false))
    t.match(await gateway.handle(basic(client)), { status: 401, reason: /^AADSTS501051/ })
    t.match(await gateway.handle(basic(assigned)), { status: 200, clientId: assigned.clientId, claims: { roles: ['Orders.Read'] } })
  })

  t.test('the characters of a secret pass as they are and form-encoded, in the header, the query and the form', async t => {
    const { konnectId, config } = await linked(strategyFor(1))
    const client = await registered(konnectId)
    const gateway = plane({ ...config, cache_tokens: false }, [client.clientId])
    t.match(client.clientSecret, /^[\w.~-]+$/, 'nothing that Basic, a query or a form would have to encode')
    t.match(client.clientSecret, '~')
    const encoded = [...client.clientSecret].map(character => `%${character.charCodeAt(0).toString(16)}`).join('')
    const parameters = { client_id: client.clientId, client_secret: client.clientSecret }
    for (const request of [basic(client), basic({ ...client, clientSecret: encoded }), { query: parameters }, { body: parameters }]) {
      t.match(await gateway.handle(request), { status: 200, clientId: client.clientId })
    }
  })

  t.test('the issuer works with and without its last slash, as the address of the discovery document, and v1 at either host', async t => {
    const { konnectId, config } = await linked(strategyFor(1))
    const client = await registered(konnectId)
    const discovery = '/.well-known/openid-configuration'
    const at = { 1: `https://sts.windows.net/${simulator.tenantId}`, 2: `https://login.microsoftonline.com/${simulator.tenantId}` }
    for (const issuer of [at[1], `${at[1]}/`, `${at[1]}${discovery}`, at[2], `${at[2]}${discovery}`]) {
      t.strictSame((await linked(strategyFor(1, {}, { issuer }))).warnings, [], `${issuer} is accepted without a word`)
      t.match(await plane({ ...config, issuer }, [client.clientId]).handle(basic(client)), { status: 200, clientId: client.clientId }, issuer)
    }
    const { config: v2 } = await linked(strategyFor(2))
    for (const issuer of [`${at[2]}/v2.0`, `${at[2]}/v2.0/`, `${at[2]}/v2.0${discovery}`]) {
      t.match(await plane({ ...v2, issuer }, [client.clientId]).handle(basic(client)), { status: 200, clientId: client.clientId }, issuer)
    }
  })

  t.test('where only Bearer is looked at, nothing is asked for in the client\'s name', async t => {
    const { konnectId, config } = await linked(strategyFor(1, {}, { auth_methods: ['bearer'] }))
    t.notOk('token_post_args_names' in config)
    const client = await registered(konnectId)
    const gateway = plane(config, [client.clientId])
    t.match(await gateway.handle(basic(client)), { status: 401, reason: 'no credentials' })
    t.match(await gateway.handle(bearer(await tokenOf(client, 1, { resource: apis[1].uri }))), { status: 200, clientId: client.clientId })
  })

  t.test('the strategies of README.md work as they are printed', async t => {
    const printed = [...(await readFile('README.md', 'utf8')).matchAll(/```json\n(.*?)```/gs)].map(([, block = '']) => block).filter(block => block.includes('"strategy_type"'))
    t.equal(printed.length, 2)
    const { konnectId } = await linked(strategyFor(1))
    const client = await registered(konnectId)
    for (const [index, block] of printed.entries()) {
      const { uri, appId } = apis[index === 0 ? 1 : 2]
      const text = block.replaceAll('api://<gateway app id>', uri).replaceAll('<gateway app id>', appId).replaceAll('<tenant id>', simulator.tenantId)
      const gateway = plane(JSON.parse(text).configs['openid-connect'], [client.clientId])
      t.match(await gateway.handle(basic(client)), { status: 200, clientId: client.clientId })
    }
  })

  t.test('the strategies of docs/strategies.md are accepted, and become the JSON that is printed there', async t => {
    const blocks = [...(await readFile('docs/strategies.md', 'utf8')).matchAll(/^( *)```json\n(.*?)```/gms)].map(([, , block = '']) => block)
    const [v1, v2, forKonnect] = blocks.filter(block => block.includes('"strategy_type"'))
      .map((block, index) => {
        const { uri, appId } = apis[index === 1 ? 2 : 1]
        return JSON.parse(block.replaceAll('<tenant>', simulator.tenantId).replaceAll('<appId of the API>', appId).replaceAll('api://orders', uri))
      })
    const one = await linked(v1)
    t.strictSame(one.config, forKonnect.configs['openid-connect'])
    const two = await linked(v2)
    t.strictSame([one.warnings, two.warnings], [[], []])
    const client = await registered(one.konnectId)
    for (const { config } of [one, two]) t.match(await plane(config, [client.clientId]).handle(basic(client)), { status: 200, clientId: client.clientId })
  })
})
