// What gateways ask, of clients and tokens that have been asked about before, beside Fastify with a route that does nothing.
import { request } from 'undici'
import { KONNECT_KEY } from '../broker.ts'
import { compare, inTurns, type Side } from '../contest.ts'
import type { HammerRequest } from '../hammer.ts'
import { hammerTurn, type Loaded } from '../load-turn.ts'
import { startPeer } from '../peer.ts'
import { using } from '../surroundings.ts'
import type { Upstream } from '../upstream.ts'
import { warmUp } from '../warm-up.ts'
import { findFreePort } from '../../src/sandbox/free-port.ts'
import type { Group } from './group.ts'

const CLIENTS = 200
const CONNECTIONS = 16
const OPERATOR_KEY = 'operator_key_of_the_benchmark'
const GATEWAY_KEY = 'gateway_key_of_the_benchmark'
const TENANT = '00000000-0000-4000-8000-000000000001'
const API = 'api://orders'

interface Client { clientId: string, clientSecret: string, token: string }

export const gateway: Group = {
  name: 'gateway',
  run: async ({ startBroker, upstream }, extent, tell) => await using(async keep => {
    await upstream.setLatency(0)
    const port = await findFreePort()
    const broker = await keep(startBroker({ environment: { GATEWAY_PORT: String(port), GATEWAY_API_KEYS: GATEWAY_KEY, ADMIN_API_KEYS: OPERATOR_KEY } }))
    const url = `http://127.0.0.1:${port}`
    tell(`registering ${CLIENTS} clients`)
    await post(`${broker.operationsUrl}/v2/application-auth-strategies`, { authorization: `Bearer ${OPERATOR_KEY}` }, strategy)
    const clients: Client[] = []
    while (clients.length < CLIENTS) clients.push(await registered(broker.url, clients.length, upstream))

    const bySecret = clients.map(({ clientId, clientSecret }) => asked(`Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`))
    const byToken = clients.map(({ token }) => asked(`Bearer ${token}`))
    const introspected = clients.map(({ token }) => introspecting(token))
    const answerLength = await lengthOfAnswer(url, introspected[0] as HammerRequest)
    const empty = await keep(startPeer('empty-route', { ANSWER_LENGTH: String(answerLength) }))
    const asking = (name: string, process: Loaded, base: string, requests: readonly HammerRequest[]) => {
      const turn = async (durationMs: number) => await hammerTurn(process, { url: base, requests, connections: CONNECTIONS, durationMs, status: 200 })
      return { turn, side: { name, turn: async () => await turn(extent.turnMs) } satisfies Side }
    }
    const [secrets, tokens, emptyGet, introspection, emptyPost] = [
      asking('broker, secret', broker, url, bySecret), asking('broker, token', broker, url, byToken), asking('empty route, GET', empty, empty.url, byToken),
      asking('broker, introspection', broker, url, introspected), asking('empty route, POST', empty, empty.url, introspected)
    ] as const
    tell('warming up')
    const all = [secrets, tokens, emptyGet, introspection, emptyPost]
    for (const { turn } of all) await warmUp(turn, extent.warmUp)
    await upstream.setLatency(0)
    const measured = await inTurns(all.map(({ side }) => side), extent.rounds, tell)
    const { calls } = await upstream.setLatency(0)
    const throughput = { figure: 'perSecond', unit: '/s', target: { atLeast: 0.7 } } as const
    return {
      rows: [
        compare(measured, { name: 'verify by secret / empty route', ...throughput, ours: secrets.side, peer: emptyGet.side }),
        compare(measured, { name: 'verify by token / empty route', ...throughput, ours: tokens.side, peer: emptyGet.side }),
        compare(measured, { name: 'introspect / empty route', ...throughput, ours: introspection.side, peer: emptyPost.side })
      ],
      notes: [`Gateway: ${CLIENTS} clients that were asked about before. Meanwhile Entra was asked ${calls.token} times for a token and ${calls.keys} times for keys.`]
    }
  })
}

const strategy = {
  name: 'benchmark',
  strategy_type: 'openid_connect',
  is_default: true,
  audience: API,
  configs: { 'openid-connect': { issuer: `https://sts.windows.net/${TENANT}/`, credential_claim: ['appid'], scopes: [], auth_methods: ['client_credentials', 'bearer'] } }
}

async function registered (url: string, index: number, upstream: Upstream): Promise<Client> {
  const { client_id: clientId, client_secret: clientSecret } = await post(`${url}/konnect`, { 'x-api-key': KONNECT_KEY }, { client_name: `Gateway ${index}` })
  const now = Math.floor(Date.now() / 1_000)
  const claims = {
    aud: API,
    iss: `https://sts.windows.net/${TENANT}/`,
    iat: now,
    nbf: now,
    exp: now + 4_000,
    aio: 'x'.repeat(80),
    appid: clientId,
    appidacr: '1',
    tid: TENANT,
    ver: '1.0',
    idp: `https://sts.windows.net/${TENANT}/`,
    oid: clientId,
    sub: clientId,
    rh: 'x'.repeat(60),
    uti: 'x'.repeat(22),
    roles: ['Orders.Read']
  }
  return { clientId: String(clientId), clientSecret: String(clientSecret), token: await upstream.sign(claims) }
}

const asked = (authorization: string): HammerRequest => ({ method: 'GET', path: '/verify', headers: { authorization } })

const introspecting = (token: string): HammerRequest => ({
  method: 'POST',
  path: '/introspect',
  headers: { authorization: `Bearer ${GATEWAY_KEY}`, 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ token }).toString()
})

async function lengthOfAnswer (url: string, { path, headers, body = '' }: HammerRequest): Promise<number> {
  const answer = await request(url + path, { method: 'POST', headers, body })
  const text = await answer.body.text()
  if (!text.startsWith('{"active":true')) throw new Error(`The token is not active: ${answer.statusCode} ${text}`)
  return text.length
}

async function post (url: string, headers: Record<string, string>, body: object): Promise<Record<string, unknown>> {
  const answer = await request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) })
  const text = await answer.body.text()
  if (answer.statusCode !== 201) throw new Error(`${url} answered ${answer.statusCode}: ${text}`)
  return JSON.parse(text) as Record<string, unknown>
}
