// What may be registered: policies cut lists down, refuse with a sentence what would weaken them, and bound every update as well.
import t from 'tap'
import { commandLine } from '../../src/administration/operator.ts'
import type { PolicyRules } from '../../src/registration/policy.ts'
import { putPolicy } from '../../src/store/policy-administration.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { INITIAL_ACCESS_TOKEN, request, type Answer } from '../support/broker.ts'
import { ourApplications } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'
import { isOAuthFailure } from './failure.ts'
import { applicationOf, nativeClient, ownedBy, serviceClient, startPreparedBroker, webClient } from './prepared-broker.ts'

const narrow: Partial<PolicyRules> = {
  grantTypes: ['authorization_code'],
  tokenEndpointAuthMethods: ['none', 'client_secret_post'],
  redirectHosts: ['claude.ai', '*.example.com', 'localhost'],
  redirectSchemes: ['cursor', 'com.example.*'],
  scopes: ['orders:read'],
  maxRedirectUris: 2,
  nameTemplate: 'MCP: {client_name}'
}

t.test('policies', async t => {
  t.jobs = 4
  const broker = await startPreparedBroker(t, {
    policies: { narrow, few: { maxClients: 3 }, none: { maxClients: 0 }, changing: {} },
    scopes: ({ control }) => {
      const { appId, scopeIds } = control.addResource({ displayName: 'Orders API', identifierUris: ['api://orders'], scopes: ['Orders.Read', 'Orders.Write'] })
      const scope = (name: string, permission: string) => ({ name, resourceAppId: appId, permissionId: String(scopeIds[permission]), type: 'Scope' as const, granted: false })
      return [scope('orders:read', 'Orders.Read'), scope('orders:write', 'Orders.Write')]
    }
  })
  const { register, manage, mint, simulator, database, url } = broker
  const bound = (await mint({ policyName: 'narrow' })).token
  const dryRun = async (document: unknown, token: string | null = INITIAL_ACCESS_TOKEN): Promise<Answer> =>
    await request(`${url}/register?dry_run=true`, 'POST', document, token === null ? {} : { authorization: `Bearer ${token}` })

  t.test('grant types are cut down to what is allowed, and echoed', async t => {
    const document = nativeClient({ redirect_uris: ['http://localhost/cb'], grant_types: ['authorization_code', 'refresh_token', 'password', 'implicit'] })
    t.strictSame(ownedBy(await register(document, bound)).body.grant_types, ['authorization_code'])
    t.strictSame(ownedBy(await register(document)).body.grant_types, ['authorization_code', 'refresh_token'], 'elsewhere')
    const refused = await register(serviceClient({ token_endpoint_auth_method: 'client_secret_post' }), bound)
    isOAuthFailure(t, refused, 400, 'invalid_client_metadata')
    t.match(refused.body.error_description, /Accepted are authorization_code/)
  })

  t.test('an auth method that is not allowed is refused with those that are; the default becomes one of them', async t => {
    for (const method of ['client_secret_basic', 'private_key_jwt']) {
      const refused = await register(webClient({ token_endpoint_auth_method: method }), bound)
      isOAuthFailure(t, refused, 400, 'invalid_client_metadata')
      t.match(refused.body.error_description, /Accepted are client_secret_post, none/)
    }
    t.equal(ownedBy(await register(webClient(), bound)).body.token_endpoint_auth_method, 'client_secret_post')
  })

  t.test('redirect hosts and schemes are those of the policy, and the sentence names them', async t => {
    const good = ['https://claude.ai/cb', 'https://a.b.example.com/cb', 'http://localhost:3000/cb', 'cursor://anysphere/cb', 'com.example.app://cb']
    for (const uri of good) t.equal((await register(nativeClient({ redirect_uris: [uri] }), bound)).status, 201, uri)
    const bad: Array<[uri: string, sentence: RegExp]> = [
      ['https://evil.com/cb', /claude\.ai, \*\.example\.com, localhost/],
      ['https://example.com/cb', /claude\.ai/],
      ['https://claude.ai.evil.com/cb', /claude\.ai/],
      ['https://notexample.com/cb', /claude\.ai/],
      ['http://127.0.0.1/cb', /localhost/],
      ['vscode://cb', /cursor, com\.example\.\*/],
      ['com.example://cb', /cursor/],
      ['com.examples.app://cb', /cursor/]
    ]
    for (const [uri, sentence] of bad) {
      const refused = await register(nativeClient({ redirect_uris: ['https://claude.ai/cb', uri] }), bound)
      isOAuthFailure(t, refused, 400, 'invalid_redirect_uri', uri)
      t.match(refused.body.error_description, sentence, uri)
    }
    isOAuthFailure(t, await register(nativeClient({ redirect_uris: [1, 2, 3].map(n => `https://claude.ai/${n}`) }), bound), 400, 'invalid_redirect_uri', 'too many')
  })

  t.test('scopes are cut down to those of the policy and the catalogue, and become permissions', async t => {
    const { id, body } = ownedBy(await register(webClient({ scope: 'openid orders:read orders:write unknown' }), bound))
    t.equal(body.scope, 'openid orders:read')
    const access = applicationOf(simulator, id).requiredResourceAccess as Array<{ resourceAccess: unknown[] }>
    t.equal(access.flatMap(({ resourceAccess }) => resourceAccess).length, 2)
    t.equal(ownedBy(await register(webClient({ scope: 'orders:read orders:write' }))).body.scope, 'orders:read orders:write', 'elsewhere')
    t.notOk('scope' in ownedBy(await register(webClient({ scope: 'orders:write' }), bound)).body, 'nothing is left')
  })

  t.test('the name template is Entra\'s name; the answer has the name that was sent', async t => {
    const { id, body, uri, token } = ownedBy(await register(webClient({ client_name: '{client_name} $& tool' }), bound))
    t.strictSame([body.client_name, applicationOf(simulator, id).displayName], ['{client_name} $& tool', 'MCP: {client_name} $& tool'])
    await manage('PUT', uri, token, { ...webClient({ client_name: 'Renamed' }), client_id: id })
    t.equal(applicationOf(simulator, id).displayName, 'MCP: Renamed')
  })

  t.test('a policy for three clients has three, however many come at once and by whatever token; one that ended makes room', async t => {
    const tokens = [(await mint({ policyName: 'few' })).token, (await mint({ policyName: 'few' })).token]
    const answers = await Promise.all(Array.from({ length: 10 }, async (_, index) => await register(nativeClient(), tokens[index % 2])))
    const made = answers.filter(({ status }) => status === 201).map(ownedBy)
    t.equal(made.length, 3)
    for (const answer of answers.filter(({ status }) => status !== 201)) isOAuthFailure(t, answer, 403, 'access_denied')
    t.equal((await manage('PUT', made[0]?.uri ?? '', made[0]?.token ?? '', { ...nativeClient(), client_id: made[0]?.id })).status, 200, 'an update needs no room')
    t.equal((await manage('DELETE', made[1]?.uri ?? '', made[1]?.token ?? '')).status, 204)
    t.equal((await register(nativeClient(), tokens[0])).status, 201)
    isOAuthFailure(t, await register(nativeClient(), tokens[1]), 403, 'access_denied')
    isOAuthFailure(t, await register(nativeClient(), (await mint({ policyName: 'none' })).token), 403, 'access_denied')
  })

  t.test('an update stays within the policy of the registration, whatever became of its token', async t => {
    const { token, revoke } = await mint({ policyName: 'narrow' })
    const document = webClient({ scope: 'orders:read' })
    const client = ownedBy(await register(document, token))
    await revoke()
    const replace = async (changes: object) => await manage('PUT', client.uri, client.token, { ...document, client_id: client.id, ...changes })
    isOAuthFailure(t, await replace({ token_endpoint_auth_method: 'private_key_jwt' }), 400, 'invalid_client_metadata')
    isOAuthFailure(t, await replace({ token_endpoint_auth_method: 'client_secret_basic' }), 400, 'invalid_client_metadata')
    isOAuthFailure(t, await replace({ redirect_uris: ['https://evil.com/cb'] }), 400, 'invalid_redirect_uri')
    isOAuthFailure(t, await replace({ grant_types: ['client_credentials'] }), 400, 'invalid_client_metadata')
    t.same(applicationOf(simulator, client.id).web.redirectUris, ['https://orders.example.com/callback'])
    const { body } = ownedBy(await replace({ grant_types: ['authorization_code', 'client_credentials'], scope: 'orders:read orders:write' }))
    t.match(body, { grant_types: ['authorization_code'], scope: 'orders:read' })
    t.strictSame(body.grant_types, ['authorization_code'])
  })

  t.test('a policy that an operator narrows bounds the next update too', async t => {
    const { token } = await mint({ policyName: 'changing' })
    const client = ownedBy(await register(webClient(), token))
    await database.query("UPDATE policy SET rules = '{\"redirectHosts\": [\"new.example.com\"]}' WHERE name = 'changing'")
    await eventually('the policy is known', async () => (await dryRun(webClient(), token)).status === 400)
    isOAuthFailure(t, await manage('PUT', client.uri, client.token, { ...webClient(), client_id: client.id }), 400, 'invalid_redirect_uri')
    t.equal((await manage('GET', client.uri, client.token)).status, 200, 'what is registered stays')
  })
})

