// Tokens that somebody has made up, changed or kept for too long: refused by the broker itself, and no more than a tenant's keys are ever asked for.
import { createHmac, createPublicKey, randomUUID, sign, type JsonWebKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt, decodeProtectedHeader, generateKeyPair, exportJWK, importJWK, SignJWT, type JWK } from 'jose'
import t, { type Test } from 'tap'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { bearer, linkStrategies, startTestGateway, V1_STRATEGY, V2_STRATEGY, type TestGateway } from '../support/gateway.ts'

const PAUSE_MS = 30_000

type Claims = Readonly<Record<string, unknown>>

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
/** How often a tenant was asked for its keys. */
const looksAt = ({ control: { journal } }: Simulator): number => journal.entries({ path: '/discovery/v2.0/keys$' }).length

/** What the tenant could sign: any claims under its own key. */
async function signedBy (jwk: JWK, claims: Claims, header: object = {}): Promise<string> {
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  return await new SignJWT(given).setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: jwk.kid ?? '', ...header }).sign(await importJWK(jwk, 'RS256'))
}

/** A signature made by hand: libraries refuse to make some. */
function handmade (header: object, claims: object, signature: (signed: string) => Buffer): string {
  const signed = `${encoded(header)}.${encoded(claims)}`
  return `${signed}.${signature(signed).toString('base64url')}`
}

async function isAccepted (gateway: TestGateway, token: string): Promise<boolean> {
  const [{ status }, { body }] = [await gateway.verify(bearer(token)), await gateway.introspect(token)]
  if ((status === 200) !== body.active || (status !== 200 && status !== 401)) throw new Error(`/verify answers ${status}, /introspect ${JSON.stringify(body)}`)
  if (body.active === false && Object.keys(body).length > 1) throw new Error('More is said of a token that is not active')
  return body.active as boolean
}

