// What goes wrong during a walk: Graph and its answers, replication, commits, the database, the processes. `heal` takes all of it back.
import { setTimeout as delay } from 'node:timers/promises'
import type { BrokerProcess } from '../../support/broker-process.ts'
import type { FaultAction, FaultRule } from '../../../src/simulator/faults.ts'
import { noLag } from '../../../src/simulator/lag.ts'
import type { Chance } from '../chance.ts'
import type { Cluster } from '../cluster.ts'
import { ADD_PASSWORD, APPLICATION, MARK, PRINCIPAL, REMOVE_PASSWORD, RESERVE, SAVE } from '../stops.ts'
import { graphRefusal } from '../watched-broker.ts'

export const FAULT_WEIGHTS = { graph: 60, lag: 6, 'cut at a commit': 12, 'refused commit': 6, 'silent database': 1, kill: 3, stop: 2, terminate: 2 }

export type Fault = keyof typeof FAULT_WEIGHTS

/** Longer than a lease and an attempt: then another replica has taken over. */
export const LONGEST_STOP_MS = 7_000
/** Longer than an attempt: what it delays lands when nobody waits for it any more. */
const LONGEST_DELAY_MS = 1_500
const MOST_ARMED = 4
/** The lag of Entra, up to 30 s, on the scale of a cluster's times. */
const LONGEST_LAG_MS = 3_000

const CALLS: Array<FaultRule['match']> = [
  APPLICATION, PRINCIPAL, ADD_PASSWORD, REMOVE_PASSWORD, { method: 'PATCH', path: '/applications/' }, { method: 'PATCH', path: '/servicePrincipals/' },
  { method: 'DELETE', path: '/applications/' }, { method: 'DELETE', path: '/deletedItems/' }, { method: 'GET', path: '/v1.0/' }, { method: 'POST', path: '/oauth2/v2.0/token$' }
]

export interface Troubles {
  /** Does one thing that chance picks. Resolves to it when it is over. */
  make (fault: Fault, chance: Chance): Promise<void>
  /** Everything runs and answers again. */
  heal (): Promise<void>
  readonly restarts: number
}

export function createTroubles (cluster: Cluster): Troubles {
  const { simulator: { control }, proxy, replicas } = cluster
  /** Something is being done to them. */
  const taken = new Set<BrokerProcess>()
  let restarts = 0

  async function toAReplica (chance: Chance, act: (replica: BrokerProcess) => Promise<void>): Promise<void> {
    const free = replicas.filter(replica => !taken.has(replica))
    if (free.length === 0) return
    const replica = chance.pick(free)
    taken.add(replica)
    try {
      await act(replica)
    } finally {
      taken.delete(replica)
    }
  }
  const startAgain = async (replica: BrokerProcess, chance: Chance): Promise<void> => {
    await delay(chance.between(0, 1_500))
    restarts += 1
    await replica.start(proxy.url)
  }
  const commit = (chance: Chance): RegExp => chance.pick([RESERVE, SAVE, SAVE, MARK, /idempotency_record/, /UPDATE registration/])

  const makers: Record<Fault, (chance: Chance) => Promise<void>> = {
    async graph (chance) {
      // Callers wait longer the more goes wrong: without a limit nothing would be done any more.
      if (control.faults.armed().length < MOST_ARMED) control.faults.add(spoiltCall(chance))
    },
    async lag (chance) {
      const upTo = (most: number): number => chance.happens(0.5) ? chance.between(0, most) : 0
      control.lag({
        readDelayMs: upTo(LONGEST_LAG_MS),
        staleReadMs: upTo(LONGEST_LAG_MS),
        principalDelayMs: upTo(LONGEST_LAG_MS),
        tokenDelayMs: upTo(LONGEST_LAG_MS),
        secretDelayMs: upTo(LONGEST_LAG_MS),
        secretLingerMs: upTo(LONGEST_LAG_MS),
        tokenLingerMs: upTo(LONGEST_LAG_MS),
        concurrencyWindowMs: upTo(40),
        latencyMs: upTo(80),
        principalRefusal: chance.pick(['no-backing-application', 'denied'])
      })
      await delay(chance.between(500, 4_000))
      control.lag(noLag)
    },
    async 'cut at a commit' (chance) {
      proxy.cut({ statement: commit(chance), side: chance.pick(['before', 'after']) }).catch(() => {})
    },
    async 'refused commit' (chance) {
      proxy.refuse({ statement: commit(chance), sqlState: chance.pick(['40001', '40P01']), times: chance.between(1, 3) })
    },
    async 'silent database' (chance) {
      proxy.silence()
      await delay(chance.between(200, 1_200))
      proxy.back()
    },
    async kill (chance) {
      await toAReplica(chance, async replica => {
        await replica.kill()
        await startAgain(replica, chance)
      })
    },
    async stop (chance) {
      await toAReplica(chance, async replica => {
        replica.stop()
        await delay(chance.happens(0.3) ? LONGEST_STOP_MS : chance.between(50, 2_000))
        replica.goOn()
      })
    },
    async terminate (chance) {
      await toAReplica(chance, async replica => {
        await replica.terminate()
        await startAgain(replica, chance)
      })
    }
  }
  return {
    make: async (fault, chance) => await makers[fault](chance),
    async heal () {
      control.faults.clear()
      control.lag(noLag)
      proxy.forget()
      proxy.back()
      await cluster.start()
    },
    get restarts () { return restarts }
  }
}

function spoiltCall (chance: Chance): FaultRule {
  const match = { ...chance.pick(CALLS), times: chance.between(1, 2), skip: chance.between(0, 2) }
  const kind = chance.weighted({ error: 20, html: 8, reset: 15, hang: 10, late: 8, truncate: 10, throttled: 6, concurrency: 8 })
  if (kind === 'throttled') return { match: { ...match, times: 1 }, action: graphRefusal(429, 'TooManyRequests', chance.happens(0.5) ? { 'retry-after': '1' } : {}) }
  if (kind === 'concurrency') return { match, action: graphRefusal(409, 'Directory_ConcurrencyViolation') }
  if (kind === 'late') return { match, action: { type: 'delay', ms: chance.between(100, LONGEST_DELAY_MS) } }
  const actions: Record<typeof kind, FaultAction> = {
    error: graphRefusal(chance.pick([500, 503, 504]), 'serviceUnavailable'),
    html: { type: 'html', status: 502 },
    reset: { type: 'reset' },
    hang: { type: 'hang' },
    truncate: { type: 'truncate' }
  }
  return { match, action: actions[kind], when: chance.pick(['before', 'after']) }
}
