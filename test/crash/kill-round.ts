// One round of the crash tests: a registration is brought into every gap, the process is killed, started again, and what the
// promises say is looked up in Entra and the database. All gaps of a round die by the same SIGKILL.
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import { startSimulator, type Simulator } from '../../src/simulator/simulator.ts'
import { KONNECT_KEY, konnectApplication, request, type Answer } from '../support/broker.ts'
import { prepareBrokerProcess, type BrokerProcess } from '../support/broker-process.ts'
import { ourApplications, ourObjectCount, registrationIdOf, secretWorks, violations } from '../support/entra-truth.ts'
import { startPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.ts'
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts'
import { gaps, type Gap } from './gaps.ts'

/** What became of the registration that was cut off in one gap. Sentences in `faults` are broken promises. */
export interface CutOff {
  gap: string
  outcome: string
  faults: string[]
}

export interface Bench {
  simulator: Simulator
  database: TestDatabase
  proxy: PostgresProxy
  broker: BrokerProcess
}

/** An attempt has to outlast the bringing of all registrations into their gaps; a lease, an attempt and 5 s. */
const ATTEMPT_TIMEOUT_MS = 3_000
const TIMES = {
  ATTEMPT_TIMEOUT_MS: String(ATTEMPT_TIMEOUT_MS),
  LEASE_MS: String(ATTEMPT_TIMEOUT_MS + 5_100),
  REQUEST_DEADLINE_MS: '5000',
  RESUME_SCAN_MS: '100',
  SWEEP_FIRST_LOOK_MS: '300',
  SWEEP_SECOND_LOOK_MS: '600'
}
/** The death of a holder is over after its lease and one attempt; the rest is work on a busy machine. */
const PATIENCE_MS = 40_000

/** Everything a series of rounds needs, each part its own. */
export async function openBench (t: Test, redeliveryWindowMs: number): Promise<Bench> {
  const database = await createTestDatabase(t)
  const simulator = await startSimulator()
  t.teardown(() => simulator.close())
  const proxy = await startPostgresProxy(t, database.url)
  const broker = await prepareBrokerProcess(t, simulator, { ...TIMES, REDELIVERY_WINDOW_MS: String(redeliveryWindowMs) })
  return { simulator, database, proxy, broker }
}

/** The same request is sent again after the restart and must get a secret that works. */
export async function killAndRepeat (bench: Bench, round: number): Promise<CutOff[]> {
  const answers = await killInEveryGap(bench, round)
  const before = new Set(ourApplications(bench.simulator).map(({ id }) => id))
  await bench.broker.start(bench.proxy.url)
  return await Promise.all(gaps.map(async (gap, index): Promise<CutOff> => {
    const { answer, refusals } = await repeatUntilAnswered(bench, bodyOf(round, gap))
    const faults = answer.status === 201 ? [] : [`the repeat got ${answer.status}`]
    const { client_id: clientId, client_secret: clientSecret } = answer.body
    if (answer.status === 201 && !await secretWorks(bench.simulator, clientId, clientSecret)) faults.push('the secret does not work')
    const first = answers[index]
    if (first !== undefined && first.body.client_id !== clientId) faults.push('the repeat got another client than the first answer')
    const kin = ourApplications(bench.simulator).filter(({ displayName }) => displayName === nameOf(round, gap))
    if (kin.length !== 1) faults.push(`${kin.length} applications of one request`)
    const foundAgain = kin.some(({ id }) => before.has(id))
    return { gap: gap.name, outcome: `${foundAgain ? 'found again' : 'made anew'}${refusals > 0 ? ', after a 503' : ''}`, faults }
  }))
}

/** Nobody asks again: what was never answered leaves nothing in Entra, what may have been received is kept. */
export async function killAndForget (bench: Bench, round: number): Promise<CutOff[]> {
  await killInEveryGap(bench, round)
  await bench.broker.start(bench.proxy.url)
  await settled(bench)
  const live = ourApplications(bench.simulator)
  return await Promise.all(gaps.map(async (gap): Promise<CutOff> => {
    const { rows } = await bench.database.query<{ id: string, state: string, delivery: string }>(
      'SELECT id, state, delivery FROM registration WHERE client_name = $1', [nameOf(round, gap)])
    const faults: string[] = []
    const applications = live.filter(application => rows.some(({ id }) => id === registrationIdOf(application)))
    if (applications.length !== (gap.kept ? 1 : 0)) faults.push(`${applications.length} live applications`)
    return { gap: gap.name, outcome: rows.map(({ state, delivery }) => `${state} (${delivery})`).join() || 'no row', faults }
  }))
}

/** What must never be, whatever was killed when. `expectedApplications`: how many of ours stay. */
export async function lastingViolations (bench: Bench, expectedApplications: number): Promise<string[]> {
  const found = await violations(bench.simulator, bench.database)
  const objects = ourObjectCount(bench.simulator)
  // A kept registration is an application and its principal; nothing waits in the bin.
  if (objects !== 2 * expectedApplications) found.push(`${objects} objects of ours in Entra instead of ${2 * expectedApplications}`)
  return found
}

/** Resolves to the answers that arrived before the kill, by gap. */
async function killInEveryGap (bench: Bench, round: number): Promise<Array<Answer | undefined>> {
  const { broker, proxy } = bench
  if (!broker.isRunning()) await broker.start(proxy.url)
  await warmUp(bench)
  const startedMs = performance.now()
  const answers: Array<Answer | undefined> = []
  for (const gap of gaps) answers.push(await bringInto(bench, gap, round))
  const tookMs = performance.now() - startedMs
  await broker.kill()
  bench.simulator.control.faults.clear()
  // Else the first ones are in another gap by now, and the histogram would lie.
  if (tookMs > ATTEMPT_TIMEOUT_MS) throw new Error(`Bringing ${gaps.length} registrations into their gaps took ${Math.round(tookMs)} ms`)
  return answers
}

/** The first request of a process is slow: its code is compiled, its token asked for. */
async function warmUp ({ broker }: Bench): Promise<void> {
  const { body } = await post(broker, konnectApplication({ portal_id: 'test portal_id' }))
  await request(`${broker.url}/konnect/${body.client_id}`, 'DELETE', undefined, { 'x-api-key': KONNECT_KEY })
}

/** Sends a create and resolves when it stands in the gap: with its answer, if it has one by then. */
async function bringInto ({ broker, proxy, simulator }: Bench, gap: Gap, round: number): Promise<Answer | undefined> {
  const { stop } = gap
  const reached = 'fault' in stop
    ? caughtBy(simulator, simulator.control.faults.add(stop.fault), stop.fault.when === 'after')
    // A mark names no client: the one answer of this round is the next to be marked.
    : proxy.hold({ ...stop.statement, ...(gap.answered ? {} : { parameters: new RegExp(nameOf(round, gap)) }) })
  const sent = post(broker, bodyOf(round, gap))
  const answer = gap.answered ? await sent : undefined
  // The kill cuts the connection of an unanswered request.
  if (!gap.answered) sent.catch(() => {})
  await reached
  return answer
}

/** Resolves when the rule has caught its request and, if told so, its change is made. */
async function caughtBy (simulator: Simulator, ruleId: number, applied: boolean): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  while (!simulator.control.journal.entries().some(entry => entry.faultId === ruleId && (!applied || entry.body !== null))) await nextTurn(undefined, { signal })
  // Body read and change made happen in one turn.
  await nextTurn()
}

