// What a flood of wrong keys costs, and that it stands in nobody's way. Behind a proxy everybody has one address, as here.
import t from 'tap'
import { createFailedAuthentications, networkOf } from '../../src/http/failed-authentications.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { konnectApplication, OPERATOR_KEY, request, type Answer } from '../support/broker.ts'
import { GATEWAY_KEY } from '../support/gateway.ts'
import { ownedBy, serviceClient, startPreparedBroker, webClient, type PreparedBroker } from '../register/prepared-broker.ts'

const AUDIENCE = 'api://dcr-broker'
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

function limiter (perMinute: number) {
  const clock = { ms: 1_000 }
  const exceeded: string[] = []
  const failures = createFailedAuthentications({ perMinute, monotonicMs: () => clock.ms, onExceeded: source => { exceeded.push(source) } })
  return { clock, exceeded, failures, count: (address: string, times: number) => Array.from({ length: times }, () => failures.count(address)) }
}

t.test('a source has its allowance each minute; what is beyond is told when the next begins, and reported once', async t => {
  const { clock, exceeded, count } = limiter(3)
  t.strictSame(count('203.0.113.9', 5), [null, null, null, 60, 60])
  t.strictSame(count('203.0.113.10', 1), [null], 'another source has its own')
  clock.ms += 59_500
  t.strictSame(count('203.0.113.9', 1), [1])
  t.strictSame(exceeded, ['203.0.113.9'])
  clock.ms += 500
  t.strictSame(count('203.0.113.9', 4), [null, null, null, 60])
  t.strictSame(exceeded, ['203.0.113.9', '203.0.113.9'], 'once more in another minute')
})

t.test('whoever has a network of addresses has one allowance, and all the world has twenty', async t => {
  const { exceeded, failures } = limiter(3)
  const inOneNetwork = Array.from({ length: 4 }, (_, index) => failures.count(`2001:db8:0:1::${index}`))
  t.strictSame(inOneNetwork, [null, null, null, 60])
  const everywhere = Array.from({ length: 20_000 }, (_, index) => failures.count(`2001:db8:${(index >> 8).toString(16)}:${(index & 255).toString(16)}::1`))
  t.equal(everywhere.filter(seconds => seconds === null).length, 57)
  t.strictSame(exceeded, ['2001:db8:0:1::/64', 'all sources'])
})