t.test('a dry run', async t => {
  const { mint, simulator, database, url, register } = await startPreparedBroker(t, { policies: { narrow, few: { maxClients: 1 } } })
  const { token } = await mint({ policyName: 'narrow', maxRegistrations: 1 })
  const dryRun = async (document: unknown, bearer: string | null = token): Promise<Answer> =>
    await request(`${url}/register?dry_run=true`, 'POST', document, bearer === null ? {} : { authorization: `Bearer ${bearer}` })
  const traces = async () => [simulator.control.journal.entries({ path: '^/v1\\.0' }).length, (await database.query('SELECT FROM registration')).rowCount, ourApplications(simulator).length]

  t.test('shows what the request would become, and makes nothing', async t => {
    const before = await traces()
    for (let round = 0; round < 3; round++) {
      const { status, body, headers } = await dryRun(webClient({ client_uri: 'https://orders.example.com' }))
      t.equal(status, 200)
      t.equal(headers.get('cache-control'), 'no-store')
      t.match(body, {
        policy: 'narrow',
        registered: { client_name: 'Orders', grant_types: ['authorization_code'], token_endpoint_auth_method: 'client_secret_post' },
        entra: { displayName: 'MCP: Orders', homePageUrl: 'https://orders.example.com', platforms: { web: ['https://orders.example.com/callback'], publicClient: [], spa: [] } }
      })
      for (const member of ['client_id', 'client_secret', 'registration_access_token']) t.notMatch(JSON.stringify(body), `"${member}"`)
    }
    t.same(await traces(), before)
  })

  t.test('refuses as the registration would', async t => {
    isOAuthFailure(t, await dryRun(webClient({ redirect_uris: ['https://evil.com/cb'] })), 400, 'invalid_redirect_uri')
    isOAuthFailure(t, await dryRun(webClient({ token_endpoint_auth_method: 'client_secret_basic' })), 400, 'invalid_client_metadata')
    isOAuthFailure(t, await dryRun(webClient(), null), 401, 'invalid_token')
    isOAuthFailure(t, await dryRun(webClient(), 'unknown'), 401, 'invalid_token')
  })

  t.test('uses up no registration, and the registration becomes what it showed', async t => {
    const shown = (await dryRun(webClient())).body
    const { id, body } = ownedBy(await register(webClient(), token))
    t.match(body, shown.registered)
    t.equal(applicationOf(simulator, id).displayName, shown.entra.displayName)
    t.same(applicationOf(simulator, id).web.redirectUris, shown.entra.platforms.web)
  })

  t.test('an unknown value of dry_run is refused and makes nothing', async t => {
    const before = await traces()
    isOAuthFailure(t, await request(`${url}/register?dry_run=yes`, 'POST', nativeClient(), { authorization: `Bearer ${INITIAL_ACCESS_TOKEN}` }), 400, 'invalid_request')
    t.same(await traces(), before)
  })
})

t.test('a token of a policy made a moment ago is bounded by it', async t => {
  const { register, mint, database } = await startPreparedBroker(t)
  const { prisma, close } = openDatabase({ connectionString: database.url })
  t.teardown(close)
  await putPolicy(prisma, commandLine, 'strict', { redirectHosts: ['localhost'] })
  const { token } = await mint({ policyName: 'strict' })
  isOAuthFailure(t, await register(webClient(), token), 400, 'invalid_redirect_uri')
})
