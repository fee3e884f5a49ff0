// The benchmark of memory: what the compiled broker holds after many creates, by what it held after the first thousand.
//   npm run bench:memory                          100,000 creates, ten minutes
//   npm run bench:memory -- --creates 10000       a first impression
//   npm run bench:memory -- --node=--max-semi-space-size=32     with arguments for the broker's Node, to try them
// Exits with 1 when it holds more than it may. docs/performance.md says how to read the figures.
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { BrokerProcess } from './broker.ts'
import { createRequests } from './create-requests.ts'
import { runLoad } from './load.ts'
import { spreadOf, type Spread } from './statistics.ts'
import { using, withSurroundings } from './surroundings.ts'

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
  // The limit on Graph writes would be what the creates wait for.
  const common = { environment: { GRAPH_WRITES_PER_SECOND: '0', LOG_LEVEL: 'warn' }, nodeArguments }
  const samples = await withSurroundings(common, async ({ startBroker }) => await using(async keep => await measure(await keep(startBroker()))))
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