t.test('an IPv6 address counts as its network, an IPv4 address as itself however it is written', async t => {
  const cases = [
    ['203.0.113.9', '203.0.113.9'], ['::ffff:203.0.113.9', '203.0.113.9'], ['2001:db8::1', '2001:db8:0:0::/64'], ['2001:DB8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['::1', '0:0:0:0::/64'], ['::', '0:0:0:0::/64'], ['1::', '1:0:0:0::/64'], ['2001:db8:1:2::1.2.3.4', '2001:db8:1:2::/64'], ['fe80::1%eth0', 'fe80:0:0:0::/64'], ['', '']
  ] as const
  for (const [address, network] of cases) t.equal(networkOf(address), network, address)
})

t.test('S2 while an address floods the broker with wrong keys of every kind', async t => {
  const broker = await startPreparedBroker(t, {
    environment: {
      AUTHENTICATION_FAILURES_PER_MINUTE: '5',
      REGISTER_TOKEN_AUDIENCE: AUDIENCE,
      OPERATOR_TOKEN_AUDIENCE: AUDIENCE,
      OPERATOR_TOKEN_ROLES: 'Broker.Read=read',
      GATEWAY_PORT: '0',
      GATEWAY_API_KEYS: GATEWAY_KEY
    }
  })
  const { url, operationsUrl, logLines } = broker
  const gatewayUrl = await broker.broker.gatewayServer?.listen({ host: '127.0.0.1', port: 0 }) ?? ''
  const good = await goodCredentials(broker, gatewayUrl)
  const forged = forgedFrom(good.serviceToken)
  const invented = (prefix: string, index: number) => `${prefix}${String(index).padStart(43, 'A')}`
  const asked = async (address: string, headers: Record<string, string>, method = 'POST') => await request(address, method, method === 'GET' ? undefined : {}, headers)
  const wrong: Array<(index: number) => Promise<Answer>> = [
    index => asked(`${url}/konnect`, { 'x-api-key': invented('dcr_knk_', index) }),
    index => asked(`${url}/register`, bearer(invented('dcr_iat_', index))),
    index => asked(`${url}/register`, bearer(invented('dcr_svc_', index))),
    index => asked(`${url}/register`, bearer(forged(index))),
    index => asked(`${url}/register/${good.client.id}`, bearer(invented('dcr_rat_', index)), 'GET'),
    index => asked(`${gatewayUrl}/introspect`, bearer(invented('dcr_gwy_', index))),
    index => asked(`${gatewayUrl}/verify`, { 'x-gateway-key': invented('dcr_gwy_', index) }, 'GET'),
    index => asked(`${url}/v2/registrations`, bearer(invented('dcr_iat_', index)), 'GET'),
    index => asked(`${operationsUrl}/v2/registrations`, bearer(invented('dcr_opr_', index)), 'GET'),
    index => asked(`${operationsUrl}/v2/registrations`, bearer(forged(index)), 'GET')
  ]
  const linesBefore = logLines.length

  await t.test('the first failures are 401, further ones 429 in the dialect of their surface, with the time of the next', async t => {
    const answers: Answer[] = []
    for (const ask of wrong) answers.push(await ask(0))
    t.strictSame(answers.map(({ status }) => status), [401, 401, 401, 401, 401, 429, 429, 429, 429, 429])
    for (const ask of [...wrong.slice(0, 2), ...wrong.slice(5, 7)]) {
      const { status, body, headers } = await ask(1)
      t.match({ status, body }, { status: 429, body: { error: 'temporarily_unavailable', error_description: /not valid/ } })
      t.match(headers.get('retry-after'), /^([1-9]|[1-5]\d|60)$/)
      t.equal(headers.get('www-authenticate'), null)
    }
    t.match(answers.at(-1), { body: { status: 429, title: 'Too many requests' } })
    t.match(answers.at(-1)?.headers.get('retry-after'), /^\d+$/)
  })

  await t.test('a good one of each kind is served in the middle of it', async t => {
    const flood = { isOver: false, statuses: new Set<number>() }
    const floods = wrong.map(async ask => {
      for (let index = 10; !flood.isOver; index++) flood.statuses.add((await ask(index)).status)
    })
    for (const [name, use, status] of good.uses) t.equal((await use()).status, status, name)
    flood.isOver = true
    await Promise.all(floods)
    t.ok(flood.statuses.has(429))
    // Another minute may have begun.
    t.strictSame([...flood.statuses].filter(status => status !== 429 && status !== 401), [], 'and nothing of the flood was')
  })

  await t.test('nobody who shows nothing is refused for it: he is told what he needs', async t => {
    for (const [address, method] of [[`${url}/konnect`, 'POST'], [`${url}/register`, 'POST'], [`${operationsUrl}/v2/registrations`, 'GET'], [`${gatewayUrl}/introspect`, 'POST'], [`${gatewayUrl}/verify`, 'GET']] as const) {
      t.equal((await asked(address, {}, method)).status, 401, address)
    }
  })

  await t.test('a client that shows a gateway what is not valid does not count against the gateway', async t => {
    const shown = Buffer.from(`${good.client.id}:wrong`).toString('base64')
    for (let time = 0; time < 8; time++) {
      for (const headers of [{ authorization: `Basic ${shown}` }, bearer(forged(time))]) t.equal((await asked(`${gatewayUrl}/verify`, headers, 'GET')).status, 401)
    }
  })

  await t.test('it costs one line of the log, and a metric counts it', async t => {
    const total = 400
    const refused = logLines.slice(linesBefore).filter(line => line.includes('Too many keys'))
    // For each minute that has begun.
    t.ok(refused.length >= 1 && refused.length <= 2, `${refused.length} lines`)
    t.match(JSON.parse(refused[0] ?? ''), { source: '127.0.0.1', perMinute: 5 })
    const lines = logLines.length
    for (let index = 0; index < total; index += 100) await Promise.all(Array.from({ length: 100 }, (_, each) => wrong[each % 5]?.(10_000 + index + each)))
    t.ok(logLines.slice(lines).filter(line => line.includes('"Request')).length <= 20, 'none for what is beyond the allowance')
    const metrics = await request(`${operationsUrl}/metrics`, 'GET')
    t.match(metrics.body, /dcr_authentication_failures_total\{guard="registrant",status="429"\} \d{3,}/)
    t.match(metrics.body, /dcr_authentication_failures_total\{guard="gateway",status="429"\} \d+/)
  })
})

/** Of the tenant, for the broker, by a key of its name, and not signed by it. */
function forgedFrom (token: string): (index: number) => string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  return index => [header, Buffer.from(JSON.stringify({ ...claims, jti: index })).toString('base64url'), signature].join('.')
}

