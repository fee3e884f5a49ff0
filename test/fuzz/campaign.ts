// A run: so many cases over a few connections at once, each judged, and the broker's memory before and after.
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Teardowns } from '../faults/program.ts'
import { bytesOf, caseOf, type HttpCase } from './cases.ts'
import type { Listener } from './described-routes.ts'
import { placed } from './hostile-targets.ts'
import { openInstallation, type Installation } from './installation.ts'
import { createJudge, reachedValidation, type Judge } from './judge.ts'
import type { Probed } from './probe-file.ts'
import type { RawCase } from './raw-cases.ts'
import { Tally } from './tally.ts'
import { firstAnswer, Wire, type WireAnswer } from './wire.ts'

export interface CampaignOptions {
  seed: number
  cases: number
  /** Cases under way at once. */
  lanes: number
  /** Before memory is looked at: by then code is compiled and caches are filled. */
  warmUp: number
  /** Also what the broker takes many seconds to end. */
  slow: boolean
  /** Makes this case again and nothing else, and says all of it. */
  only?: number
  say?: (tally: Tally) => void
  complain?: (failure: string) => void
  log?: (line: string) => void
}

export interface CampaignEnd {
  tally: Tally
  start: Probed
  end: Probed
  /** The heap after each tenth of the cases, in bytes: a leak goes on growing, caches and compiled code do not. */
  heaps: number[]
  /** Lines of its log that tell of a fault of its own. */
  faultLines: string[]
}

/** A request has a deadline of 8 s, and the machine may be busy. */
const ANSWER_MS = 20_000
/** Slow senders have 10 s (src/http/transport-limits.ts), and what idles between requests 72 s. */
const SLOW_MS = 90_000
const MOST_SLOW = 40
const CASES_PER_MEND = 400
const TENTHS = 10

export async function runCampaign (t: Teardowns, options: CampaignOptions): Promise<CampaignEnd> {
  const { cases, lanes, warmUp, slow, only, say = () => {} } = options
  const installation = await openInstallation(t)
  const run = createRun(installation, options)
  if (only !== undefined) {
    await run.repeat(only)
    const probed = await installation.probe()
    return { tally: run.tally, start: probed, end: probed, heaps: [], faultLines: await faultLinesOf(installation) }
  }
  await run.through(-warmUp, 0, lanes, false)
  await delay(1_000)
  const start = await installation.probe('reset')
  const heaps: number[] = []
  const progress = setInterval(() => say(run.tally), 5_000)
  run.tally.refusalsMs.length = 0
  run.tally.slowest.length = 0
  Object.assign(run.tally, { cases: 0, requests: 0, reached: 0 })
  try {
    for (let tenth = 0; tenth < TENTHS; tenth++) {
      await run.through(Math.floor(cases * tenth / TENTHS), Math.floor(cases * (tenth + 1) / TENTHS), lanes, slow)
      heaps.push((await installation.probe()).heapUsed)
    }
  } finally {
    clearInterval(progress)
  }
  // Connections of the last cases go, and so does what the background still holds.
  await delay(2_000)
  return { tally: run.tally, start, end: await installation.probe(), heaps, faultLines: await faultLinesOf(installation) }
}

async function faultLinesOf ({ broker }: Installation): Promise<string[]> {
  return (await broker.wholeLog()).toString().split('\n').filter(line => /"level":(50|60|"error"|"fatal")/.test(line))
}

