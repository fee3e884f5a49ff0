// One round of the crash tests: a registration is brought into every gap, the process is killed, started again, and what the
// promises say is looked up in Entra and the database. All gaps of a round die by the same SIGKILL.
import type { Answer } from '../support/broker.ts'
import { ourApplications, ourObjectCount, registrationIdOf, secretWorks } from '../support/entra-truth.ts'
import { gaps, type Gap } from '../faults/gaps.ts'
import { rest, violations } from '../faults/invariants.ts'
import { stopAt } from '../faults/stops.ts'
import { ATTEMPT_TIMEOUT_MS, DEADLINE_MS, endLeases, type Bench } from './bench.ts'

/** What became of the registration that was cut off in one gap. Sentences in `faults` are broken promises. */
export interface CutOff {
  gap: string
  outcome: string
  faults: string[]
}

/** The same request is sent again after the restart and must get a secret that works. */
export async function killAndRepeat (bench: Bench, round: number): Promise<CutOff[]> {
  const answers = await killInEveryGap(bench, round)
  const before = new Set(ourApplications(bench.simulator).map(({ id }) => id))
  await bench.broker.start(bench.proxy.url)
  return await Promise.all(gaps.map(async (gap, index): Promise<CutOff> => {
    const { answer, refusals } = await bench.createPatiently(bench.broker, { client_name: nameOf(round, gap) })
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
  await rest(bench)
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
  const found = await violations({ ...bench, deadlineMs: DEADLINE_MS })
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
  await endLeases(bench)
  bench.simulator.control.faults.clear()
  // Else the first ones are in another gap by now, and the histogram would lie.
  if (tookMs > ATTEMPT_TIMEOUT_MS) throw new Error(`Bringing ${gaps.length} registrations into their gaps took ${Math.round(tookMs)} ms`)
  return answers
}

/** The first request of a process is slow: its code is compiled, its token asked for. */
async function warmUp (bench: Bench): Promise<void> {
  const { body } = await bench.create(bench.broker, { portal_id: 'test portal_id' })
  await bench.konnect(bench.broker, 'DELETE', `/${body.client_id}`)
}

/** Sends a create and resolves when it stands in the gap: with its answer, if it has one by then. */
async function bringInto (bench: Bench, gap: Gap, round: number): Promise<Answer | undefined> {
  const { stop } = gap
  // A mark names no client: the one answer of this round is the next to be marked.
  const isNamed = 'statement' in stop && !gap.answered
  const reached = stopAt(bench, isNamed ? { statement: { ...stop.statement, parameters: new RegExp(nameOf(round, gap)) } } : stop)
  const sent = bench.create(bench.broker, { client_name: nameOf(round, gap) })
  const answer = gap.answered ? await sent : undefined
  // The kill cuts the connection of an unanswered request.
  if (!gap.answered) sent.catch(() => {})
  await reached
  return answer
}

function nameOf (round: number, gap: Gap): string {
  return `Round ${round}, ${gap.name}.`
}
