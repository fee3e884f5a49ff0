// The fuzzer's cases, a few of them. `npm run fuzz -- --cases N --seed S` sends many, and looks at times and memory too.
import t from 'tap'
import { runCampaign } from './campaign.ts'
import { LEAST_SHARE } from './tally.ts'

const SEED = 6
const CASES = 800

t.test('whatever is sent to whatever route, the answer is no fault of the broker, in its dialect, and the broker stays as it was', async t => {
  t.comment(`--seed ${SEED}`)
  const { tally, start, end, faultLines } = await runCampaign(t, { seed: SEED, cases: CASES, lanes: 4, warmUp: 50, slow: false })
  t.same(tally.failures, [])
  t.same(faultLines, [])
  t.strictSame([tally.serverFaults, tally.unanswered, tally.crashes], [0, 0, 0], '5xx, unanswered, crashes')
  t.ok(tally.reached / tally.cases >= LEAST_SHARE, `${tally.reached} of ${tally.cases} reached validation`)
  t.same(end.prototypes, start.prototypes, 'nothing that every object inherits has changed')
})
