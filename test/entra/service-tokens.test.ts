// Entra access tokens of services: which application stands behind one, and everything that is not one.
import { randomUUID } from 'node:crypto'
import { generateKeyPair, exportJWK, SignJWT, UnsecuredJWT, type CryptoKey, type JWK } from 'jose'
import t, { type Test } from 'tap'
import { createServiceTokens, type ServiceTokenProvider } from '../../src/entra/service-tokens.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { eventually } from '../support/eventually.ts'
import { faultOf, reply, startScriptedEntra, tenantId, type Script } from './scripted-entra.ts'

const appId = '55555555-5555-4555-8555-555555555555'
const brokerId = 'bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb'
const audiences = [brokerId, `api://${brokerId}`]
const role = 'Registration.Create'
const v1Issuer = `https://sts.windows.net/${tenantId}/`
const v2Issuer = `https://login.microsoftonline.com/${tenantId}/v2.0`
const minuteMs = 60_000

interface SigningKey { kid: string, privateKey: CryptoKey, jwk: JWK }

async function newKey (kid: string, changes: object = {}): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const { kty, n, e } = await exportJWK(publicKey)
  return { kid, privateKey, jwk: { kty, use: 'sig', kid, n, e, ...changes } as JWK }
}

/** A tenant whose published keys the test changes, and whose clock it moves. */
async function startTenant (t: Test, published: SigningKey[], overrides: Partial<ServiceTokenProvider> = {}) {
  const tenant = { published, isDown: false }
  const documents: Record<string, () => object> = {
    [`/${tenantId}/.well-known/openid-configuration`]: () => ({ issuer: v1Issuer, jwks_uri: 'http://127.0.0.1:1/never' }),
    [`/${tenantId}/v2.0/.well-known/openid-configuration`]: () => ({ issuer: v2Issuer, jwks_uri: 'http://127.0.0.1:1/never' }),
    [`/${tenantId}/discovery/v2.0/keys`]: () => ({ keys: tenant.published.map(({ jwk }) => jwk) })
  }
  const graph: Script = ({ path }, answer) => {
    const document = documents[path]
    if (tenant.isDown || document === undefined) reply(answer, tenant.isDown ? 503 : 404, {})
    else reply(answer, 200, document())
  }
  const entra = await startScriptedEntra(t.teardown, { graph })
  const clock = { nowMs: Date.parse('2026-03-01T12:00:00Z') }
  const tokens = createServiceTokens([{
    providerId: 'default', tenantId, authorityHost: entra.url, graphBaseUrl: entra.url, audiences, role, attemptTimeoutMs: 2000, ...overrides
  }], { now: () => clock.nowMs })
  t.teardown(async () => await tokens.close())
  return {
    tenant,
    clock,
    applicationOf: async (token: string, providerId = 'default') => await tokens.applicationOf(providerId, token),
    operatorOf: async (token: string, providerId = 'default') => await tokens.operatorOf(providerId, token),
    /** How often the tenant was asked for its keys. */
    looks: () => entra.graphRequests.filter(({ path }) => path.endsWith('/discovery/v2.0/keys')).length,
    asked: () => entra.graphRequests.map(({ path }) => path)
  }
}

const nowSeconds = Date.parse('2026-03-01T12:00:00Z') / 1000

const v2Claims = {
  iss: v2Issuer, aud: brokerId, tid: tenantId, ver: '2.0', azp: appId, oid: 'o', sub: 'o', idtyp: 'app', roles: ['Other', role], nbf: nowSeconds - 300, exp: nowSeconds + 3600
}
const v1Claims = { ...v2Claims, iss: v1Issuer, aud: `api://${brokerId}`, ver: '1.0', azp: undefined, appid: appId.toUpperCase() }

async function sign ({ kid, privateKey }: SigningKey, claims: object = v2Claims, header: object = {}): Promise<string> {
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  return await new SignJWT(given).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid, ...header }).sign(privateKey)
}

t.test('a token of a service is accepted in either version, with or without idtyp, and names its application', async t => {
  const key = await newKey('k1')
  const { applicationOf } = await startTenant(t, [key])
  t.equal(await applicationOf(await sign(key)), appId)
  t.equal(await applicationOf(await sign(key, v1Claims)), appId, 'v1, in lower case')
  t.equal(await applicationOf(await sign(key, { ...v2Claims, idtyp: undefined })), appId)
  t.equal(await applicationOf(await sign(key, { ...v2Claims, exp: nowSeconds - 50 })), appId, 'within the leeway')
})