/** Counts who comes. */
async function startTrap (t: Test): Promise<{ url: string, visits: () => number }> {
  let visits = 0
  const server = createServer((_request, answer) => answer.end('{}')).on('connection', () => visits++)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => { server.close() })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`, visits: () => visits }
}

t.test('a token that is wrong in any way is nobody\'s, at /verify and at /introspect, and the tenant is asked for its keys once', async t => {
  const gateway = await startTestGateway(t)
  const { simulator } = gateway
  await linkStrategies(gateway)
  const [client, other] = [await gateway.registerClient(V1_STRATEGY), await gateway.registerClient(V1_STRATEGY)]
  const third = await gateway.registerClient(V2_STRATEGY)
  const good = await gateway.tokenV1(client)
  const [claims, header, jwk] = [decodeJwt(good), decodeProtectedHeader(good), simulator.snapshot().signingKey]
  const [, payload = '', signature = ''] = good.split('.')
  const { url, visits } = await startTrap(t)
  const elsewhere = simulator.control.addTenant().tenantId
  const strangersKeys = await generateKeyPair('RS256', { extractable: true })
  const strangers = { ...await exportJWK(strangersKeys.privateKey), kid: jwk.kid } as JWK
  const { kty, n, e } = jwk
  const publicKey = createPublicKey({ key: { kty, n, e } as JsonWebKey, format: 'jwk' })
  const hmac = (key: string | Buffer) => handmade({ ...header, alg: 'HS256' }, claims, signed => createHmac('sha256', key).update(signed).digest())
  const byTenant = (alg: string, digest: string) => handmade({ ...header, alg }, claims, signed => sign(digest, Buffer.from(signed), { key: { ...jwk } as JsonWebKey, format: 'jwk' }))
  const withClaims = async (changes: Claims) => await signedBy(jwk, { ...claims, ...changes })
  const withHeader = async (changes: object, key = strangers) => await signedBy(key, claims, changes)
  const now = Math.floor(Date.now() / 1_000)

  t.ok(await isAccepted(gateway, good), 'the good one')
  const wrong: Array<[what: string, token: string]> = [
    ['HS256 by the public key as PEM', hmac(publicKey.export({ type: 'spki', format: 'pem' }))], ['HS256 by the public key as DER', hmac(publicKey.export({ type: 'spki', format: 'der' }))],
    ['HS256 by the modulus', hmac(n ?? '')], ['HS256 by the JWK', hmac(JSON.stringify({ kty, n, e }))], ['HS256 by nothing', hmac('')],
    ...['none', 'None', 'NONE', ''].flatMap((alg): Array<[string, string]> => [
      [`alg ${alg}`, `${encoded({ ...header, alg })}.${payload}.`], [`alg ${alg} with a signature`, `${encoded({ ...header, alg })}.${payload}.${signature}`]
    ]),
    ['no alg', `${encoded({ ...header, alg: undefined })}.${payload}.${signature}`], ['RS512 by the tenant\'s own key', byTenant('RS512', 'sha512')],
    ['RS256 that says RS384', byTenant('RS384', 'sha256')], ['no signature', `${encoded(header)}.${payload}.`], ['the signature of another', `${(await withClaims({ appid: other.clientId })).split('.').slice(0, 2).join('.')}.${signature}`],
    ['other claims under the signature', `${encoded(header)}.${encoded({ ...claims, appid: other.clientId })}.${signature}`], ['a later end', `${encoded(header)}.${encoded({ ...claims, exp: now + 90_000 })}.${signature}`],
    ['a stranger\'s key under the known name', await withHeader({})], ['an unknown name', await withHeader({ kid: randomUUID() }, jwk)], ['no name', await withHeader({ kid: undefined }, jwk)],
    ['a name that is a path', await withHeader({ kid: '../../keys' })], ['a name that is a statement', await withHeader({ kid: '\' OR 1=1 --' })], ['a name that is an address', await withHeader({ kid: url })],
    ['a key it brings along', await withHeader({ jwk: await exportJWK(strangersKeys.publicKey) })], ['an address of keys', await withHeader({ jku: url })], ['an address of a certificate', await withHeader({ x5u: url, x5c: ['AAAA'] })],
    ['all of them under an unknown name', await withHeader({ kid: randomUUID(), jku: url, x5u: url, jwk: await exportJWK(strangersKeys.publicKey) })],
    ['something critical that nobody knows', handmade({ ...header, crit: ['x'], x: 1 }, claims, signed => sign('sha256', Buffer.from(signed), { key: { ...jwk } as JsonWebKey, format: 'jwk' }))],
    ['another tenant\'s issuer', await withClaims({ iss: `https://sts.windows.net/${elsewhere}/` })], ['another tenant', await withClaims({ tid: elsewhere })],
    ['another tenant altogether', await withClaims({ tid: elsewhere, iss: `https://sts.windows.net/${elsewhere}/` })], ['no tenant', await withClaims({ tid: undefined })], ['no issuer', await withClaims({ iss: undefined })],
    ['an issuer that begins like it', await withClaims({ iss: `${claims.iss}x` })], ['an address of the simulator as issuer', await withClaims({ iss: `${simulator.url}/${simulator.tenantId}/v2.0` })],
    ['no audience', await withClaims({ aud: undefined })], ['several audiences', await withClaims({ aud: [String(claims.aud), 'https://graph.microsoft.com'] })], ['another audience', await withClaims({ aud: 'https://graph.microsoft.com' })],
    ['an audience in other letters', await withClaims({ aud: String(claims.aud).toUpperCase() })], ['version 2 by name', await withClaims({ ver: '2.0' })],
    ['over for more than the leeway', await withClaims({ exp: now - 62 })], ['not yet for more than the leeway', await withClaims({ nbf: now + 90 })], ['no end', await withClaims({ exp: undefined })], ['no beginning', await withClaims({ nbf: undefined })],
    ['an end that is a text', await withClaims({ exp: String(now + 900) })], ['no client', await withClaims({ appid: undefined })], ['a client that is a list', await withClaims({ appid: [client.clientId] })],
    ['a client in the claim of v2', await withClaims({ appid: undefined, azp: client.clientId })], ['a client that is text', await withClaims({ appid: `${client.clientId} ` })], ['a client of the v2 strategy', await withClaims({ appid: third.clientId })],
    ['a client that nobody has registered', await withClaims({ appid: randomUUID() })]
  ]
  const startedMs = performance.now()
  for (const [what, token] of wrong) t.notOk(await isAccepted(gateway, token), what)
  t.ok(await isAccepted(gateway, good), 'the good one, still')
  t.ok(await isAccepted(gateway, await withClaims({ exp: now - 40 })), 'one that is over, within the leeway for clocks')
  t.ok(await isAccepted(gateway, await withClaims({ nbf: now + 50, exp: now + 900 })), 'one that is not yet, within it')
  t.ok(looksAt(simulator) <= 1 + (performance.now() - startedMs) / PAUSE_MS, `${looksAt(simulator)} looks`)
  t.equal(visits(), 0, 'nothing that a token names was fetched')
})