async function goodCredentials (broker: PreparedBroker, gatewayUrl: string) {
  const { simulator, register, konnect, manage, mint, url, operationsUrl } = broker
  simulator.control.addResource({ displayName: 'DCR Broker API', identifierUris: [AUDIENCE], appRoles: ['Registration.Create', 'Broker.Read'] })
  const [service, reader] = [await tokenWith(simulator, 'Registration.Create'), await tokenWith(simulator, 'Broker.Read')]
  const client = ownedBy(await register(webClient()))
  const minted = {
    konnect: (await mint({ kind: 'konnect', scopes: ['register'] })).token,
    initial: (await mint()).token,
    service: (await mint({ kind: 'service', scopes: ['register'] })).token,
    operator: (await mint({ kind: 'operator', providerName: null, scopes: ['read'] })).token,
    gateway: (await mint({ kind: 'gateway', providerName: null, scopes: ['introspect'] })).token
  }
  const operate = (token: string) => async () => await request(`${operationsUrl}/v2/registrations`, 'GET', undefined, bearer(token))
  const introspect = (key: string) => async () => await request(`${gatewayUrl}/introspect`, 'POST', 'token=x', { ...bearer(key), 'content-type': 'application/x-www-form-urlencoded' })
  const withKey = (key: string) => async () => await request(`${url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': key })
  const uses: Array<[name: string, use: () => Promise<Answer>, status: number]> = [
    ['a key of Konnect, of the environment', async () => await konnect('POST', '', konnectApplication({ client_name: 'of the environment' })), 201],
    ['a key of Konnect, minted', withKey(minted.konnect), 201],
    ['an initial access token of the environment', async () => await register(webClient()), 201],
    ['an initial access token, minted', async () => await register(webClient(), minted.initial), 201],
    ['a token of a service, minted', async () => await register(serviceClient(), minted.service), 201],
    ['a token of a service, of Entra', async () => await register(serviceClient(), service), 201],
    ['a registration access token', async () => await manage('GET', client.uri, client.token), 200],
    ['a gateway key of the environment', introspect(GATEWAY_KEY), 200],
    ['a gateway key, minted', introspect(minted.gateway), 200],
    ['an operator key of the environment', operate(OPERATOR_KEY), 200],
    ['an operator key, minted', operate(minted.operator), 200],
    ['a token of an operator, of Entra', operate(reader), 200]
  ]
  return { client, uses, serviceToken: service }
}

async function tokenWith ({ control, url, tenantId }: Simulator, role: string): Promise<string> {
  const { clientId, clientSecret } = control.addClient(`With ${role}`)
  control.assignRole(clientId, AUDIENCE, role)
  const response = await fetch(`${url}/${tenantId}/oauth2/v2.0/token`, {
    method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope: `${AUDIENCE}/.default` })
  })
  const { access_token: token } = await response.json() as { access_token: string }
  return token
}