t.test('anything wrong with a token makes it nobody\'s', async t => {
  const key = await newKey('k1')
  const stranger = await newKey('k1')
  const { applicationOf } = await startTenant(t, [key])
  const changed: Array<[string, object]> = [
    ['another issuer', { iss: 'https://sts.windows.net/99999999-9999-4999-8999-999999999999/' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'https://graph.microsoft.com' }],
    ['several audiences', { aud: [brokerId, 'https://graph.microsoft.com'] }],
    ['another tenant', { tid: '99999999-9999-4999-8999-999999999999' }],
    ['no tenant', { tid: undefined }],
    ['over', { exp: nowSeconds - 61 }],
    ['without an end', { exp: undefined }],
    ['not yet', { nbf: nowSeconds + 61 }],
    ['without the role', { roles: ['Other'] }],
    ['without roles', { roles: undefined }],
    ['roles that are a text', { roles: role }],
    ['a user\'s', { scp: 'access_as_user', idtyp: 'user' }],
    ['a user\'s without idtyp', { scp: 'access_as_user', idtyp: undefined }],
    ['a user\'s role without scp', { idtyp: undefined, sub: 'pairwise' }],
    ['an ID token with a role', { azp: undefined, idtyp: undefined }],
    ['an application that is no id', { azp: 'robert' }]
  ]
  for (const [name, change] of changed) t.equal(await applicationOf(await sign(key, { ...v2Claims, ...change })), null, name)

  const good = await sign(key)
  const [header = '', payload = '', signature = ''] = good.split('.')
  const forged = Buffer.from(JSON.stringify({ ...v2Claims, azp: brokerId })).toString('base64url')
  const hmac = new TextEncoder().encode(JSON.stringify(key.jwk).padEnd(64))
  const others: Array<[string, string]> = [
    ['signed by somebody else under the same name', await sign(stranger)],
    ['with a payload of another', `${header}.${forged}.${signature}`],
    ['without a signature', `${header}.${payload}.`],
    ['unsecured', new UnsecuredJWT(v2Claims).encode()],
    ['HS256 with the public key', await new SignJWT(v2Claims).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(hmac)],
    ['without a key id', await sign(key, v2Claims, { kid: undefined })],
    ['Graph\'s own, with a nonce that was hashed', await sign(key, v2Claims, { crit: ['nonce'], nonce: 'x' }).catch(() => 'x.y.z')],
    ['no JWT', 'dcr_iat_something'],
    ['empty', ''],
    ['dots', '..'],
    ['endless', `${header}.${'a'.repeat(20_000)}.${signature}`]
  ]
  for (const [name, token] of others) t.equal(await applicationOf(token), null, name)
  t.equal(await applicationOf(good, 'another provider'), null)
  t.equal(await applicationOf(good), appId, 'and the good one is still accepted')
})

t.test('nothing that a token names is fetched, and one that is not for us makes nobody ask for keys', async t => {
  const key = await newKey('k1')
  const { applicationOf, asked } = await startTenant(t, [key])
  await applicationOf(await sign(key, { ...v2Claims, aud: 'https://graph.microsoft.com' }))
  await applicationOf(await sign(key, { ...v2Claims, tid: 'x' }))
  await applicationOf('x.y.z')
  t.strictSame(asked(), [])
  const named = { jku: 'http://127.0.0.1:1/keys', x5u: 'http://127.0.0.1:1/certificate', jwk: key.jwk }
  t.equal(await applicationOf(await sign(await newKey('k2'), v2Claims, named)), null)
  t.strictSame(asked().sort(), [
    `/${tenantId}/.well-known/openid-configuration`, `/${tenantId}/discovery/v2.0/keys`, `/${tenantId}/v2.0/.well-known/openid-configuration`
  ])
})