function createRun (installation: Installation, { seed, log = () => {}, complain = () => {} }: CampaignOptions) {
  const { broker, ports, known, mend } = installation
  const tally = new Tally()
  const judge = createJudge(installation.hidden)
  const slowOnes = new Set<Promise<void>>()
  let mending: Promise<void> = Promise.resolve()

  function failed (number: number, faults: readonly string[], what: string): void {
    if (faults.length === 0) return
    const sentence = `--seed ${seed} --only ${number}: ${faults.join(', ')}: ${what}`
    tally.failures.push(sentence)
    complain(sentence)
  }

  async function requestCase (number: number, asked: HttpCase, wires: Record<Listener, Wire>): Promise<void> {
    const bytes = bytesOf(asked, known)
    const outcome = await wires[asked.listener].exchange(bytes, asked.method, ANSWER_MS)
    tally.requests += 1
    if (outcome.kind !== 'answered') {
      tally[outcome.kind] += 1
      tally.count(asked.route.name, outcome.kind)
      return failed(number, outcome.kind === 'unanswered' ? ['no answer'] : [], `${asked.method} ${asked.target.slice(0, 200)}`)
    }
    const { answer, tookMs } = outcome
    tally.count(asked.route.name, String(answer.status))
    if (answer.status >= 500) tally.serverFaults += 1
    if (answer.status >= 400 && answer.status < 500) tally.refused({ number, status: answer.status, tookMs })
    if (reachedValidation(asked, answer)) tally.reached += 1
    const excess = wires[asked.listener].excess > 0 ? ['more bytes than the answer'] : []
    failed(number, [...judge.faultsOf(asked, answer), ...excess], `${asked.method} ${asked.target.slice(0, 200)} ${answer.status} ${answer.body.slice(0, 300)}`)
    await tidy(installation, asked, answer)
    log(`${JSON.stringify(bytes.toString('latin1').slice(0, 4_000))}\nbase64: ${bytes.length <= 20_000 ? bytes.toString('base64') : `${bytes.length} bytes`}\n${tookMs.toFixed(1)} ms ${JSON.stringify(answer)}`)
  }

  async function rawCase (number: number, asked: RawCase): Promise<void> {
    const timeoutMs = asked.then === 'hold' ? SLOW_MS : ANSWER_MS
    const { received, isOver } = await sendRaw(ports[asked.listener], asked, timeoutMs)
    const name = `raw: ${asked.listener}`
    if (!isOver) {
      tally.unanswered += 1
      tally.count(name, 'unanswered')
      return failed(number, ['neither answered nor closed'], asked.name)
    }
    const answers = answersIn(received)
    if (answers.length === 0) tally.count(name, 'closed')
    for (const answer of answers) tally.count(name, String(answer.status))
    tally.serverFaults += answers.filter(({ status }) => status >= 500).length
    const tooMany = answers.filter(({ status }) => status >= 200).length > asked.mostAnswers ? [`${answers.length} answers`] : []
    failed(number, [...tooMany, ...answers.flatMap(answer => faultsOfRaw(judge, asked, answer))], `${asked.name} ${answers.map(({ status, body }) => `${status} ${body.slice(0, 100)}`).join(' ').slice(0, 400)}`)
    log(`${asked.name}\n${asked.parts.map(part => JSON.stringify(part.toString('latin1').slice(0, 1_000))).join('\n')}\n${JSON.stringify(answers)}`)
  }

  async function one (number: number, wires: Record<Listener, Wire>, slow: boolean): Promise<void> {
    const asked = caseOf(seed, number)
    if (asked.kind === 'http') await requestCase(number, asked, wires)
    else if (asked.then !== 'hold') await rawCase(number, asked)
    else if (slow && slowOnes.size < MOST_SLOW) {
      const waiting: Promise<void> = rawCase(number, asked).finally(() => slowOnes.delete(waiting))
      slowOnes.add(waiting)
    }
    tally.cases += 1
    if (!broker.isRunning()) {
      tally.crashes += 1
      throw new Error(`The broker has ended, at the latest with --seed ${seed} --only ${number}:\n${broker.log().slice(-20).join('\n')}`)
    }
  }

  async function through (from: number, to: number, lanes: number, slow: boolean): Promise<void> {
    let next = from
    await Promise.all(Array.from({ length: lanes }, async () => {
      const wires = { public: new Wire(ports.public), operations: new Wire(ports.operations) }
      while (next < to) {
        const number = next++
        if (number % CASES_PER_MEND === 0) mending = mend().catch((error: Error) => failed(number, ['the targets are lost'], error.message))
        await mending
        await one(number, wires, slow)
      }
      wires.public.close()
      wires.operations.close()
    }))
    await Promise.all(slowOnes)
  }

  async function repeat (number: number): Promise<void> {
    await one(number, { public: new Wire(ports.public), operations: new Wire(ports.operations) }, true)
    await Promise.all(slowOnes)
  }

  return { tally, through, repeat }
}

/** What a request has made goes again, so that a long run does not become a run on a large installation. */
async function tidy ({ ask, known }: Installation, { route, method, listener }: HttpCase, { status, body }: WireAnswer): Promise<void> {
  if (status >= 300 || body === '' || method === 'HEAD' || method === 'OPTIONS') return
  if (route.credential === 'management' && method === 'PUT') known.set(placed(route.template, 'management token'), JSON.parse(body).registration_access_token)
  if (status === 200 && route.template.endsWith('/import')) await tidyImport(ask, body)
  if (status !== 201) return
  const made = JSON.parse(body)
  if (listener === 'operations') await ask('operations', 'DELETE', `${route.template.replace('{id}', known.get('dcr-providers') ?? '')}/${made.id}`)
  else if (route.credential === 'konnect') await ask('public', 'DELETE', made.secret_id === undefined ? `/konnect/${made.client_id}` : `/konnect/${made.client_id}/secrets/${made.secret_id}`)
  else if (made.registration_access_token !== undefined) await ask('public', 'DELETE', new URL(made.registration_client_uri).pathname, undefined, made.registration_access_token)
}

async function tidyImport (ask: Installation['ask'], report: string): Promise<void> {
  for (const line of report.split('\n')) {
    const { outcome, id } = line === '' ? {} : JSON.parse(line) as { outcome?: string, id?: string }
    if (outcome === 'created') await ask('operations', 'DELETE', `/v2/registrations/${id}?purge=true`)
  }
}

interface RawEnd {
  received: Buffer
  isOver: boolean
}

async function sendRaw (port: number, { parts, then }: RawCase, timeoutMs: number): Promise<RawEnd> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const received: Buffer[] = []
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => { received.push(chunk) })
  const over = new Promise<boolean>(resolve => { socket.once('end', () => resolve(true)).once('close', () => resolve(true)) })
  await new Promise<void>(resolve => { socket.once('connect', resolve).once('close', () => resolve()) })
  for (const [index, part] of parts.entries()) {
    if (index > 0) await delay(1)
    if (socket.writable) socket.write(part)
  }
  if (then === 'leave') {
    await delay(2)
    socket.resetAndDestroy()
  } else if (then === 'end') socket.end()
  const ending = new AbortController()
  const isOver = await Promise.race([over, delay(timeoutMs, false, { signal: ending.signal, ref: true }).catch(() => false)])
  ending.abort()
  socket.destroy()
  return { received: Buffer.concat(received), isOver }
}

function answersIn (received: Buffer): WireAnswer[] {
  const answers: WireAnswer[] = []
  for (let rest = received; ;) {
    const found = firstAnswer(rest, 'GET', true)
    if (found === null) return answers
    answers.push(found.answer)
    rest = rest.subarray(found.length)
  }
}

function faultsOfRaw (judge: Judge, { listener }: RawCase, answer: WireAnswer): string[] {
  return answer.status < 200 ? [] : judge.faultsOfRaw(listener, answer)
}
