// Reading a registration (RFC 7592) whose secret is sealed, beside oidc-provider, which keeps its registrations in memory and in the clear.
import { request } from 'undici'
import { INITIAL_ACCESS_TOKEN } from '../broker.ts'
import { compare, inTurns, type Side } from '../contest.ts'
import type { HammerRequest } from '../hammer.ts'
import { hammerTurn, type Loaded } from '../load-turn.ts'
import { startPeer } from '../peer.ts'
import { using } from '../surroundings.ts'
import { warmUp } from '../warm-up.ts'
import type { Group } from './group.ts'

/** oidc-provider's memory keeps 1,000 entries, two for each. */
const REGISTRATIONS = 400
const CONNECTIONS = 16
const REGISTERING_AT_ONCE = 4

const document = {
  client_name: 'Benchmark',
  redirect_uris: ['https://app.example.com/callback'],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic'
}

interface Registered {
  client_id: string
  client_secret: string
  registration_access_token: string
  registration_client_uri: string
}

export const read: Group = {
  name: 'read',
  run: async ({ startBroker, upstream }, extent, tell) => await using(async keep => {
    await upstream.setLatency(0)
    const [broker, provider] = [await keep(startBroker()), await keep(startPeer('oidc-provider'))]
    tell(`registering ${REGISTRATIONS} clients at each`)
    const ours = await reading('broker', broker, '/register', { authorization: `Bearer ${INITIAL_ACCESS_TOKEN}` })
    const theirs = await reading('oidc-provider', provider, '/reg', {})
    tell('warming up')
    for (const { turn } of [ours, theirs]) await warmUp(turn, extent.warmUp)
    const sides = [ours, theirs].map(({ name, turn }): Side => ({ name, turn: async () => await turn(extent.turnMs) })) as [Side, Side]
    const measured = await inTurns(sides, extent.rounds, tell)
    return {
      rows: [compare(measured, {
        name: 'read a registration / oidc-provider', figure: 'perSecond', unit: '/s', ours: sides[0], peer: sides[1], target: { atLeast: 0.8 }
      })]
    }
  })
}

async function reading (name: string, process: Loaded & { url: string }, path: string, headers: Record<string, string>) {
  const requests: HammerRequest[] = []
  while (requests.length < REGISTRATIONS) {
    const some = await Promise.all(Array.from({ length: REGISTERING_AT_ONCE }, async () => await register(process.url + path, headers)))
    requests.push(...some.map(toRead))
  }
  // That the answer has the secret, and every one of them is there.
  for (const { path, headers } of requests) await client(await request(process.url + path, { headers }), 200)
  return {
    name,
    turn: async (durationMs: number) => await hammerTurn(process, { url: process.url, requests, connections: CONNECTIONS, durationMs, status: 200 })
  }
}

async function register (url: string, headers: Record<string, string>): Promise<Registered> {
  return await client(await request(url, {
    method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(document)
  }), 201)
}

async function client ({ statusCode, body }: Awaited<ReturnType<typeof request>>, expected: number): Promise<Registered> {
  const text = await body.text()
  if (statusCode !== expected || !text.includes('"client_secret"')) throw new Error(`A registration was answered with ${statusCode}: ${text}`)
  return JSON.parse(text) as Registered
}

function toRead ({ registration_client_uri: uri, registration_access_token: token }: Registered): HammerRequest {
  return { method: 'GET', path: new URL(uri).pathname, headers: { authorization: `Bearer ${token}` } }
}
