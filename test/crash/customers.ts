// Those who ask for clients while replicas die: each has a plan, drawn from chance before it begins, and remembers what it was told.
import { setTimeout as delay } from 'node:timers/promises'
import { konnectApplication, type Answer } from '../support/broker.ts'
import type { BrokerProcess } from '../support/broker-process.ts'
import type { Cluster } from '../faults/cluster.ts'
import type { Chance } from '../faults/chance.ts'

export interface Customer {
  name: string
  chance: Chance
  /** Comes again when the first request failed. */
  repeats: boolean
  /** What is done with the client afterwards. */
  then: ReadonlyArray<'rotate' | 'delete'>
  clientId: string | null
  /** Of the create. */
  tries: number
  deletion: 'no' | 'asked' | 'answered'
  /** Sentences: what no caller should be told. */
  complaints: string[]
  /** What was asked of whom, and answered. */
  history: string[]
}

const PATIENCE_MS = 100_000

export function planCustomer (name: string, chance: Chance): Customer {
  const then = chance.weighted({ nothing: 5, rotate: 2, 'rotate twice': 1, delete: 2, 'rotate and delete': 1 })
  const acts = { nothing: [], rotate: ['rotate'], 'rotate twice': ['rotate', 'rotate'], delete: ['delete'], 'rotate and delete': ['rotate', 'delete'] } as const
  return { name, chance, repeats: chance.happens(0.6), then: acts[then], clientId: null, tries: 0, deletion: 'no', complaints: [], history: [] }
}

/** The first request: its answer, or null when there was none or a 503. */
export async function askFirst (customer: Customer, cluster: Cluster, replica: BrokerProcess): Promise<Answer | null> {
  const answer = await create(customer, cluster, replica)
  if (answer !== null) note(customer, answer)
  return customer.clientId === null ? null : answer
}

/** All that follows the first request. */
export async function goOn (customer: Customer, cluster: Cluster): Promise<void> {
  const { chance } = customer
  const endsAtMs = performance.now() + PATIENCE_MS
  while (customer.clientId === null && customer.repeats) {
    if (performance.now() > endsAtMs) {
      customer.complaints.push(`${customer.name} was never answered`)
      return
    }
    await delay(chance.between(300, 1_500))
    const answer = await create(customer, cluster, runningReplica(cluster, chance))
    if (answer !== null) note(customer, answer)
  }
  for (const act of customer.clientId === null ? [] : customer.then) {
    await delay(chance.between(0, 4_000))
    const [method, path, success] = act === 'rotate' ? ['POST', '/new-secret', 200] as const : ['DELETE', '', 204] as const
    if (act === 'delete') customer.deletion = 'asked'
    // Who does not come again may have got what he asked for, or not.
    const isInsistent = chance.happens(0.7)
    do {
      const answer = await ask(customer, cluster, runningReplica(cluster, chance), method, `/${customer.clientId}${path}`)
      if (answer?.status === success && act === 'delete') customer.deletion = 'answered'
      if (answer !== null && answer.status !== 503) {
        if (answer.status !== success) customer.complaints.push(`${customer.name}: ${act} was answered ${answer.status}`)
        break
      }
      if (!isInsistent) break
      await delay(chance.between(300, 1_500))
    } while (performance.now() < endsAtMs)
  }
}

/** One that runs, if there is one. */
export function runningReplica ({ replicas }: Cluster, chance: Chance): BrokerProcess {
  const running = replicas.filter(replica => replica.isRunning())
  return chance.pick(running.length > 0 ? running : replicas)
}

async function create (customer: Customer, cluster: Cluster, replica: BrokerProcess): Promise<Answer | null> {
  customer.tries += 1
  return await ask(customer, cluster, replica, 'POST', '', konnectApplication({ client_name: customer.name }))
}

function note (customer: Customer, { status, body }: Answer): void {
  if (status === 201) customer.clientId = body.client_id
  else if (status !== 503) customer.complaints.push(`${customer.name}: the create was answered ${status} ${JSON.stringify(body)}`)
}

/** A connection that is cut, or refused, is no answer. */
async function ask (customer: Customer, cluster: Cluster, replica: BrokerProcess, method: string, path: string, body?: unknown): Promise<Answer | null> {
  const askedAt = new Date().toISOString()
  const answer = await cluster.konnect(replica, method, path, body).catch(() => null)
  const whom = `replica ${cluster.replicas.indexOf(replica) + 1}`
  customer.history.push(`${customer.name}: ${askedAt} ${method} ${path} at ${whom}, ${new Date().toISOString()} ${answer?.status ?? 'no answer'}`)
  return answer
}
