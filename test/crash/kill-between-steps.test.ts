// Promises 1, 2 and 3 against SIGKILL. Two rounds of every gap; `npm run crash` kills many more under traffic.
import t, { type Test } from 'tap'
import { gaps } from '../faults/gaps.ts'
import { openBench, type Bench } from './bench.ts'
import { killAndForget, killAndRepeat, lastingViolations, type CutOff } from './kill-round.ts'

const ROUNDS = 2
const LONG_WINDOW_MS = 120_000
/** No shorter than a request may take. */
const SHORT_WINDOW_MS = 10_000

t.jobs = 2

t.test('F1 to F5: a broker killed in any gap of a create answers the repeated request, with one application for each', async t => {
  const bench = await openBench(t, LONG_WINDOW_MS)
  t.same(await faultsOf(t, bench, killAndRepeat), [])
  t.same(await lastingViolations(bench, gaps.length * ROUNDS), [])
})

t.test('F1 to F5: a broker killed in any gap of a create that nobody repeats leaves nothing in Entra but what may have been received', async t => {
  const bench = await openBench(t, SHORT_WINDOW_MS)
  t.same(await faultsOf(t, bench, killAndForget), [])
  t.same(await lastingViolations(bench, gaps.filter(gap => gap.kept).length * ROUNDS), [])
})

/** Makes all rounds and prints the histogram: gap, kills, outcomes. */
async function faultsOf (t: Test, bench: Bench, makeRound: (bench: Bench, round: number) => Promise<CutOff[]>): Promise<string[]> {
  const cutOffs: CutOff[] = []
  for (let round = 1; round <= ROUNDS; round++) {
    cutOffs.push(...await makeRound(bench, round))
  }
  for (const gap of gaps) t.comment(histogramLine(gap.name, cutOffs.filter(cutOff => cutOff.gap === gap.name)))
  return cutOffs.flatMap(({ gap, faults }) => faults.map(fault => `${gap}: ${fault}`))
}

function histogramLine (gap: string, cutOffs: readonly CutOff[]): string {
  const counts = new Map<string, number>()
  for (const { outcome } of cutOffs) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return `${gap.padEnd(46)} ${String(cutOffs.length).padStart(3)} kills: ${[...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`
}
