// npm run fuzz -- --cases N --seed S: hostile requests to every route of both listeners. --only K makes one case of a seed again and says
// what was sent and answered. Exit code 1 when a case fails, or when the broker does not come out of it as it went in.
import { numberOption, withTeardowns } from '../faults/program.ts'
import { runCampaign } from './campaign.ts'
import { verdictOf } from './tally.ts'

const seed = numberOption('seed', Math.floor(Math.random() * 2 ** 31))
const cases = numberOption('cases', 20_000)
const lanes = numberOption('lanes', 4)
const only = process.argv.includes('--only') ? Number(process.argv[process.argv.indexOf('--only') + 1]) : undefined
const startedMs = performance.now()
const elapsed = (): string => `${String(Math.round((performance.now() - startedMs) / 1_000)).padStart(5)} s`
const MOST_SHOWN = 40

console.log(`--seed ${seed} --cases ${cases} --lanes ${lanes}`)
const end = await withTeardowns(async t => await runCampaign(t, {
  seed,
  cases,
  lanes,
  warmUp: Math.min(5_000, Math.ceil(cases / 10)),
  slow: true,
  ...only === undefined ? {} : { only, log: line => console.log(line) },
  complain: failure => console.error(failure),
  say: ({ cases: done, requests, reached, serverFaults, failures }) =>
    console.log(`${elapsed()}  ${done} of ${cases} cases, ${Math.round(100 * reached / Math.max(1, requests))} % of the requests reached validation, ${serverFaults} answers of 500 and above, ${failures.length} failures`)
}))

for (const line of end.faultLines.slice(0, MOST_SHOWN)) console.error(line.slice(0, 1_500))
if (only === undefined) {
  for (const row of end.tally.table()) console.log(row)
  console.log(`      heap after each tenth: ${end.heaps.map(bytes => (bytes / 1024 / 1024).toFixed(1)).join(' ')} MB`)
  const lines = verdictOf(end.tally, end.start, end.end)
  for (const { text, isGood } of lines) console.log(`${isGood ? 'good' : 'BAD '}  ${text}`)
  console.log(`${elapsed()}  ${lines.every(({ isGood }) => isGood) ? 'passed' : 'FAILED'}`)
  if (lines.some(({ isGood }) => !isGood)) process.exitCode = 1
} else if (end.tally.failures.length > 0) process.exitCode = 1
