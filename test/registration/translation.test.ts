import { X509Certificate } from 'node:crypto'
import t from 'tap'
import type { DirectoryApplication } from '../../src/registration/registration.ts'
import { grantTypesOf, sameProjection, translate } from '../../src/registration/translation.ts'
import { someMetadata, someProjection } from '../support/records.ts'
import { catalogue, certifiedKey, ORDERS_API, ORDERS_READ, ORDERS_WRITE, registering } from './metadata/requests.ts'

const konnect = someMetadata({
  clientName: 'Orders\u202E app',
  description: 'Reads\norders',
  redirectUris: ['https://a.example/', 'http://localhost:1/', 'http://localhost:2/', 'myapp://cb'],
  scopes: ['openid', 'orders.read']
})
const strategy = { id: 's', providerId: 'p', name: 'default', konnectAuthStrategyId: null, isDefault: true, tokenVersion: 1 as const, resourceAppId: null }
const identity = { registrationId: 'r1', installationId: 'i1' }
const options = { rules: { nameTemplate: null, scopes: [...catalogue.keys()] }, scopes: catalogue }

t.test('Konnect\'s client becomes the Entra application that its strategy asks for, and nothing beyond it', async t => {
  t.strictSame(translate(konnect, strategy, identity), someProjection({
    displayName: 'Orders app',
    description: 'Reads orders',
    tags: ['dcr-broker', 'dcr-inst:i1', 'dcr-reg:r1'],
    accessTokenVersion: 1,
    redirectUris: { web: ['https://a.example/', 'http://localhost:1/'], publicClient: ['myapp://cb'], spa: [] }
  }))
  t.equal(translate(konnect, { ...strategy, tokenVersion: 2 }, identity).accessTokenVersion, 2)
})

t.test('a registered document carries its links, scopes and device grant to Entra', async t => {
  const metadata = registering({
    client_uri: 'https://a.example/',
    tos_uri: 'https://a.example/tos',
    policy_uri: `https://a.example/${'x'.repeat(255)}`,
    scope: 'orders.write orders.read',
    grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code']
  }, { grantTypes: null })
  t.match(translate(metadata, strategy, identity, options), {
    homePageUrl: 'https://a.example/',
    termsOfServiceUrl: 'https://a.example/tos',
    privacyStatementUrl: null,
    isFallbackPublicClient: true,
    requiredResourceAccess: [{ resourceAppId: ORDERS_API, permissions: [{ id: ORDERS_WRITE, type: 'Role' }, { id: ORDERS_READ, type: 'Scope' }] }],
    grants: { granted: [{ resourceAppId: ORDERS_API, permissions: [{ id: ORDERS_WRITE, type: 'Role' }] }], revoked: [] }
  })
  const unnamed = { ...options, rules: { ...options.rules, scopes: null } }
  t.match(translate(metadata, strategy, identity, unnamed), { requiredResourceAccess: [{ resourceAppId: ORDERS_API }], grants: null }, 'granted only where the policy names it')
  t.match(translate(registering({ scope: 'openid' }), strategy, identity, { ...options, scopes: new Map() }), {
    requiredResourceAccess: [{ resourceAppId: '00000003-0000-0000-c000-000000000000' }], grants: null, isFallbackPublicClient: null
  })
})

t.test('a template of the policy wraps the name, whatever stands in it', async t => {
  const named = (clientName: string, nameTemplate: string) =>
    translate(someMetadata({ clientName }), strategy, identity, { ...options, rules: { ...options.rules, nameTemplate } }).displayName
  t.equal(named('Orders', 'MCP: {client_name} ({client_name})'), 'MCP: Orders (Orders)')
  t.equal(named('$& $1 {client_name}', 'MCP: {client_name}'), 'MCP: $& $1 {client_name}')
  t.equal(named('Orders', 'MCP'), 'MCP')
  t.equal(named('x'.repeat(500), 'MCP: {client_name}').length, 120)
})

