// The forms that the broker takes with a warning, at a gateway: what becomes of them is what the warning says.
import t from 'tap'
import { basic, bearer, startBehindAGateway, type GatewayStage } from './behind-a-gateway.ts'

t.test('a form that is doubtful', async t => {
  const stage = await startBehindAGateway(t)
  const { linked, registered, plane, strategyFor, apis, tokenOf, operations, simulator } = stage

  t.test('v1 without an API gives tokens for the retired Azure AD Graph, as Kong\'s page does: taken, unless an audience is required', async t => {
    for (const scopes of [[], ['https://graph.microsoft.com/.default']]) {
      // Kong's page names Microsoft Graph in a scope that the v1 endpoint does not read. The broker refuses that, so it is added here.
      const { konnectId, config, warnings } = await linked(strategyFor(1, { audience: null }))
      t.match(warnings, [/Nothing says which API/, /retired Azure AD Graph/])
      const client = await registered(konnectId)
      const taken = await plane({ ...config, scopes }, [client.clientId]).handle(basic(client))
      t.match(taken, { status: 200, clientId: client.clientId, claims: { aud: '00000002-0000-0000-c000-000000000000', ver: '1.0' } })
      const { config: { audience_required: required } } = await linked(strategyFor(1))
      t.match(await plane({ ...config, scopes, audience_required: required }, [client.clientId]).handle(basic(client)),
        { status: 403, reason: /^aud 00000002-0000-0000-c000-000000000000 is not among/ })
    }
  })

  t.test('without an audience a token for any other API of the tenant is taken', async t => {
    const { konnectId, config, warnings } = await linked(strategyFor(1, { audience: null }))
    t.match(warnings, [/Kong takes tokens that were issued for any API of the tenant/])
    const client = await registered(konnectId)
    const token = await tokenOf(client, 1, { resource: 'api://gateway-v1' })
    t.match(await plane(config, [client.clientId]).handle(bearer(token)), { status: 200, claims: { aud: 'api://gateway-v1' } })
  })

  t.test('scopes with v1 have no effect', async t => {
    const { konnectId, config, warnings } = await linked(strategyFor(1, {}, { scopes: ['openid', 'orders.read'] }))
    t.match(warnings, [/does not read scopes: with client_credentials openid orders\.read has no effect/])
    const client = await registered(konnectId)
    t.match(await plane(config, [client.clientId]).handle(basic(client)), { status: 200, claims: { aud: apis[1].uri } })
  })

  t.test('the appId as audience of v1 works with Basic, and with Bearer only for who asked with the appId', async t => {
    const { appId, uri } = apis[1]
    const { konnectId, config, warnings } = await linked(strategyFor(1, { audience: appId }))
    t.match(warnings, [/clients have to ask with the appId, not with the App ID URI/])
    const client = await registered(konnectId)
    const gateway = plane(config, [client.clientId])
    t.match(await gateway.handle(basic(client)), { status: 200, claims: { aud: appId } })
    t.match(await gateway.handle(bearer(await tokenOf(client, 1, { resource: appId }))), { status: 200 })
    t.match(await gateway.handle(bearer(await tokenOf(client, 1, { resource: uri }))), { status: 403 })
  })

  t.test('audience_required that does not name the audience: Kong goes by it', async t => {
    const { konnectId, config, warnings } = await linked(strategyFor(1, {}, { audience_required: ['api://sales'] }))
    t.match(warnings, [/Kong goes by audience_required/])
    const client = await registered(konnectId)
    t.match(await plane(config, [client.clientId]).handle(basic(client)), { status: 403 })
  })

  t.test('the appId in capitals is the one that tokens have in small letters', async t => {
    const { appId } = apis[2]
    const { konnectId, config, warnings } = await linked(strategyFor(2, { audience: appId.toUpperCase() }))
    t.strictSame(warnings, [])
    const client = await registered(konnectId)
    t.match(await plane(config, [client.clientId]).handle(basic(client)), { status: 200, claims: { aud: appId } })
    const own = await linked(strategyFor(2, {}, { audience_required: [appId.toUpperCase()] }))
    t.match(own.warnings, [/Kong goes by audience_required/], 'what was written for Kong stays as it is')
    t.match(await plane(own.config, [client.clientId]).handle(basic(client)), { status: 403 })
  })

  t.test('arguments of its own without a resource: the audience does not get into the token request', async t => {
    const { konnectId, config, warnings } = await linked(strategyFor(1, {}, { token_post_args_names: ['trace'], token_post_args_values: ['on'] }))
    t.match(warnings, [/retired Azure AD Graph.*add resource to token_post_args_names/])
    const client = await registered(konnectId)
    t.match(await plane(config, [client.clientId]).handle(basic(client)), { status: 403, reason: /^aud 00000002-/ })
  })

  t.test('password beside client_credentials takes the client\'s credentials for a user\'s', async t => {
    const { konnectId, config, warnings } = await linked(strategyFor(1, {}, { auth_methods: ['password', 'client_credentials'] }))
    t.match(warnings, [/takes Basic credentials for those of a user: take password out/])
    const client = await registered(konnectId)
    t.match(await plane(config, [client.clientId]).handle(basic(client)), { status: 401, reason: /^password/ })
  })

  t.test('without verification anybody is the client whose id he knows', async t => {
    for (const member of ['verify_signature', 'verify_claims']) {
      const { konnectId, config, warnings } = await linked(strategyFor(1, {}, { [member]: false }))
      t.match(warnings, [new RegExp(`${member} is off`)])
      const { clientId } = await registered(konnectId)
      const { iss, ...claims } = { iss: config['issuer'], aud: apis[1].uri, appid: clientId, exp: Math.floor(Date.now() / 1000) + 60 }
      const forged = ['{"alg":"RS256"}', JSON.stringify({ iss, ...claims }), 'x'].map(part => Buffer.from(part).toString('base64url')).join('.')
      t.equal((await plane(config, [clientId]).handle(bearer(forged))).status, member === 'verify_signature' ? 200 : 401)
    }
  })

  t.test('the default strategy of a provider with a v2 issuer names no API: Basic does not work, and the strategy says so', async t => {
    const { clientId, clientSecret } = simulator.broker
    const { body: provider } = await operations('POST', '/dcr-providers', {
      provider_type: 'azureAd', name: 'with v2 tokens', issuer: `${simulator.url}/${simulator.tenantId}/v2.0`, dcr_config: { initial_client_id: clientId, initial_client_secret: clientSecret }
    })
    const { body: { data: [strategy] } } = await operations('GET', `/application-auth-strategies?filter[dcr_provider_id]=${provider.id}`)
    t.match(strategy, { name: 'default', configs: { 'openid-connect': { credential_claim: ['azp'], scopes: [] } } })
    t.match(strategy.warnings, [/Entra takes exactly one scope/, /Nothing says which API/])
    const { body: { configs } } = await operations('GET', `/application-auth-strategies/${strategy.id}/konnect`)
    const client = await registered((await linked(strategyFor(2))).konnectId)
    t.match(await plane(configs['openid-connect'], [client.clientId]).handle(basic(client)), { status: 401, reason: /^AADSTS900144: .*'scope'/ })
  })
})

t.test('an API whose manifest asks for the other version is refused by its issuer, and only the API\'s owner can see why', async t => {
  const stage = await startBehindAGateway(t)
  for (const version of [1, 2] as const) {
    const api = stage.apis[version === 1 ? 2 : 1]
    const named = version === 1 ? { audience: api.uri } : { audience: api.appId, resource_app_id: api.appId }
    const { konnectId, config } = await stage.linked(stage.strategyFor(version, named, version === 1 ? {} : { scopes: [`${api.uri}/.default`] }))
    const client = await stage.registered(konnectId)
    t.match(await stage.plane(config, [client.clientId]).handle(basic(client)), { status: 401, reason: /^invalid issuer / })
    t.equal(versionOfClient(stage, client.clientId), version, 'what the client\'s own application asks for decides nothing')
  }
})

function versionOfClient ({ simulator }: GatewayStage, clientId: string): number | undefined {
  const applications = simulator.control.state().applications as Array<{ appId: string, api: { requestedAccessTokenVersion: number } }>
  return applications.find(({ appId }) => appId === clientId)?.api.requestedAccessTokenVersion
}
