// What nobody has made is remembered for a second, and not without end.
import t from 'tap'
import { createUnknownLately } from '../../src/store/unknown-lately.ts'

function setUp () {
  const clock = { ms: 0 }
  return { clock, unknown: createUnknownLately(() => clock.ms) }
}

t.test('what was not there is not there for a second', async t => {
  const { clock, unknown } = setUp()
  t.equal(unknown.has('a'), false)
  unknown.add('a')
  clock.ms = 999
  t.equal(unknown.has('a'), true)
  t.equal(unknown.has('b'), false)
  clock.ms = 1_000
  t.equal(unknown.has('a'), false, 'then it is looked for again')
})

t.test('of a flood the latest ten thousand are remembered', async t => {
  const { unknown } = setUp()
  for (let each = 0; each < 10_001; each++) unknown.add(`invented ${each}`)
  t.strictSame(['invented 0', 'invented 1', 'invented 10000'].map(unknown.has), [false, true, true])
})
