// Clients that come, rotate and go through whatever replicas there are, and remember what they were told.
import { setTimeout as delay } from 'node:timers/promises'
import { konnectApplication, request, type Answer } from '../test/support/broker.ts'
import type { Replica } from './rolling-release.ts'

const CALLERS = 6
const RETRY_MS = 200
/** Of ten clients, this many stay. */
const STAYING = 6

/** What became of a client, as far as its owner was told. */
export interface Known {
  clientId: string
  /** Null: a rotation's answer was lost, and with it the secret. */
  secret: string | null
  isDeleted: boolean
}

export interface Traffic {
  known: Known[]
  /** Answers by `<release> <what> <status>`. */
  answers: Map<string, number>
  /** No new client comes; resolves when those at hand are done. */
  stop (): Promise<void>
}

/** @param replicas those that are there now; the callers choose anew for every call, so that one client is served by both releases */
export function startTraffic (replicas: () => readonly Replica[], key: string): Traffic {
  const known: Known[] = []
  const answers = new Map<string, number>()
  const stopping = new AbortController()
  let turn = 0

  async function call (what: string, method: string, path: string, body?: unknown): Promise<Answer> {
    for (;;) {
      const there = replicas()
      const replica = there[turn++ % there.length]
      if (replica === undefined) throw new Error('No replica is there')
      const answer = await request(`${replica.url}/konnect${path}`, method, body, { 'x-api-key': key }).catch(() => null)
      const counted = `${replica.release.name} ${what} ${answer?.status ?? 'no answer'}`
      answers.set(counted, (answers.get(counted) ?? 0) + 1)
      if (answer !== null && answer.status < 500) return answer
      await delay(RETRY_MS)
    }
  }

  async function live (number: number): Promise<void> {
    const created = await call('create', 'POST', '', konnectApplication({ client_name: `Client ${number}` }))
    if (created.status !== 201) throw new Error(`A create was answered ${created.status}`)
    const client: Known = { clientId: created.body.client_id, secret: created.body.client_secret, isDeleted: false }
    known.push(client)
    client.secret = null
    const rotated = await call('rotate', 'POST', `/${client.clientId}/new-secret`)
    if (rotated.status !== 200) throw new Error(`A rotation was answered ${rotated.status}`)
    client.secret = rotated.body.client_secret
    if (number % 10 < STAYING) return
    const deleted = await call('delete', 'DELETE', `/${client.clientId}`)
    if (deleted.status !== 204) throw new Error(`A delete was answered ${deleted.status}`)
    client.isDeleted = true
  }

  let number = 0
  const callers = Array.from({ length: CALLERS }, async () => { while (!stopping.signal.aborted) await live(number++) })
  const all = Promise.all(callers)
  all.catch(() => stopping.abort())
  return {
    known,
    answers,
    async stop () {
      stopping.abort()
      await all
    }
  }
}