t.test('S2 a token is asked about at the providers of the tenant that it names, and at none of hundreds of others', async t => {
  const place = { authorityHost: 'https://login.microsoftonline.com', audiences, role, attemptTimeoutMs: 2000 }
  const others = Array.from({ length: 500 }, (_, index) => ({ ...place, providerId: `other ${index}`, tenantId: randomUUID() }))
  const tokens = createServiceTokens([...others, { ...place, providerId: 'one', tenantId }, { ...place, providerId: 'two', tenantId: tenantId.toUpperCase() }])
  t.teardown(async () => await tokens.close())
  const named = (claims: object) => new UnsecuredJWT({ padding: Array.from({ length: 3_000 }, () => [1]), ...claims }).encode()
  t.strictSame(tokens.providersOf(named({ tid: tenantId })), ['one', 'two'])
  const nobodys = [named({}), named({ tid: null }), named({ tid: [tenantId] }), named({ tid: randomUUID() }), 'x', '', 'a.b.c', `${named({ tid: tenantId })}${'A'.repeat(20_000)}`]
  t.strictSame(nobodys.flatMap(tokens.providersOf), [])
})

t.test('keys that roll over are found at once, and unknown ones are looked for at most once in 30 s', async t => {
  const [first, second, third] = [await newKey('k1'), await newKey('k2'), await newKey('k3')]
  const { applicationOf, tenant, clock, looks } = await startTenant(t, [first])
  await Promise.all(Array.from({ length: 20 }, async () => t.equal(await applicationOf(await sign(first)), appId)))
  t.equal(looks(), 1, 'one look for all')
  tenant.published = [first, second]
  t.equal(await applicationOf(await sign(second)), null, 'not yet: the last look was a moment ago')
  t.equal(looks(), 1)
  clock.nowMs += 30_000
  t.equal(await applicationOf(await sign(second)), appId)
  t.equal(looks(), 2)
  for (let each = 0; each < 5; each++) t.equal(await applicationOf(await sign(third)), null)
  t.equal(looks(), 2)
})

t.test('a key that the tenant has withdrawn is refused after an hour and one more use, and after a day in any case', async t => {
  const [first, second] = [await newKey('k1'), await newKey('k2')]
  const { applicationOf, tenant, clock, looks } = await startTenant(t, [first])
  const lasting = { ...v2Claims, exp: nowSeconds + 30 * 86_400 }
  t.equal(await applicationOf(await sign(first, lasting)), appId)
  tenant.published = [second]
  clock.nowMs += 60 * minuteMs
  t.equal(await applicationOf(await sign(first, lasting)), appId, 'nobody waits for the look that this use has begun')
  await eventually('the new keys are there', async () => await applicationOf(await sign(first, lasting)) === null)
  t.equal(looks(), 2)

  tenant.published = [first]
  clock.nowMs += 24 * 60 * minuteMs
  t.equal(await applicationOf(await sign(second, lasting)), null, 'kept for too long to be used at all')
  t.equal(looks(), 3)
})

