// The crash campaign: two replicas under traffic; again and again one of them is killed while registrations stand in chosen gaps of their
// create there, and started again while the other works on. At the end everything is counted.
import { setTimeout as delay } from 'node:timers/promises'
import { createTestDatabase } from '../support/postgres.ts'
import { ourObjectCount } from '../support/entra-truth.ts'
import { openCluster, type Cluster } from '../faults/cluster.ts'
import { Chance } from '../faults/chance.ts'
import { gaps, type Gap } from '../faults/gaps.ts'
import { rest } from '../faults/invariants.ts'
import type { Teardowns } from '../faults/program.ts'
import { askFirst, goOn, planCustomer, runningReplica, type Customer } from './customers.ts'
import { openLane, type ReplicaInLane } from './lane.ts'
import { verdict, type Placement, type Verdict } from './verdict.ts'

export interface CampaignOptions {
  seed: number
  /** Registrations that are killed in a gap, at least; each gap gets its share. */
  placements: number
  /** Those and others. */
  registrations: number
  /** How long a repeated request gets an answer that was not delivered. */
  windowMs: number
  say: (line: string) => void
}

/** Longer than what is brought into its gaps for one kill takes; a lease is an attempt and 5 s. */
const ATTEMPT_MS = 3_000
const TIMES = {
  ATTEMPT_TIMEOUT_MS: String(ATTEMPT_MS),
  LEASE_MS: String(ATTEMPT_MS + 5_100),
  REQUEST_DEADLINE_MS: '5000',
  SWEEP_SECOND_LOOK_MS: '15000',
  SUPERSEDED_GRACE_MS: '2000',
  // What is deleted is gone at once, so that everything left can be counted.
  PURGE_AFTER_HOURS: '0'
}
const MOST_AT_ONCE = 6

export async function runCampaign (t: Teardowns, { seed, placements, registrations, windowMs, say }: CampaignOptions): Promise<Verdict> {
  const chance = new Chance(seed)
  const database = await createTestDatabase(t)
  const lanes = [await openLane(t, database.url), await openLane(t, database.url)]
  const cluster = await openCluster(t, {
    database,
    environment: { ...TIMES, REDELIVERY_WINDOW_MS: String(windowMs) },
    replicas: lanes.map(({ gateway, proxy }) => ({ databaseUrl: proxy.url, environment: { GRAPH_BASE_URL: gateway.url } }))
  })
  for (const { gateway } of lanes) gateway.leadTo(cluster.simulator.url)
  const replicas = lanes.map((lane, index): ReplicaInLane => {
    const process = cluster.replicas[index]
    if (process === undefined) throw new Error('Each lane has a replica')
    return { name: `replica ${index + 1}`, process, lane }
  })
  await cluster.start()

  const customers: Customer[] = []
  const lives: Array<Promise<void>> = []
  const placed: Placement[] = []
  const deck = shares(placements, chance)
  const kills: string[] = []
  let misses = 0
  const newCustomer = (): Customer => {
    const customer = planCustomer(`Customer ${String(customers.length + 1).padStart(4, '0')}`, chance.fork())
    customers.push(customer)
    return customer
  }
  const others = registrations - placements
  const visit = async (customer: Customer): Promise<void> => {
    await askFirst(customer, cluster, runningReplica(cluster, customer.chance))
    await goOn(customer, cluster)
  }
  const progress = setInterval(() => say(
    `${kills.length} kills, ${placed.length} of ${placements} registrations killed in a gap, ${misses} missed; ${customers.length} customers, ` +
    `${customers.filter(({ clientId }) => clientId !== null).length} answered; ${cluster.ledger.calls.length} requests`), 5_000)

  try {
    while (deck.length > 0) {
      const killed = chance.pick(replicas)
      const onTheirOwn = Math.min(Math.ceil(others * MOST_AT_ONCE / 2 / placements), Math.max(0, others - (customers.length - placed.length - misses)))
      // The first request of a process is slow: its code is compiled, its token asked for.
      const first = newCustomer()
      await askFirst(first, cluster, killed.process)
      lives.push(goOn(first, cluster))
      for (let index = 1; index < onTheirOwn; index++) {
        const customer = newCustomer()
        lives.push(delay(customer.chance.between(0, 2_500)).then(() => visit(customer)))
      }
      const hand = deck.splice(0, chance.between(1, MOST_AT_ONCE))
      const standing = await Promise.all(hand.map(async gap => await bring(newCustomer(), gap, cluster, killed)))
      await delay(chance.between(0, 150))
      const killedAtMs = performance.now()
      await killed.process.kill()
      kills.push(`${new Date().toISOString()} ${killed.name} was killed; there stood ${standing.map(({ customer }) => customer.name).join(', ')}`)
      killed.lane.forget()
      for (const placement of standing) {
        lives.push(placement.sent.then(() => goOn(placement.customer, cluster)))
        if (killedAtMs - placement.reachedAtMs < ATTEMPT_MS) placed.push(placement)
        else {
          // It had gone on before the kill, or never came there: somebody else is brought there.
          misses += 1
          deck.push(placement.gap)
          if (misses > placements) throw new Error('Hardly any registration reaches its gap')
        }
      }
      await delay(chance.between(0, 700))
      await killed.process.start(killed.lane.proxy.url)
    }
    while (customers.length < registrations) lives.push(visit(newCustomer()))
    await Promise.all(lives)
    say('All customers are served; waiting until the broker has nothing left to do')
    await settle(cluster, windowMs + 90_000)
  } finally {
    clearInterval(progress)
  }
  return await verdict({ cluster, customers, placed, kills, misses, objects: ourObjectCount(cluster.simulator) })
}

/** Every gap as often as the others; what is over goes to gaps that chance picks. In a random order. */
function shares (placements: number, chance: Chance): Gap[] {
  const even = Math.floor(placements * 0.75 / gaps.length)
  const deck = gaps.flatMap(gap => Array.from({ length: even }, () => gap))
  while (deck.length < placements) deck.push(chance.pick(gaps))
  return chance.shuffled(deck)
}

/** Resolves when the registration stands in its gap, or does not come there in time. */
async function bring (customer: Customer, gap: Gap, cluster: Cluster, { process, lane }: ReplicaInLane): Promise<Placement> {
  await delay(customer.chance.between(0, 250))
  const reached = lane.standsIn(gap, customer.name).then(() => performance.now())
  const sent = askFirst(customer, cluster, process)
  if (gap.answered) await sent
  const reachedAtMs = await Promise.race([reached, delay(ATTEMPT_MS * 0.6, -Infinity)])
  return { gap, customer, reachedAtMs, sent }
}

/** Passwords that landed late are looked for ten minutes later; here at once. */
async function settle (cluster: Cluster, withinMs: number): Promise<void> {
  const { database } = cluster
  try {
    await rest(cluster, withinMs)
    await database.query('UPDATE registration SET stray_check_at = now(), due_at = now() WHERE stray_check_at IS NOT NULL')
    await rest(cluster, withinMs)
  } catch (error) {
    const { rows } = await database.query(`
      SELECT client_name, state, delivery, due_at, redeliver_until, lease_until, attempts, last_fault, now() FROM registration
      WHERE due_at < now() + interval '1 minute' OR redeliver_until IS NOT NULL OR lease_until > now() LIMIT 10`)
    throw new Error(`What is left to do: ${rows.map(row => JSON.stringify(row)).join('\n')}`, { cause: error })
  }
}
