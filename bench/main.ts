// The benchmark: the compiled broker beside its peers, in turns. Everything it needs is started on free ports of this machine.
//   npm run bench                              all targets, under six minutes; exits with 1 when one is missed
//   npm run bench -- --only create,read        some groups (bench/cases)
//   npm run bench -- --quick                   under two minutes, too short for a verdict: exits with 0 whatever is found
//   npm run bench -- --only read --profile     with a CPU profile of the broker in bench/results; no verdict either
//   npm run bench -- --sealing                 creates with and without the sealer of the audit
// docs/performance.md says how to read the figures.
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { groupsNamed } from './cases/groups.ts'
import { full, quick } from './extent.ts'
import { createProgress } from './progress.ts'
import { describe, keep, type Report } from './report.ts'
import { withSurroundings, type Surroundings } from './surroundings.ts'

const resultsFolder = join(import.meta.dirname, 'results')

const { values: options } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    profile: { type: 'boolean', default: false },
    sealing: { type: 'boolean', default: false },
    'log-level': { type: 'string', default: 'warn' }
  }
})
const named = options.only?.split(',') ?? (options.sealing ? ['sealing'] : options.profile ? ['create-throughput'] : [])
const groups = groupsNamed(named)
const extent = options.quick ? quick : full
const isVerdict = !options.quick && !options.profile
// The limit on Graph writes would be what is measured.
const environment = { GRAPH_WRITES_PER_SECOND: '0', LOG_LEVEL: options['log-level'] }
const nodeArguments = options.profile ? ['--cpu-prof', `--cpu-prof-dir=${resultsFolder}`] : []

process.exitCode = await withSurroundings({ environment, nodeArguments }, benchmark)

async function benchmark (surroundings: Surroundings): Promise<number> {
  const startedAt = new Date().toISOString()
  const report: Report = { startedAt, circumstances: circumstances(surroundings), rows: [], notes: [] }
  const file = join(resultsFolder, `${startedAt.replaceAll(/[:.]/g, '-')}.json`)
  const progress = createProgress()
  for (const group of groups) {
    progress.group(group.name)
    const { rows, notes = [] } = await group.run(surroundings, extent, progress.tell)
    report.rows.push(...rows)
    report.notes.push(...notes)
    // What was measured is kept, should a later group fail.
    await keep(file, report)
  }
  progress.end()
  console.log(`${describe(report)}\n\nKept in ${file}`)
  if (!isVerdict) console.log('A first impression: whatever was found, the exit code is 0.')
  return isVerdict && report.rows.some(({ verdict }) => verdict === 'MISSED') ? 1 : 0
}

function circumstances ({ database }: Surroundings): Record<string, string> {
  const [load = 0] = loadavg()
  return {
    Machine: `${cpus().length} x ${cpus()[0]?.model ?? '?'}, shared by the broker, its peers, PostgreSQL, the stub and the load`,
    'Load average at the start': load.toFixed(1) + (load > cpus().length / 4 ? ': OTHER PROGRAMS WERE AT WORK, the figures are not the broker\'s own' : ''),
    Node: process.version,
    PostgreSQL: listOf(database.settings),
    Broker: listOf(environment),
    Extent: `${extent.rounds} rounds in turns of ${extent.turnMs} ms, ${extent.starts} starts of each program; median (least-most) of the rounds, ratios round by round`
  }
}

function listOf (settings: Record<string, string>): string {
  return Object.entries(settings).map(([name, value]) => `${name}=${value}`).join(' ')
}