t.test('certificates of a client that signs go to Entra, each once, with the validity they have', async t => {
  const [one, other] = [certifiedKey('one'), certifiedKey('other')]
  const { kid: _, ...unnamed } = other
  const keys = [one, { ...one, kid: 'again' }, unnamed, { ...certifiedKey('encryption'), use: 'enc' }]
  const signing = registering({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } })
  const der = (key: typeof one) => String((key.x5c as string[])[0])
  const thumbprint = new X509Certificate(Buffer.from(der(other), 'base64')).fingerprint256.replaceAll(':', '')
  const validity = { startsAt: '2020-01-01T00:00:00.000Z', endsAt: '2049-01-01T00:00:00.000Z' }
  t.strictSame(translate(signing, strategy, identity, options).certificates, [
    { displayName: 'one', der: der(one), ...validity }, { displayName: thumbprint, der: der(other), ...validity }
  ])
  t.equal(translate(registering({ jwks: { keys } }), strategy, identity, options).certificates, null, 'a client with a secret keeps its keys for itself')
})

t.test('federated identities go to Entra, with no certificates where there are none', async t => {
  const identities = [{ issuer: 'https://issuer.example', subject: 'a', audience: 'api://AzureADTokenExchange' }]
  const metadata = registering({ token_endpoint_auth_method: 'private_key_jwt', entra_federated_identity_credentials: identities })
  t.match(translate(metadata, strategy, identity, options), { certificates: null, federatedIdentities: identities })
})

t.test('two projections are the same when every member is, in whatever order a database hands the members back', async t => {
  const projection = translate(registering({ scope: 'openid', client_uri: 'https://a.example/' }), strategy, identity, options)
  const reversed = JSON.parse(JSON.stringify(projection), (_name, value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).reverse())
    : value) as DirectoryApplication
  t.ok(sameProjection(projection, reversed))
  const changes: Required<Partial<DirectoryApplication>> = {
    displayName: 'x',
    description: 'x',
    tags: [],
    accessTokenVersion: 2,
    redirectUris: { web: [], publicClient: [], spa: ['https://a.example/'] },
    homePageUrl: 'x',
    termsOfServiceUrl: 'x',
    privacyStatementUrl: 'x',
    isFallbackPublicClient: true,
    requiredResourceAccess: [],
    grants: { granted: [], revoked: [] },
    certificates: [],
    federatedIdentities: [],
    enabled: false
  }
  for (const [member, value] of Object.entries(changes)) t.notOk(sameProjection(someProjection(), { ...someProjection(), [member]: value }), member)
})

t.test('Konnect\'s auth methods are read as grant types; unknown words are kept', async t => {
  t.strictSame(grantTypesOf(['bearer', 'session', 'client_credentials', 'introspection']), ['client_credentials'])
  t.strictSame(grantTypesOf(['authorization_code', 'refresh_token', 'kong_oauth2']), ['authorization_code', 'refresh_token', 'kong_oauth2'])
  t.strictSame(grantTypesOf([]), ['client_credentials'])
})

t.test('of the scopes of Konnect\'s client those of its strategy\'s API are listed in Entra, and granted to nobody', async t => {
  const scoped = { ...konnect, scopes: ['openid', 'orders.read', 'orders.write'] }
  const project = (resourceAppId: string | null) => translate(scoped, { ...strategy, resourceAppId }, identity, { rules: null, scopes: catalogue })
  const { requiredResourceAccess, grants, isFallbackPublicClient } = project(ORDERS_API)
  t.match(requiredResourceAccess, [{ resourceAppId: ORDERS_API, permissions: [{ id: ORDERS_WRITE }, { id: ORDERS_READ }] }])
  t.strictSame([requiredResourceAccess?.length, grants, isFallbackPublicClient], [1, null, null])
  for (const other of [null, ORDERS_READ]) t.equal(project(other).requiredResourceAccess, null)
})
