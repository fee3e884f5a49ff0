// Keys of a tenant as they come and go, on a clock that the test moves: how often they are asked for, and for how long a token of each is accepted.
import { createHash } from 'node:crypto'
import { decodeJwt, importJWK, SignJWT, type JWTPayload } from 'jose'
import t, { type Test } from 'tap'
import { requestTokenV1 } from '../../src/demo/entra-client.ts'
import { createServiceTokens } from '../../src/entra/service-tokens.ts'
import { createGateway } from '../../src/gateway/gateway.ts'
import type { GatewayStrategy } from '../../src/gateway/port.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { systemClock } from '../../src/system-clock.ts'
import { eventually } from '../support/eventually.ts'
import { someGatewayClient } from '../support/records.ts'

const API = 'api://gateway-v1'
const [MINUTE_MS, PAUSE_MS, KEPT_MS] = [60_000, 30_000, 60_000]
const silent = { debug () {}, info () {}, warn () {}, error () {} }

/** The decisions for gateways over a simulated tenant, with one registered client. */
async function startTenant (t: Test) {
  const clock = { nowMs: Date.parse('2026-03-01T12:00:00Z') }
  const simulator = await startSimulator({ now: () => clock.nowMs })
  t.teardown(() => simulator.close())
  const { url, tenantId, control } = simulator
  const tokens = createServiceTokens([{
    providerId: 'p', tenantId, authorityHost: url, graphBaseUrl: url, audiences: [], role: '', attemptTimeoutMs: 2_000
  }], { now: () => clock.nowMs })
  t.teardown(async () => await tokens.close())
  const client = control.addClient('Orders')
  const registered = someGatewayClient({ clientId: client.clientId })
  const strategy: GatewayStrategy = {
    id: 's', providerId: 'p', name: 's', konnectAuthStrategyId: null, issuerVersion: 1, credentialClaim: ['appid'], audiences: [API], authMethods: ['bearer'], checkSecretsAtEntra: false
  }
  const gateway = createGateway({
    store: {
      findClients: async clientId => clientId === client.clientId ? [registered] : [],
      changesSince: async () => ({ upTo: '1', clientIds: [] }),
      recordUses: async () => {},
      forgetChanges: async () => 0
    },
    catalogue: { providerName: () => 'p', gatewayStrategies: () => [strategy], gatewayStrategy: () => strategy },
    tokens,
    probe: async () => { throw new Error('Nobody shows a secret') },
    vault: { isSecretOf: () => false, verifierOf: () => ({ pepperId: 'p', digest: new Uint8Array() }), digestOf: token => createHash('sha256').update(token).digest() },
    clock: { ...systemClock, now: () => new Date(clock.nowMs), monotonicMs: () => clock.nowMs },
    log: silent,
    failuresPerMinute: 30
  })
  const accepts = async (token: string): Promise<boolean> => {
    const { accepted } = await gateway.verify({ shown: { kind: 'token', token }, providerId: null, products: [] })
    if ((accepted === null) !== (await gateway.introspect(token, null) === null)) throw new Error('/verify and /introspect say different things')
    return accepted !== null
  }
  return {
    clock,
    control,
    accepts,
    async issue (): Promise<string> {
      const answer = await requestTokenV1({ authorityHost: url, tenantId }, client, API)
      if (!('token' in answer)) throw new Error(answer.error)
      return answer.token
    },
    /** Of the key that signs now, with other claims. */
    async sign (token: string, changes: JWTPayload): Promise<string> {
      const { signingKey } = simulator.snapshot()
      const header = { alg: 'RS256', kid: signingKey.kid ?? '' }
      return await new SignJWT({ ...decodeJwt(token), ...changes }).setProtectedHeader(header).sign(await importJWK(signingKey, 'RS256'))
    },
    looks: () => control.journal.entries({ path: '/discovery/v2.0/keys$' }).length,
    calls: () => control.journal.entries({ path: '/discovery/|openid-configuration' }).length
  }
}

