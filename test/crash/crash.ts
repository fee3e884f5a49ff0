// npm run crash [-- --placements 200 --registrations 500]: kills replicas while registrations stand in the gaps of a create, and counts
// what is left. SEED in the environment repeats the choices of another run. Exit code 1 when a promise is broken.
import { chosenSeed } from '../faults/chance.ts'
import { numberOption, withTeardowns } from '../faults/program.ts'
import { runCampaign } from './campaign.ts'

const LEAST_PER_GAP = 10
const seed = chosenSeed()
const placements = numberOption('placements', 200)
const registrations = numberOption('registrations', 500)
const startedMs = performance.now()
const say = (line: string): void => { console.log(`${String(Math.round((performance.now() - startedMs) / 1_000)).padStart(4)} s  ${line}`) }

say(`SEED=${seed}`)
const { histogram, summary, fewest, violations, evidence } = await withTeardowns(async t =>
  await runCampaign(t, { seed, placements, registrations, windowMs: 60_000, say }))
for (const line of [...histogram, ...summary]) console.log(line)
for (const line of [...violations, ...evidence]) console.error(line)
if (violations.length > 0) console.error(`${violations.length} violations. SEED=${seed} npm run crash makes the same choices again.`)
const isThin = placements >= LEAST_PER_GAP * histogram.length && fewest < LEAST_PER_GAP
if (isThin) console.error(`A gap has only ${fewest} kills`)
process.exitCode = violations.length > 0 || isThin ? 1 : 0
