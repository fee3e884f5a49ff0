// The program that runs the suite: nothing that was not run, or has said nothing, counts as a success.
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { readTap } from '../../scripts/tap-outcome.ts'
import { programArguments } from '../support/programs.ts'

t.test('assertions count at any depth, and those that are skipped or to be done are told with their reasons', async t => {
  const outcome = readTap([
    'TAP version 14', '# Subtest: outer', '    ok 1 - one', '    ok 2 - two # SKIP not here', '    not ok 3 - three # TODO later', '    1..3',
    'ok 1 - outer', 'ok 2 - four', '1..2', ''
  ].join('\n'))
  t.strictSame(outcome, {
    passed: 2, skipped: ['outer > two: not here', 'outer > three: later'], failures: []
  })
})

t.test('a failure is told with its place and its reason', async t => {
  const { passed, failures } = readTap(['TAP version 14', '# Subtest: outer', '    not ok 1 - one', '      ---', '      found: 2', '      ...', '    1..1', 'not ok 1 - outer', '1..1', ''].join('\n'))
  t.equal(passed, 0)
  t.match(failures, [/outer.*one[^]*found: 2/])
})

for (const [what, output] of [['ends before its plan', 'TAP version 14\n1..2\nok 1 - one\n'], ['has no plan', 'TAP version 14\nok 1 - one\n'], ['bails out', 'TAP version 14\nBail out! enough\n']] as const) {
  t.test(`a file that ${what} has failed`, async t => {
    t.equal(readTap(output).failures.length > 0, true)
  })
}

t.test('a number of jobs that would run nothing is refused', async t => {
  for (const jobs of ['0', 'two', '-1', '1.5']) t.not(spawnSync(process.execPath, [...programArguments('scripts/run-tests'), `--jobs=${jobs}`, 'no-such-file']).status, 0, jobs)
})