t.test('the keys are asked for once by all who come first, and once for each new key; nothing is asked while they are known', async t => {
  const { clock, control, accepts, issue, looks, calls } = await startTenant(t)
  const first = await issue()
  t.strictSame(await Promise.all(Array.from({ length: 20 }, async () => await accepts(first))), Array(20).fill(true))
  t.strictSame([looks(), calls()], [1, 3], 'the keys, and what both kinds of issuers are called')

  await control.rotateSigningKey()
  const second = await issue()
  t.notOk(await accepts(second), 'the last look was a moment ago')
  clock.nowMs += PAUSE_MS
  t.ok(await accepts(second))
  t.ok(await accepts(first), 'the key before is still published')
  t.strictSame([looks(), calls()], [2, 6])

  for (let minute = 0; minute < 50; minute += 5) {
    clock.nowMs += 5 * MINUTE_MS
    const fresh = await issue()
    t.ok(await accepts(fresh))
    for (let time = 0; time < 20; time++) await accepts(fresh)
  }
  t.strictSame([looks(), calls()], [2, 6], 'not a call in fifty minutes')
  clock.nowMs += 10 * MINUTE_MS
  const last = await issue()
  for (let time = 0; time < 20; time++) t.ok(await accepts(last))
  await eventually('one look an hour', () => looks() === 3)
})

t.test('unknown key names, however many, make for one look in half a minute', async t => {
  const { clock, accepts, issue, looks } = await startTenant(t)
  const [, payload, signature] = (await issue()).split('.')
  for (let second = 0; second < 300; second++) {
    clock.nowMs += 1_000
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: `unknown ${second}` })).toString('base64url')
    if (await accepts(`${header}.${payload}.${signature}`)) t.fail('accepted')
  }
  t.ok(looks() >= 2 && looks() <= 10, `${looks()} looks in 300 s`)
})

t.test('a key that was withdrawn: what was proved before is accepted for a minute after its proof, anything else from the next look on not at all', async t => {
  const { clock, control, accepts, issue, looks } = await startTenant(t)
  const [first, unseen] = [await issue(), await issue()]
  t.ok(await accepts(first))
  const provedAtMs = clock.nowMs
  await control.rotateSigningKey(true)
  const second = await issue()
  clock.nowMs += PAUSE_MS
  t.ok(await accepts(second), 'the first token of the new key brings the look')
  t.equal(looks(), 2)
  t.notOk(await accepts(unseen))
  clock.nowMs = provedAtMs + KEPT_MS - 1
  t.ok(await accepts(first))
  clock.nowMs = provedAtMs + KEPT_MS
  t.notOk(await accepts(first))
  t.ok(await accepts(second))
})

t.test('a key that was withdrawn while no token of another comes is found out by the first use after an hour, and its last proof is good for a minute', async t => {
  const { clock, control, accepts, issue, sign, looks } = await startTenant(t)
  const token = await sign(await issue(), { exp: clock.nowMs / 1_000 + 30 * 3_600 })
  t.ok(await accepts(token))
  await control.rotateSigningKey(true)
  clock.nowMs += 60 * MINUTE_MS - 1
  t.ok(await accepts(token))
  t.equal(looks(), 1)
  clock.nowMs += KEPT_MS
  t.ok(await accepts(token), 'nobody waits for the look that this use begins')
  await eventually('the look has begun', () => looks() === 2)
  // Until its answer has come the old key proves the token once more, for another minute.
  await eventually('it is refused', async () => {
    clock.nowMs += KEPT_MS
    return !await accepts(token)
  })
})

t.test('a token is accepted up to a minute beside its times, to the second, however often it was shown before', async t => {
  const { clock, accepts, issue, sign } = await startTenant(t)
  const token = await issue()
  const [beganAtMs, now] = [clock.nowMs, Math.floor(clock.nowMs / 1_000)]
  for (const [exp, isAccepted] of [[now - 59, true], [now - 60, false], [now - 61, false]] as const) t.equal(await accepts(await sign(token, { exp })), isAccepted, `ended ${now - exp} s ago`)
  for (const [nbf, isAccepted] of [[now + 60, true], [now + 61, false]] as const) t.equal(await accepts(await sign(token, { nbf, exp: now + 900 })), isAccepted, `begins in ${nbf - now} s`)

  const short = await sign(token, { exp: now + 10 })
  t.ok(await accepts(short))
  for (const [second, isAccepted] of [[9, true], [11, true], [69, true], [70, false], [71, false]] as const) {
    clock.nowMs = beganAtMs + second * 1_000
    t.equal(await accepts(short), isAccepted, `after ${second} s`)
  }
})
