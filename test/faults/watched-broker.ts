// A broker whose every call is in a ledger, and one look at all invariants.
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { FaultAction } from '../../src/simulator/faults.ts'
import { konnectApplication, OPERATOR_KEY, startTestBroker, type Answer, type TestBroker, type TestBrokerOptions } from '../support/broker.ts'
import { QUICK } from '../lifecycle/times.ts'
import { violations, violationsAtRest, type World } from './invariants.ts'
import { Ledger } from './ledger.ts'

export interface WatchedBroker extends TestBroker {
  ledger: Ledger
  world: World
  /** Creates a client as Konnect does, and asks again for as long as it is told to by a 503. */
  create: (name: string, changes?: Record<string, unknown>) => Promise<{ clientId: string, secret: string, refusals: number }>
}

/** Replicas of one installation share database, simulator, keyring and ledger: give the first one. */
export async function startWatchedBroker (t: Test, options: TestBrokerOptions = {}, first?: WatchedBroker): Promise<WatchedBroker> {
  const shared = first === undefined ? {} : { database: first.database, simulator: first.simulator }
  const keyring = first === undefined ? {} : { ENCRYPTION_KEYRING_FILE: first.settings.keyringFile }
  const environment: Record<string, string> = { ...QUICK, ...keyring, ...options.environment }
  const broker = await startTestBroker(t, { ...options, ...shared, environment })
  const ledger = first?.ledger ?? new Ledger()
  const { register, manage, simulator, database } = broker
  const konnect = ledger.watch(broker.konnect)
  const secrets = new Map([['an operator key', OPERATOR_KEY]])
  const logs = [...first?.world.logs ?? [], broker.logLines]
  const world = { simulator, database, ledger, logs, secrets, deadlineMs: Number(environment['REQUEST_DEADLINE_MS']) }
  if (first !== undefined) first.world.logs = logs
  return {
    ...broker,
    ledger,
    world,
    konnect,
    register: async (...call) => await ledger.record('POST', '/register', () => register(...call)),
    manage: async (method, uri, ...rest) => await ledger.record(method, new URL(uri).pathname, () => manage(method, uri, ...rest)),
    async create (name, changes = {}) {
      const { answer, refusals } = await untilAnswered(() => konnect('POST', '', konnectApplication({ client_name: name, ...changes })))
      if (answer.status !== 201) throw new Error(`The create of ${name} was answered ${answer.status} ${JSON.stringify(answer.body)}`)
      return { clientId: answer.body.client_id, secret: answer.body.client_secret, refusals }
    }
  }
}

/** As callers do: a 503 says when to come back. On a busy machine a deadline may pass wherever there was time enough. */
export async function untilAnswered (send: () => Promise<Answer>, withinMs = 40_000): Promise<{ answer: Answer, refusals: number }> {
  const signal = AbortSignal.timeout(withinMs)
  for (let refusals = 0; ; refusals++) {
    const answer = await send()
    if (answer.status !== 503) return { answer, refusals }
    await delay(Number(answer.headers.get('retry-after')) * 1_000, undefined, { signal })
  }
}

/** What of the broker's own doing is over has broken no promise. */
export async function isWell (t: Test, { world }: WatchedBroker): Promise<void> {
  t.same(await violationsAtRest(world), [], 'the invariants hold at rest')
}

/** The same while work is still due, or waits for a long time. */
export async function isWellSoFar (t: Test, { world }: WatchedBroker): Promise<void> {
  t.same(await violations(world), [], 'the invariants hold')
}

/** Graph's refusal as a rule's action. */
export function graphRefusal (status: number, code: string, headers: Record<string, string> = {}): FaultAction {
  return { type: 'status', status, body: { error: { code, message: `${code}, planted` } }, headers }
}
