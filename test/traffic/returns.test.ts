import t from 'tap'
import { Returns } from '../../src/registration/traffic/returns.ts'

function openReturns () {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs }
  return { returns: new Returns(clock), pass: (ms: number) => { clock.nowMs += ms } }
}

t.test('whoever is told to come back is expected until he comes', async t => {
  const { returns, pass } = openReturns()
  for (const inMs of [1_000, 2_000, 3_000]) returns.promise('a', inMs)
  returns.came('a')
  t.equal(returns.expected('a'), 3, 'somebody else: nobody is due yet')
  pass(1_500)
  returns.came('a')
  returns.came('a')
  t.equal(returns.expected('a'), 2, 'the first, and somebody else')
  t.equal(returns.expected('b'), 0)
})

t.test('who does not come back is forgotten', async t => {
  const { returns, pass } = openReturns()
  for (const inMs of [1_000, 2_000, 60_000]) returns.promise('a', inMs)
  pass(15_000)
  returns.came('a')
  t.equal(returns.expected('a'), 1)
})
