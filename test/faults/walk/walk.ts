// The random walk: callers do whatever callers do while everything breaks, and when all is quiet again the invariants must hold.
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../../support/free-port.ts'
import { INITIAL_ACCESS_TOKEN } from '../../support/broker.ts'
import { Chance } from '../chance.ts'
import { openCluster, TIMES, type Cluster } from '../cluster.ts'
import { rest } from '../invariants.ts'
import type { Teardowns } from '../program.ts'
import { WalkClients } from './clients.ts'
import { createTroubles, FAULT_WEIGHTS, LONGEST_STOP_MS } from './faults.ts'
import { perform, WEIGHTS, type WalkWorld } from './operations.ts'

export interface WalkOptions {
  seed: number
  operations: number
  /** Ends earlier when the time is over, but not before so many operations were done for their callers (default: none). */
  withinMs: number
  leastDone?: number
  /** Called every few seconds with what was done so far. */
  progress?: (tally: Tally) => void
}

export interface Tally {
  operations: number
  /** Operations by what became of them. */
  outcomes: Map<string, number>
  faults: Map<string, number>
  restarts: number
  complaints: number
}

export interface WalkEnd extends Tally {
  /** Sentences; none when every promise is kept. */
  violations: string[]
}

/** Most of them wait at every moment, for Entra or to come again. */
const WALKERS = 24
const WINDOW_MS = 8_000
/** All that was stopped, delayed or left is over by then. */
const SECOND_LOOK_MS = WINDOW_MS + LONGEST_STOP_MS
const REST_MS = 90_000

export async function walk (t: Teardowns, { seed, operations, withinMs, leastDone = 0, progress }: WalkOptions): Promise<WalkEnd> {
  const chance = new Chance(seed)
  const ports = [await findFreePort(), await findFreePort()]
  const cluster = await openCluster(t, {
    environment: {
      INITIAL_ACCESS_TOKENS: INITIAL_ACCESS_TOKEN,
      REDELIVERY_WINDOW_MS: String(WINDOW_MS),
      SWEEP_SECOND_LOOK_MS: String(SECOND_LOOK_MS),
      SUPERSEDED_GRACE_MS: '3000',
      MAX_SECRETS_PER_CLIENT: '50'
    },
    replicas: ports.map(port => ({ environment: { OPERATIONS_PORT: String(port) } }))
  })
  await cluster.start()
  const complaints: string[] = []
  const world: WalkWorld = {
    cluster,
    clients: new WalkClients(),
    operationsUrl: replica => `http://127.0.0.1:${ports[cluster.replicas.indexOf(replica)]}`,
    complain: sentence => { complaints.push(sentence) }
  }
  const troubles = createTroubles(cluster)
  const outcomes = new Map<string, number>()
  const faults = new Map<string, number>()
  let begun = 0
  let done = 0
  const tally = (): Tally => ({ operations: done, outcomes, faults, restarts: troubles.restarts, complaints: complaints.length })

  async function walker (own: Chance): Promise<void> {
    const endsAtMs = performance.now() + withinMs
    const isOver = (): boolean => performance.now() >= endsAtMs && (outcomes.get('done') ?? 0) >= leastDone
    while (begun < operations && !isOver()) {
      const name = `Walk ${begun += 1}`
      count(outcomes, await perform(world, own.weighted(WEIGHTS), name, own))
      done += 1
    }
  }

  const walking = new AbortController()
  const underWay: Array<Promise<void>> = []
  async function trouble (own: Chance): Promise<void> {
    while (!walking.signal.aborted) {
      await delay(own.between(100, 500))
      const fault = own.weighted(FAULT_WEIGHTS)
      count(faults, fault)
      underWay.push(troubles.make(fault, own.fork()))
    }
  }

  const reporting = setInterval(() => progress?.(tally()), 5_000)
  try {
    const troubling = trouble(chance.fork())
    await Promise.all(Array.from({ length: WALKERS }, () => walker(chance.fork())))
    walking.abort()
    await troubling
    await Promise.all(underWay)
    await troubles.heal()
    await settle(cluster)
    // Who stood still answered nobody in the meantime.
    const violations = await cluster.violations(Number(TIMES.REQUEST_DEADLINE_MS) + LONGEST_STOP_MS)
    return { ...tally(), violations: [...complaints, ...violations] }
  } finally {
    clearInterval(reporting)
  }
}

/** Passwords that landed late are looked for ten minutes later, rows that failed often up to five; here at once. */
async function settle (cluster: Cluster): Promise<void> {
  await cluster.database.query("UPDATE registration SET due_at = now() WHERE due_at > now() AND state IN ('reserved', 'deleting', 'undoing')")
  await rest(cluster, REST_MS)
  await cluster.database.query('UPDATE registration SET stray_check_at = now(), due_at = now() WHERE stray_check_at IS NOT NULL')
  await rest(cluster, REST_MS)
}

function count (counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
