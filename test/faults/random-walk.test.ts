// All promises against many faults at once: a short walk, the same each time, for a suite that tells whether a change broke something.
// `npm run soak -- --minutes N` makes long and new ones. SEED repeats the choices of another.
import t from 'tap'
import { chosenSeed } from './chance.ts'
import { walk } from './walk/walk.ts'

const seed = chosenSeed(2026)
const LEAST_DONE = 21

t.test('a random walk under random faults and restarts ends with every invariant kept', async t => {
  t.comment(`SEED=${seed}`)
  const { operations, outcomes, faults, restarts, violations } = await walk(t, { seed, operations: 150, withinMs: 12_000, leastDone: LEAST_DONE })
  t.comment(`${operations} operations: ${JSON.stringify(Object.fromEntries(outcomes))}; ${restarts} restarts; faults ${JSON.stringify(Object.fromEntries(faults))}`)
  t.ok((outcomes.get('done') ?? 0) >= LEAST_DONE, 'callers got something done')
  t.same(violations, [], `SEED=${seed}`)
})