t.test('a flood of tokens with unknown key names asks the tenant once in half a minute, and whoever has a good one goes on', async t => {
  const gateway = await startTestGateway(t)
  const { simulator } = gateway
  await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  const good = await gateway.tokenV1(client)
  const [header, payload, signature] = good.split('.')
  t.ok(await isAccepted(gateway, good))
  const [calls, startedMs] = [simulator.control.journal.entries().length, performance.now()]
  const made: Array<(index: number) => string> = [
    index => `${encoded({ alg: 'RS256', typ: 'JWT', kid: `unknown ${index}` })}.${payload}.${signature}`,
    index => `${header}.${encoded({ ...decodeJwt(good), uti: index })}.${signature}`,
    index => `${header}.${encoded({ ...decodeJwt(good), tid: randomUUID(), uti: index })}.${signature}`,
    index => `${header}.${encoded({ ...decodeJwt(good), aud: `api://${index}` })}.${signature}`
  ]
  for (let round = 0; round < 25; round++) {
    const tokens = made.flatMap(make => [make(2 * round), make(2 * round + 1)])
    const answers = await Promise.all([...tokens, good].map(async token => await isAccepted(gateway, token)))
    if (answers.slice(0, -1).includes(true)) t.fail('one of the flood was accepted')
    if (answers.at(-1) !== true) t.fail('the good one was refused')
  }
  const most = Math.ceil((performance.now() - startedMs) / PAUSE_MS)
  // A look is three calls: the keys, and what both kinds of issuers are called.
  t.ok(simulator.control.journal.entries().length - calls <= 3 * most, `${simulator.control.journal.entries().length - calls} calls`)
})

t.test('while a tenant\'s keys can\'t be had nothing is said of a token, neither good nor bad, and the tenant is not asked for each', async t => {
  const gateway = await startTestGateway(t)
  const { simulator: { control }, simulator } = gateway
  await linkStrategies(gateway)
  const client = await gateway.registerClient(V1_STRATEGY)
  const token = await gateway.tokenV1(client)
  control.faults.add({ match: { path: '/discovery/v2.0/keys$', times: 1_000 }, action: { type: 'status', status: 503, body: {} } })
  const startedMs = performance.now()
  for (let time = 0; time < 10; time++) {
    for (const { status, headers, body } of [await gateway.verify(bearer(token)), await gateway.introspect(token)]) {
      t.match({ status, body, retryAfter: headers.get('retry-after') }, { status: 503, body: { error: 'temporarily_unavailable', active: undefined }, retryAfter: /^\d+$/ })
    }
  }
  t.ok(looksAt(simulator) <= 1 + (performance.now() - startedMs) / 5_000, `${looksAt(simulator)} looks`)
  t.equal((await gateway.introspect('x')).body.active, false, 'what is no token of the tenant needs no keys')
})
