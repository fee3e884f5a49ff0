// The calls of Kong's page "Configuring Azure for Dynamic Client Registration", as they are printed there and as they work.
import t from 'tap'
import { OPERATOR_KEY, request } from '../support/broker.ts'
import { basic, bearer, startBehindAGateway } from './behind-a-gateway.ts'

t.test('the calls of Kong\'s page about Azure', async t => {
  const stage = await startBehindAGateway(t)
  const { linked, registered, strategyFor, plane, simulator, apis, operations } = stage
  const { konnectId, config } = await linked(strategyFor(1))
  const client = await registered(konnectId)
  const gateway = plane(config, [client.clientId])
  const endpoint = `${simulator.url}/${simulator.tenantId}/oauth2/token`
  const form = { grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret }

  t.test('a token asked for by GET is refused by Entra', async t => {
    const asked = new URLSearchParams({ ...form, scope: 'https://graph.microsoft.com/.default' })
    t.match(await request(`${endpoint}?${asked}`, 'GET'), { status: 400, body: { error_description: /^AADSTS900561: / } })
  })

  t.test('its token request by POST names Microsoft Graph in a scope that nobody reads: the token is for the retired Azure AD Graph', async t => {
    const token = await stage.tokenOf(client, 1, { scope: 'https://graph.microsoft.com/.default' })
    t.match(await gateway.handle(bearer(token)), { status: 403, reason: /^aud 00000002-0000-0000-c000-000000000000 is not among/ })
    const { audience_required: _required, ...withoutAudience } = config
    t.match(await plane(withoutAudience, [client.clientId]).handle(bearer(token)), { status: 200, clientId: client.clientId },
      'what the page shows works only because nobody asks what the token is for')
  })

  t.test('the same scope at the v2 endpoint gives a token that nobody but Microsoft Graph can validate', async t => {
    const token = await stage.tokenOf(client, 2, { scope: 'https://graph.microsoft.com/.default' })
    t.match(await gateway.handle(bearer(token)), { status: 401, reason: /^signature: / })
  })

  t.test('with resource instead of scope the gateway takes the token', async t => {
    t.match(await gateway.handle(bearer(await stage.tokenOf(client, 1, { resource: apis[1].uri }))), { status: 200, clientId: client.clientId })
  })

  t.test('Basic with id and secret as they are is no credential: they have to be in base64', async t => {
    const printed = { headers: { authorization: `Basic ${client.clientId}:${client.clientSecret}` } }
    t.match(await gateway.handle(printed), { status: 401, reason: 'no credentials' })
    t.match(await gateway.handle(basic(client)), { status: 200, clientId: client.clientId })
  })

  t.test('its strategy is refused: client_id is no claim of Entra\'s, and the page\'s issuer without a slash is not the reason', async t => {
    const issuer = `https://sts.windows.net/${simulator.tenantId}`
    const printed = { issuer, credential_claim: ['client_id'], scopes: ['openid'], auth_methods: ['client_credentials', 'bearer'] }
    const answer = await operations('POST', '/application-auth-strategies', strategyFor(1, {}, printed))
    t.equal(answer.status, 400)
    t.match(answer.body.invalid_parameters, [{ field: 'configs.openid-connect.credential_claim' }])
    t.equal(answer.body.invalid_parameters.length, 1)
    t.match(await plane(printed, [client.clientId]).handle(basic(client)), { status: 401, reason: /^no credential: / })
    const mended = await linked(strategyFor(1, {}, { ...printed, credential_claim: ['appid'] }))
    t.match(await plane(mended.config, [client.clientId]).handle(basic(client)), { status: 200, clientId: client.clientId, claims: { iss: `${issuer}/` } })
  })

  t.test('an operator\'s key without the word Bearer is refused here, as at Konnect', async t => {
    t.equal((await request(`${stage.operationsUrl}/v2/application-auth-strategies`, 'GET', undefined, { authorization: OPERATOR_KEY })).status, 401)
  })
})