t.test('keys of another use, another type or another tenant open nothing', async t => {
  const foreign = 'https://login.microsoftonline.com/99999999-9999-4999-8999-999999999999/v2.0'
  const encrypting = await newKey('encrypting', { use: 'enc' })
  const elsewhere = await newKey('elsewhere', { issuer: foreign })
  const nonsense = await newKey('nonsense', { n: '%' })
  const ours = await newKey('ours', { issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0' })
  const { applicationOf } = await startTenant(t, [encrypting, elsewhere, nonsense, ours])
  for (const key of [encrypting, elsewhere, nonsense]) t.equal(await applicationOf(await sign(key)), null, key.kid)
  t.equal(await applicationOf(await sign(ours)), appId)
})

t.test('while the keys can\'t be had the answer is `unavailable`; known keys go on working', async t => {
  const key = await newKey('k1')
  const { applicationOf, tenant, clock, looks } = await startTenant(t, [key])
  tenant.isDown = true
  const token = await sign(key)
  for (let each = 0; each < 3; each++) t.match(await faultOf(applicationOf(token)), { fault: 'unavailable', diagnostics: { reason: 'HTTP_503' } })
  t.equal(looks(), 1, 'and nobody is asked again and again')
  tenant.isDown = false
  clock.nowMs += 5_000
  t.equal(await applicationOf(token), appId)

  tenant.isDown = true
  clock.nowMs += 55 * minuteMs
  t.equal(await applicationOf(token), appId)
  t.match(await faultOf(applicationOf(await sign(await newKey('k2')))), { fault: 'unavailable' }, 'whether this one is new can\'t be said')
})

t.test('a tenant that does not answer is waited for as long as one attempt may last', async t => {
  const key = await newKey('k1')
  const entra = await startScriptedEntra(t.teardown, { graph: () => undefined })
  const tokens = createServiceTokens([{
    providerId: 'default', tenantId, authorityHost: entra.url, graphBaseUrl: entra.url, audiences, role, attemptTimeoutMs: 100
  }], { now: () => nowSeconds * 1000 })
  t.teardown(async () => await tokens.close())
  t.match(await faultOf(tokens.applicationOf('default', await sign(key))), { fault: 'unavailable', diagnostics: { reason: 'ABORTED' } })
})

t.test('a service of the simulated tenant gets a token for the broker and is recognised by it, in both versions', async t => {
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const service = simulator.control.addClient('Orders service')
  const stranger = simulator.control.addClient('Somebody else')
  for (const resource of ['api://gateway-v1', 'api://gateway-v2']) simulator.control.assignRole(service.clientId, resource, role)
  const tokenFor = async ({ clientId, clientSecret }: typeof service, resource: string) => {
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope: `${resource}/.default` })
    const answer = await fetch(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`, { method: 'POST', body })
    return ((await answer.json()) as { access_token: string }).access_token
  }
  const tokenV2 = await tokenFor(service, 'api://gateway-v2')
  const { aud } = JSON.parse(Buffer.from(tokenV2.split('.')[1] ?? '', 'base64url').toString()) as { aud: string }
  const tokens = createServiceTokens([{
    providerId: 'default',
    tenantId: simulator.tenantId,
    authorityHost: simulator.url,
    graphBaseUrl: simulator.url,
    audiences: ['api://gateway-v1', aud],
    role,
    attemptTimeoutMs: 2000
  }])
  t.teardown(async () => await tokens.close())
  t.equal(await tokens.applicationOf('default', tokenV2), service.clientId)
  t.equal(await tokens.applicationOf('default', await tokenFor(service, 'api://gateway-v1')), service.clientId)
  t.equal(await tokens.applicationOf('default', await tokenFor(stranger, 'api://gateway-v1')), null, 'without the role')
})

t.test('an operator is a person who lets an application act for him, or an application; either needs one of the roles', async t => {
  const key = await newKey('k1')
  const roles = ['Broker.Read', 'Broker.Admin']
  const { operatorOf } = await startTenant(t, [key], { operators: { audiences: ['api://broker-operators'], roles } })
  const personId = '66666666-6666-4666-8666-666666666666'
  const ofApplication = { ...v2Claims, aud: 'api://broker-operators', roles: ['Broker.Read', 'Other'] }
  const ofPerson = { ...ofApplication, idtyp: 'user', scp: 'access_as_user', sub: 'pairwise', oid: personId.toUpperCase() }
  t.same(await operatorOf(await sign(key, ofApplication)), { identity: appId, roles: ['Broker.Read'] })
  t.same(await operatorOf(await sign(key, ofPerson)), { identity: personId, roles: ['Broker.Read'] })
  t.same(await operatorOf(await sign(key, { ...ofPerson, idtyp: undefined, roles })), { identity: personId, roles })

  const nobodys: Array<[string, object]> = [
    ['without a role', { ...ofPerson, roles: ['Other'] }],
    ['without roles', { ...ofPerson, roles: undefined }],
    ['for services', { ...v2Claims, roles }],
    ['an ID token', { ...ofPerson, idtyp: undefined, scp: undefined, azp: undefined }],
    ['a person\'s without a scope', { ...ofPerson, scp: undefined, idtyp: undefined }],
    ['a person\'s with an empty scope', { ...ofPerson, scp: '' }],
    ['a person\'s without an application', { ...ofPerson, azp: undefined }],
    ['a person without an id', { ...ofPerson, oid: undefined }],
    ['an application that says it is a person', { ...ofApplication, idtyp: 'user' }],
    ['another tenant', { ...ofPerson, tid: '99999999-9999-4999-8999-999999999999' }],
    ['over', { ...ofPerson, exp: nowSeconds - 61 }]
  ]
  for (const [name, claims] of nobodys) t.equal(await operatorOf(await sign(key, claims)), null, name)
  t.equal(await operatorOf(await sign(key, ofPerson), 'elsewhere'), null)

  const { operatorOf: ofNobody } = await startTenant(t, [key])
  t.equal(await ofNobody(await sign(key, ofPerson)), null, 'where no operators are told of')
})
