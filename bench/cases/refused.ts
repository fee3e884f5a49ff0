// Refusing keys that are nobody's, beside Fastify with a route that does nothing.
import { randomBytes } from 'node:crypto'
import { compare, inTurns, type Side } from '../contest.ts'
import type { HammerRequest } from '../hammer.ts'
import { hammerTurn, type Loaded } from '../load-turn.ts'
import { startPeer } from '../peer.ts'
import { using } from '../surroundings.ts'
import { warmUp } from '../warm-up.ts'
import type { Group } from './group.ts'

const CONNECTIONS = 16
const KEYS = 500
/** Else the limit of failures would be what is measured. */
const environment = { AUTHENTICATION_FAILURES_PER_MINUTE: '0' }

const body = JSON.stringify({ client_name: 'Benchmark', redirect_uris: ['https://app.example.com/callback'], grant_types: ['client_credentials'] })
const withKey = (key: string): HammerRequest =>
  ({ method: 'POST', path: '/konnect', headers: { 'x-api-key': key, 'content-type': 'application/json' }, body })
/** A hyphen is in no key of Konnect's. */
const malformed = Array.from({ length: KEYS }, () => withKey(`no-key-${randomBytes(16).toString('hex')}`))
const unknown = Array.from({ length: KEYS }, () => withKey(`dcr_knk_${randomBytes(32).toString('hex')}`))

export const refused: Group = {
  name: 'refused',
  run: async ({ startBroker }, extent, tell) => await using(async keep => {
    const [broker, empty] = [await keep(startBroker({ environment })), await keep(startPeer('empty-route'))]
    const refusing = (name: string, process: Loaded & { url: string }, requests: readonly HammerRequest[]) => {
      const turn = async (durationMs: number) => await hammerTurn(process, { url: process.url, requests, connections: CONNECTIONS, durationMs, status: 401 })
      return { turn, side: { name, turn: async () => await turn(extent.turnMs) } satisfies Side }
    }
    const [route, badForm, nobodys] = [
      refusing('empty route', empty, malformed), refusing('broker, malformed key', broker, malformed), refusing('broker, unknown key', broker, unknown)
    ]
    tell('warming up')
    for (const { turn } of [route, badForm, nobodys]) await warmUp(turn, extent.warmUp)
    const measured = await inTurns([route.side, badForm.side, nobodys.side], extent.rounds, tell)
    const throughput = { figure: 'perSecond', unit: '/s', peer: route.side }
    return {
      rows: [
        compare(measured, { name: 'malformed key refused / empty route', ...throughput, ours: badForm.side, target: { atLeast: 0.9 } }),
        compare(measured, { name: 'unknown key refused / empty route', ...throughput, ours: nobodys.side, target: { atLeast: 0.4 } })
      ],
      notes: [
        `Refused keys: all answered with 401, with ${Object.entries(environment).map(([name, value]) => `${name}=${value}`).join(' ')}. The empty route reads the body, the broker has refused before.`
      ]
    }
  })
}
