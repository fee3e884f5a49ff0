// docs/reliability.md names every fault and every promise once, and the tests that it names are there.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { checkNamedTests, numbersOf, rowsOf, upTo } from './named-tests.ts'

const page = await readFile('docs/reliability.md', 'utf8')
const rows = rowsOf(page)

t.test('every promise, invariant and fault has its row, in order', async t => {
  t.strictSame(numbersOf(rows, ''), upTo(7))
  t.strictSame(numbersOf(rows, 'I'), upTo(6))
  t.strictSame(numbersOf(rows, 'F'), upTo(37))
})

t.test('every row names its tests', async t => {
  const bare = rows.filter(([name = '']) => /^(F?\d+)$/.test(name)).filter(cells => !/`test\/|^same as F\d+$/.test(cells.at(-1) ?? ''))
  t.strictSame(bare, [])
})

t.test('every file that is named is there, and has a test of that name', async t => await checkNamedTests(t, page))