/** As Konnect's user would: a 503 says when to come back. */
async function repeatUntilAnswered ({ broker }: Bench, body: unknown): Promise<{ answer: Answer, refusals: number }> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  for (let refusals = 0; ; refusals++) {
    const answer = await post(broker, body)
    if (answer.status !== 503) return { answer, refusals }
    await delay(Number(answer.headers.get('retry-after')) * 1_000, undefined, { signal })
  }
}

/** Waits until every window is closed and nothing of the broker's own work is left. */
async function settled ({ database }: Bench): Promise<void> {
  const signal = AbortSignal.timeout(PATIENCE_MS)
  for (;;) {
    const { rows: [row] } = await database.query<{ open: string }>(
      'SELECT count(*) AS open FROM registration WHERE due_at IS NOT NULL OR redeliver_until IS NOT NULL')
    if (row?.open === '0') return
    await delay(50, undefined, { signal })
  }
}

function post ({ url }: BrokerProcess, body: unknown): Promise<Answer> {
  return request(`${url}/konnect`, 'POST', body, { 'x-api-key': KONNECT_KEY })
}

function nameOf (round: number, gap: Gap): string {
  return `Round ${round}, ${gap.name}.`
}

function bodyOf (round: number, gap: Gap): Record<string, unknown> {
  return konnectApplication({ client_name: nameOf(round, gap) })
}
