// The benchmark of memory: what the compiled broker holds after many creates, by what it held after the first thousand.
//   npm run bench:memory                          100,000 creates, ten minutes
//   npm run bench:memory -- --creates 10000       a first impression
//   npm run bench:memory -- --node=--max-semi-space-size=32     with arguments for the broker's Node, to try them
// Exits with 1 when it holds more than it may. docs/performance.md says how to read the figures.
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createKeyringFile } from '../src/vault/keyring.ts'
import { startBroker, type BrokerProcess } from './broker.ts'
import { createRequests } from './create-requests.ts'
import { startDatabase } from './database.ts'
import { runLoad } from './load.ts'
import { spreadOf, type Spread } from './statistics.ts'
import { startUpstream } from './upstream.ts'

const FIRST = 1_000
const MOST_TIMES = 1.15
const CONCURRENCY = 16
const TENTHS = 10
/** On a crowded machine one of thousands may miss its deadline: another takes its place. */
const MOST_MISSED = 100
/** What the last requests leave to be done, marks and audit, is over by then. */
const REST_MS = 5_000
const LOOKS = 5
const BETWEEN_LOOKS_MS = 500
const root = resolve(import.meta.dirname, '..')

const { values: { creates: given, node: nodeArguments } } = parseArgs({
  options: { creates: { type: 'string', default: '100000' }, node: { type: 'string', multiple: true, default: [] } }
})
const creates = Number(given)
if (!Number.isInteger(creates) || creates < TENTHS * FIRST) throw new RangeError(`--creates takes a whole number from ${TENTHS * FIRST}`)

/** Bytes. */
interface Memory { resident: number, heapUsed: number, heapTotal: number, external: number }
interface Sample {
  creates: number
  memory: Record<keyof Memory, Spread>
  /** CPU time of the broker, all threads, by each create since the sample before. */
  cpuMsPerCreate: number
}

/** As the broker's own metrics name them. */
const gauges = {
  heapUsed: 'nodejs_heap_size_used_bytes', heapTotal: 'nodejs_heap_size_total_bytes', external: 'nodejs_external_memory_bytes'
} as const

process.exitCode = await benchmark()

async function benchmark (): Promise<number> {
  const startedAt = new Date().toISOString()
  const samples = await withBroker(measure)
  const ratioOf = (name: keyof Memory): number => (samples.at(-1)?.memory[name].median ?? NaN) / (samples[0]?.memory[name].median ?? NaN)
  const ratio = ratioOf('resident')
  const isKept = ratio <= MOST_TIMES
  console.log(`${isKept ? 'kept  ' : 'BROKEN'}  resident memory after ${creates} creates / after ${FIRST}: ${ratio.toFixed(3)}, at most ${MOST_TIMES} (heap used: ${ratioOf('heapUsed').toFixed(3)})`)
  const file = join(root, 'bench', 'results', `memory-${startedAt.replaceAll(/[:.]/g, '-')}.json`)
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(file, `${JSON.stringify({ startedAt, node: process.version, nodeArguments, creates, samples, ratio, mostTimes: MOST_TIMES, isKept }, null, 2)}\n`)
  console.log(`Kept in ${file}`)
  return isKept ? 0 : 1
}

/** After the first thousand, and after each tenth. */
async function measure (broker: BrokerProcess): Promise<Sample[]> {
  const { send, close } = createRequests(broker.url, CONCURRENCY)
  let missed = 0
  async function patiently (): Promise<void> {
    try {
      await send()
    } catch (error) {
      if (++missed > MOST_MISSED) throw error
      await patiently()
    }
  }
  const samples: Sample[] = []
  try {
    let [done, cpuMs] = [0, await broker.cpuMs() ?? NaN]
    for (const goal of [FIRST, ...Array.from({ length: TENTHS }, (_, tenth) => Math.round(creates * (tenth + 1) / TENTHS))]) {
      if (goal === done) continue
      await runLoad(patiently, CONCURRENCY, { requests: goal - done })
      const nowMs = await broker.cpuMs() ?? NaN
      const sample = { creates: goal, memory: await lookAt(broker), cpuMsPerCreate: (nowMs - cpuMs) / (goal - done) }
      samples.push(sample)
      ;[done, cpuMs] = [goal, nowMs]
      console.log(textOf(sample))
    }
    return samples
  } finally {
    await close()
  }
}

async function lookAt (broker: BrokerProcess): Promise<Sample['memory']> {
  await wait(REST_MS)
  const looks: Memory[] = []
  while (looks.length < LOOKS) {
    // Before the metrics are asked for, whose answer takes memory too.
    const resident = await broker.residentBytes()
    if (resident === null) throw new Error('The memory of a process is read from /proc: this needs Linux')
    const text = await (await fetch(`${broker.operationsUrl}/metrics`)).text()
    const gauge = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1])
    looks.push({ resident, heapUsed: gauge(gauges.heapUsed), heapTotal: gauge(gauges.heapTotal), external: gauge(gauges.external) })
    await wait(BETWEEN_LOOKS_MS)
  }
  const over = (name: keyof Memory): Spread => spreadOf(looks.map(look => look[name]))
  return { resident: over('resident'), heapUsed: over('heapUsed'), heapTotal: over('heapTotal'), external: over('external') }
}

function textOf ({ creates: done, memory, cpuMsPerCreate }: Sample): string {
  const mib = (spread: Spread): string => (spread.median / 2 ** 20).toFixed(1).padStart(6)
  return `${String(done).padStart(7)} creates: resident ${mib(memory.resident)} MiB, heap used ${mib(memory.heapUsed)} of ${mib(memory.heapTotal)}, external ${mib(memory.external)}; ${cpuMsPerCreate.toFixed(2)} ms of CPU a create`
}

async function withBroker<Result> (work: (broker: BrokerProcess) => Promise<Result>): Promise<Result> {
  const closers: Array<() => Promise<void>> = []
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => { throw new Error('Interrupted') })
  interrupted.catch(() => {})
  try {
    const folder = await mkdtemp(join(tmpdir(), 'dcr-bench-memory-'))
    closers.push(() => rm(folder, { recursive: true, force: true }))
    // PostgreSQL may run under another account than ours and has to pass through.
    await chmod(folder, 0o711)
    const keyringFile = join(folder, 'keyring.json')
    await createKeyringFile(keyringFile)
    const database = await startDatabase(join(folder, 'postgres'))
    closers.push(database.close)
    const upstream = await startUpstream()
    closers.push(upstream.close)
    const broker = await startBroker({
      program: join(root, 'dist', 'src', 'main.js'),
      databaseUrl: database.url,
      upstreamUrl: upstream.url,
      keyringFile,
      // The limit on Graph writes would be what the creates wait for.
      environment: { GRAPH_WRITES_PER_SECOND: '0', LOG_LEVEL: 'warn' },
      nodeArguments
    })
    closers.push(broker.close)
    return await Promise.race([work(broker), interrupted])
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
