// npm run soak -- --minutes N: random walks, one after the other, each on an installation of its own and with the next seed. SEED in the
// environment is the first one: it makes the choices of a walk again. Exit code 1 when a promise is broken.
import { chosenSeed } from './chance.ts'
import { numberOption, withTeardowns } from './program.ts'
import { walk, type Tally } from './walk/walk.ts'

const minutes = numberOption('minutes', 10)
/** Operations of one walk: what is replayed to find a violation again. */
const operations = numberOption('operations', 1_000)
const WALK_MS = 150_000
const firstSeed = chosenSeed()
const startedMs = performance.now()
const endsMs = startedMs + minutes * 60_000

const total = { walks: 0, operations: 0, restarts: 0, outcomes: new Map<string, number>(), faults: new Map<string, number>() }
const violations: string[] = []

const say = (line: string): void => { console.log(`${String(Math.round((performance.now() - startedMs) / 1_000)).padStart(5)} s  ${line}`) }
const named = (counts: ReadonlyMap<string, number>): string => [...counts].sort(([, one], [, other]) => other - one).map(([name, count]) => `${name} ${count}`).join(', ')
const told = ({ operations, outcomes, restarts, faults, complaints }: Tally): string =>
  `${operations} operations (${named(outcomes)}), ${restarts} restarts, ${[...faults.values()].reduce((sum, count) => sum + count, 0)} faults, ${violations.length + complaints} violations`

while (performance.now() < endsMs) {
  const seed = firstSeed + total.walks
  say(`SEED=${seed}`)
  const progress = (tally: Tally): void => say(told(tally))
  const end = await withTeardowns(async t => await walk(t, { seed, operations, withinMs: Math.min(WALK_MS, endsMs - performance.now()), progress }))
  violations.push(...end.violations.map(sentence => `SEED=${seed}: ${sentence}`))
  total.walks += 1
  total.operations += end.operations
  total.restarts += end.restarts
  add(total.outcomes, end.outcomes)
  add(total.faults, end.faults)
  say(`at rest: ${end.violations.length} violations`)
  for (const sentence of end.violations) console.error(`SEED=${seed}: ${sentence}`)
}

console.log(`${total.walks} walks, ${total.operations} operations: ${named(total.outcomes)}`)
console.log(`${total.restarts} restarts; faults: ${named(total.faults)}`)
console.log(`${violations.length} violations`)
process.exitCode = violations.length > 0 ? 1 : 0

function add (sum: Map<string, number>, counts: ReadonlyMap<string, number>): void {
  for (const [name, count] of counts) sum.set(name, (sum.get(name) ?? 0) + count)
}
