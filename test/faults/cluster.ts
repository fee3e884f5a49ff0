// What the fault tests break: broker processes (replicas of one installation), the simulator in the test's process, a proxy in front of
// PostgreSQL. Whatever is handed out is remembered, and `broken` looks from outside at what the promises say.
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { startSimulator, type Simulator, type SimulatorOptions } from '../../src/simulator/simulator.ts'
import { KONNECT_KEY, konnectApplication, request, type Answer } from '../support/broker.ts'
import { makeKeyring, prepareBrokerProcess, type BrokerProcess } from '../support/broker-process.ts'
import { startPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { violationsAtRest } from './invariants.ts'
import { Ledger } from './ledger.ts'

/** A lease is an attempt and 5 s at least; these are as short as an idle machine takes in its stride. */
export const TIMES = {
  ATTEMPT_TIMEOUT_MS: '600',
  LEASE_MS: '5700',
  REQUEST_DEADLINE_MS: '4000',
  RESUME_SCAN_MS: '100',
  SWEEP_FIRST_LOOK_MS: '300',
  SWEEP_SECOND_LOOK_MS: '600'
}

/** The death of a holder is over after its lease and one attempt; the rest is work on a busy machine. */
export const PATIENCE_MS = 40_000

export interface ReplicaOptions {
  environment?: Record<string, string>
  preload?: readonly string[]
  /** Of its own way to the database. */
  databaseUrl?: string
}

export interface ClusterOptions {
  /** Each a process; default: one, without options. */
  replicas?: readonly ReplicaOptions[]
  environment?: Record<string, string>
  simulator?: SimulatorOptions
  /** Default: one of its own on the server of the run. */
  database?: TestDatabase
}

export interface Cluster {
  simulator: Simulator
  database: TestDatabase
  proxy: PostgresProxy
  replicas: readonly BrokerProcess[]
  /** The first one. */
  broker: BrokerProcess
  /** What callers have asked for and been given. */
  ledger: Ledger
  /** Starts those that do not run. */
  start (): Promise<void>
  /** A request of Konnect's; it goes into the ledger. */
  konnect (replica: BrokerProcess, method: string, path: string, body?: unknown): Promise<Answer>
  create (replica: BrokerProcess, changes?: Record<string, unknown>): Promise<Answer>
  /** As Konnect's user would: a 503 says when to come back. Resolves to the first other answer. */
  createPatiently (replica: BrokerProcess, changes?: Record<string, unknown>, withinMs?: number): Promise<{ answer: Answer, refusals: number }>
  /**
   * Waits until nothing is left to do, then looks at all that the promises say. Sentences; none when all is well.
   *
   * @param deadlineMs of the answers; default: the replicas' setting
   */
  violations (deadlineMs?: number): Promise<string[]>
}

/** Everything a fault test needs; no replica runs yet. */
export async function openCluster (t: Pick<Test, 'teardown'>, options: ClusterOptions = {}): Promise<Cluster> {
  const { environment = {}, replicas: given = [{}] } = options
  const database = options.database ?? await createTestDatabase(t)
  const simulator = await startSimulator(options.simulator ?? {})
  t.teardown(() => simulator.close())
  const proxy = await startPostgresProxy(t, database.url)
  const keyringFile = await makeKeyring(t)
  const replicas = await Promise.all(given.map(async replica => await prepareBrokerProcess(t, simulator, {
    environment: { ...TIMES, ...environment, ...replica.environment }, keyringFile, preload: replica.preload ?? []
  })))
  const ledger = new Ledger()

  async function konnect (replica: BrokerProcess, method: string, path: string, body?: unknown): Promise<Answer> {
    return await ledger.record(method, path, () => request(`${replica.url}/konnect${path}`, method, body, { 'x-api-key': KONNECT_KEY }))
  }
  const create: Cluster['create'] = async (replica, changes) => await konnect(replica, 'POST', '', konnectApplication(changes))
  return {
    simulator,
    database,
    proxy,
    replicas,
    broker: replicas[0] as BrokerProcess,
    ledger,
    async start () {
      await Promise.all(replicas.map(async (replica, index) => {
        if (!replica.isRunning()) await replica.start(given[index]?.databaseUrl ?? proxy.url)
      }))
    },
    konnect,
    create,
    async createPatiently (replica, changes, withinMs = PATIENCE_MS) {
      const signal = AbortSignal.timeout(withinMs)
      for (let refusals = 0; ; refusals++) {
        const answer = await create(replica, changes)
        if (answer.status !== 503) return { answer, refusals }
        await delay(Number(answer.headers.get('retry-after')) * 1_000, undefined, { signal })
      }
    },
    async violations (deadlineMs = Number({ ...TIMES, ...environment }.REQUEST_DEADLINE_MS)) {
      const logs = await Promise.all(replicas.map(async replica => await replica.wholeLog()))
      const logLines = Buffer.concat(logs).toString('utf8').split('\n')
      return await violationsAtRest({ simulator, database, ledger, logLines, deadlineMs })
    }
  }
}
