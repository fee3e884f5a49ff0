// docs/threat-model.md names every attack once, and the tests that it names are there; those of the plan of tests carry its number.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { readMutations } from '../../scripts/mutation-patches.ts'
import { checkNamedTests, numbersOf, rowsOf, upTo } from './named-tests.ts'

const PLANNED = 19
/** What stands against them is no code of ours to get wrong: the log's JSON is the library's, and the lockfile is no source. */
const WITHOUT_MUTATION = ['S12', 'S18']

const page = await readFile('docs/threat-model.md', 'utf8')
const rows = rowsOf(page)
const attacks = rows.filter(([name = '']) => /^S\d+$/.test(name))

t.test('every asset, actor and attack has its row, in order', async t => {
  t.strictSame(numbersOf(rows, 'A'), upTo(10))
  t.strictSame(numbersOf(rows, 'P'), upTo(14))
  const numbers = numbersOf(rows, 'S')
  t.ok(numbers.length > PLANNED)
  t.strictSame(numbers, upTo(numbers.length))
})

t.test('every attack names its tests, and those of the plan tests with its number', async t => {
  for (const [index, cells] of attacks.entries()) {
    const [name = ''] = cells
    const shown = cells.at(-1) ?? ''
    t.match(shown, index < PLANNED ? new RegExp(`\`test/.+ › (.+[,›] )?${name} `) : /`test\//, name)
  }
})

t.test('every file that is named is there, and has a test of that name', async t => await checkNamedTests(t, page))

t.test('every attack of the plan that our code keeps out is let in by a mutation', async t => {
  const mutated = new Set((await readMutations()).map(({ scenario }) => scenario))
  t.strictSame(upTo(PLANNED).map(number => `S${number}`).filter(name => !mutated.has(name)), WITHOUT_MUTATION)
})
