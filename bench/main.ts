// The benchmark of create: PostgreSQL, a stub of Entra and the compiled broker, each in a process of its own; the load comes from this one.
//   npm run bench                     under three minutes
//   npm run bench -- --quick          under forty seconds, for a first impression
//   npm run bench -- --profile        the instant upstream only, with a CPU profile of the broker in bench/results/
//   npm run bench -- --sealing        creates with and without the sealer of the audit, in turns; with --quick under a minute
// Exits with 1 when a promise is not kept. docs/performance.md says how to read the figures.
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { createKeyringFile } from '../src/vault/keyring.ts'
import { startBroker, type BrokerProcess } from './broker.ts'
import { countStatements } from './count.ts'
import { startDatabase, type BenchDatabase } from './database.ts'
import { measure, type Case, type CaseResult } from './measure.ts'
import { describe, judge, keep, type Results } from './report.ts'
import { describeSealing, measureSealing } from './sealing.ts'
import { startUpstream, type Upstream } from './upstream.ts'

const CONCURRENCIES = [1, 16, 64]
const UPSTREAM_MS = 50
const WARM_UP: Case = { upstreamMs: 0, concurrency: 16 }
const root = resolve(import.meta.dirname, '..')
const program = join(root, 'dist', 'src', 'main.js')
const resultsFolder = join(root, 'bench', 'results')

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    sealing: { type: 'boolean', default: false },
    'log-level': { type: 'string', default: 'warn' }
  }
})
// V8 compiles the last hot function after some 4,000 registrations.
const extent = options.quick
  ? { warmUp: { requests: 3000, durationMs: 6000 }, rounds: 2, durationMs: 1000, counted: 400 }
  : { warmUp: { requests: 6000, durationMs: 20_000 }, rounds: 5, durationMs: 3500, counted: 2000 }
// The limit on Graph writes would be what is measured.
const environment = { GRAPH_WRITES_PER_SECOND: '0', LOG_LEVEL: options['log-level'] }

const sealingExtent = options.quick
  ? { warmUp: { requests: 1500, durationMs: 4000 }, pairs: 6, durationMs: 1500 }
  : { warmUp: { requests: 6000, durationMs: 20_000 }, pairs: 15, durationMs: 3500 }

interface Differing {
  databaseUrl?: string
  environment?: Record<string, string>
}

interface Surroundings {
  database: BenchDatabase
  upstream: Upstream
  start: (nodeArguments?: string[], differing?: Differing) => Promise<BrokerProcess>
}

process.exitCode = await withSurroundings(options.sealing ? sealing : options.profile ? profile : benchmark)

async function benchmark ({ database, upstream, start }: Surroundings): Promise<number> {
  const startedAt = new Date().toISOString()
  const [load = 0] = loadavg()
  const cases = await timed(upstream, start, [UPSTREAM_MS, 0])
  await upstream.setLatency(0)
  const perRegistration = await countStatements(start, database, WARM_UP, extent.counted)
  const results: Results = { startedAt, circumstances: circumstances(database, load), cases, perRegistration }
  const verdicts = judge(results)
  console.log(describe(results, verdicts))
  const file = join(resultsFolder, `${startedAt.replaceAll(/[:.]/g, '-')}.json`)
  await keep(file, results, verdicts)
  console.log(`\nKept in ${file}`)
  return verdicts.every(({ kept }) => kept) ? 0 : 1
}

async function profile ({ upstream, start }: Surroundings): Promise<number> {
  const cases = await timed(upstream, () => start(['--cpu-prof', `--cpu-prof-dir=${resultsFolder}`]), [0])
  for (const { concurrency, requestsPerSecond: { median }, brokerCpuMsPerRegistration: cpuMs } of cases) {
    console.log(`${concurrency} at once: ${median.toFixed(0)} requests/s, ${cpuMs?.toFixed(2) ?? '?'} ms of the broker's CPU each`)
  }
  console.log(`The profile is in ${resultsFolder}`)
  return 0
}

async function sealing ({ database, upstream, start }: Surroundings): Promise<number> {
  const other = await database.another('unsealed')
  const withSealer = { broker: await start(), databaseUrl: database.url }
  const withoutSealer = { broker: await start([], { databaseUrl: other, environment: { AUDIT_SEAL_INTERVAL_MS: '0' } }), databaseUrl: other }
  try {
    const result = await measureSealing(withSealer, withoutSealer, upstream, sealingExtent)
    console.log(describeSealing(result))
    return result.kept ? 0 : 1
  } finally {
    await withSealer.broker.close()
    await withoutSealer.broker.close()
  }
}

async function timed (upstream: Upstream, start: () => Promise<BrokerProcess>, latenciesMs: number[]): Promise<CaseResult[]> {
  const broker = await start()
  try {
    await measure({ broker, upstream }, [WARM_UP], 1, extent.warmUp)
    const cases = latenciesMs.flatMap(upstreamMs => CONCURRENCIES.map((concurrency): Case => ({ upstreamMs, concurrency })))
    return await measure({ broker, upstream }, cases, extent.rounds, { durationMs: extent.durationMs })
  } finally {
    await broker.close()
    if (environment.LOG_LEVEL === 'warn' && broker.log.count > 0) console.error(`The broker had something to say:\n${broker.log.tail.join('\n')}`)
  }
}

function circumstances (database: BenchDatabase, load: number): Record<string, string> {
  return {
    Machine: `${cpus().length} x ${cpus()[0]?.model ?? '?'}, shared by broker, PostgreSQL, stub and load`,
    'Load average at the start': load.toFixed(1) + (load > cpus().length / 4 ? ': OTHER PROGRAMS WERE AT WORK, the times are not the broker\'s own' : ''),
    Node: process.version,
    PostgreSQL: Object.entries(database.settings).map(([name, value]) => `${name}=${value}`).join(' '),
    Broker: Object.entries(environment).map(([name, value]) => `${name}=${value}`).join(' '),
    Extent: `${extent.rounds} rounds of ${extent.durationMs} ms per case, closed loop; requests/s: median (least-most) of the rounds`
  }
}

async function withSurroundings (work: (surroundings: Surroundings) => Promise<number>): Promise<number> {
  const closers: Array<() => Promise<void>> = []
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => { throw new Error('Interrupted') })
  interrupted.catch(() => {})
  try {
    const folder = await mkdtemp(join(tmpdir(), 'dcr-bench-'))
    closers.push(() => rm(folder, { recursive: true, force: true }))
    // PostgreSQL may run under another account than ours and has to pass through.
    await chmod(folder, 0o711)
    const keyringFile = join(folder, 'keyring.json')
    await createKeyringFile(keyringFile)
    const database = await startDatabase(join(folder, 'postgres'))
    closers.push(database.close)
    const upstream = await startUpstream()
    closers.push(upstream.close)
    const common = { program, upstreamUrl: upstream.url, keyringFile }
    const start = async (nodeArguments: string[] = [], { databaseUrl = database.url, environment: more = {} }: Differing = {}): Promise<BrokerProcess> =>
      await startBroker({ ...common, databaseUrl, environment: { ...environment, ...more }, nodeArguments })
    return await Promise.race([work({ database, upstream, start }), interrupted])
  } finally {
    for (const close of closers.reverse()) await close()
  }
}
