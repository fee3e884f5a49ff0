// Who may register: initial access tokens by number, time, policy and provider, and access tokens of services from Entra (RFC 7591 §3).
import t from 'tap'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { startTestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { isOAuthFailure } from './failure.ts'
import { SECOND_PROVIDER, nativeClient, ownedBy, serviceClient, startPreparedBroker, webClient } from './prepared-broker.ts'

t.jobs = 2

t.test('initial access tokens', async t => {
  t.jobs = 4
  const { register, mint, database, manage } = await startPreparedBroker(t, {
    policies: { natives: { tokenEndpointAuthMethods: ['none'] } }, secondProvider: true
  })

  t.test('a token that is good for three registrations makes three, however many come at once', async t => {
    const { token } = await mint({ maxRegistrations: 3 })
    const answers = await Promise.all(Array.from({ length: 8 }, async () => await register(webClient(), token)))
    t.equal(answers.filter(({ status }) => status === 201).length, 3)
    for (const answer of answers.filter(({ status }) => status !== 201)) isOAuthFailure(t, answer, 403, 'access_denied')
  })

  t.test('a registration that was ended counts on', async t => {
    const { token } = await mint({ maxRegistrations: 1 })
    const client = ownedBy(await register(nativeClient(), token))
    t.equal((await manage('DELETE', client.uri, client.token)).status, 204)
    isOAuthFailure(t, await register(nativeClient(), token), 403, 'access_denied')
  })

  t.test('what was refused does not count', async t => {
    const { token } = await mint({ maxRegistrations: 1 })
    isOAuthFailure(t, await register(webClient({ redirect_uris: ['not a URI'] }), token), 400, 'invalid_redirect_uri')
    t.equal((await register(webClient(), token)).status, 201)
  })

  t.test('an expired token is 401', async t => {
    const { token, name } = await mint({ expiry: { inMs: 60_000 } })
    t.equal((await register(nativeClient(), token)).status, 201)
    await database.query('UPDATE caller SET expires_at = now() WHERE name = $1', [name])
    isOAuthFailure(t, await register(nativeClient(), token), 401, 'invalid_token')
  })

  t.test('a revoked token is 401 at once, and its clients live on', async t => {
    const { token, revoke } = await mint()
    const client = ownedBy(await register(webClient(), token))
    await revoke()
    isOAuthFailure(t, await register(nativeClient(), token), 401, 'invalid_token')
    t.equal((await manage('GET', client.uri, client.token)).status, 200)
    t.equal((await manage('PUT', client.uri, client.token, { ...webClient(), client_id: client.id })).status, 200)
  })

  t.test('a token of another provider is 401', async t => {
    const { token } = await mint({ providerName: SECOND_PROVIDER })
    isOAuthFailure(t, await register(nativeClient(), token), 401, 'invalid_token')
  })

  t.test('a token that is not for registering is 403 insufficient_scope', async t => {
    const { token } = await mint({ scopes: ['read'] })
    isOAuthFailure(t, await register(nativeClient(), token), 403, 'insufficient_scope')
  })

  t.test('a token bound to a policy registers within it only', async t => {
    const { token } = await mint({ policyName: 'natives' })
    const refused = await register(webClient({ token_endpoint_auth_method: 'client_secret_basic' }), token)
    isOAuthFailure(t, refused, 400, 'invalid_client_metadata')
    t.match(refused.body.error_description, /Accepted are none/)
    t.equal((await register(nativeClient(), token)).status, 201)
  })

  t.test('a registration access token registers nothing, and an initial one manages nothing', async t => {
    const { token } = await mint()
    const client = ownedBy(await register(nativeClient(), token))
    isOAuthFailure(t, await register(nativeClient(), client.token), 401, 'invalid_token')
    isOAuthFailure(t, await manage('GET', client.uri, token), 401, 'invalid_token')
  })
})

t.test('a token of the environment that an operator revokes is 401 within seconds, over every restart', async t => {
  const first = await startPreparedBroker(t)
  t.equal((await first.register(nativeClient())).status, 201)
  await first.revoke('INITIAL_ACCESS_TOKENS[0]')
  await eventually('it is refused', async () => (await first.register(nativeClient())).status === 401)
  const second = await startTestBroker(t, {
    simulator: first.simulator, database: first.database, environment: { ENCRYPTION_KEYRING_FILE: first.settings.keyringFile }
  })
  isOAuthFailure(t, await second.register(nativeClient()), 401, 'invalid_token')
})

t.test('access tokens of services', async t => {
  const { register, manage, simulator, database } = await startPreparedBroker(t, { environment: { REGISTER_TOKEN_AUDIENCE: 'api://dcr-broker' } })
  simulator.control.addResource({ displayName: 'DCR Broker API', identifierUris: ['api://dcr-broker'], appRoles: ['Registration.Create', 'Registration.Read'] })
  simulator.control.addResource({ displayName: 'Other API', identifierUris: ['api://other'], appRoles: ['Registration.Create'] })
  const service = simulator.control.addClient('Portal')
  simulator.control.assignRole(service.clientId, 'api://dcr-broker', 'Registration.Create')
  simulator.control.assignRole(service.clientId, 'api://other', 'Registration.Create')

  t.test('a service with the role registers, and the clients are its own', async t => {
    const token = await serviceToken(simulator, service, 'api://dcr-broker')
    const first = ownedBy(await register(serviceClient(), token))
    const second = ownedBy(await register(serviceClient(), await serviceToken(simulator, service, 'api://dcr-broker')))
    t.equal((await manage('GET', first.uri, first.token)).status, 200)
    const { rows } = await database.query('SELECT DISTINCT c.kind, c.name FROM registration r JOIN caller c ON c.id = r.caller_id WHERE r.client_id = ANY($1)', [[first.id, second.id]])
    t.same(rows, [{ kind: 'service', name: `entra:${service.clientId}` }])
  })

  t.test('a token without the role, with another role, for another audience, or of another tenant is 401', async t => {
    const { control } = simulator
    const plain = control.addClient('No role')
    const reader = control.addClient('Another role')
    control.assignRole(reader.clientId, 'api://dcr-broker', 'Registration.Read')
    const tenant = control.addTenant()
    control.addResource({ displayName: 'DCR Broker API', identifierUris: ['api://dcr-broker'], appRoles: ['Registration.Create'] }, tenant.tenantId)
    const foreigner = control.addClient('Foreigner', tenant.tenantId)
    control.assignRole(foreigner.clientId, 'api://dcr-broker', 'Registration.Create', tenant.tenantId)
    const good = await serviceToken(simulator, service, 'api://dcr-broker')
    const [header = '', payload = '', signature = ''] = good.split('.')
    const tokens: Array<[why: string, token: string]> = [
      ['no role', await serviceToken(simulator, plain, 'api://dcr-broker')],
      ['another role', await serviceToken(simulator, reader, 'api://dcr-broker')],
      ['another audience', await serviceToken(simulator, service, 'api://other')],
      ['Graph', await serviceToken(simulator, service, 'https://graph.microsoft.com')],
      ['another tenant', await serviceToken(simulator, foreigner, 'api://dcr-broker', tenant.tenantId)],
      ['another signature', `${header}.${payload}.${signature.split('').reverse().join('')}`],
      ['no signature', `${header}.${payload}.`]
    ]
    for (const [why, token] of tokens) isOAuthFailure(t, await register(serviceClient(), token), 401, 'invalid_token', why)
    t.equal((await register(serviceClient(), good)).status, 201, 'positive control')
  })

  t.test('a service that an operator has revoked is 401', async t => {
    await database.query("UPDATE caller SET revoked_at = now() WHERE kind = 'service' AND name = $1", [`entra:${service.clientId}`])
    isOAuthFailure(t, await register(serviceClient(), await serviceToken(simulator, service, 'api://dcr-broker')), 401, 'invalid_token')
  })
})

interface Service { clientId: string, clientSecret: string }

async function serviceToken (simulator: Simulator, service: Service, audience: string, tenantId = simulator.tenantId): Promise<string> {
  const response = await fetch(`${simulator.url}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'client_credentials', client_id: service.clientId, client_secret: service.clientSecret, scope: `${audience}/.default` })
  })
  const { access_token: token } = await response.json() as { access_token: string }
  return token
}
