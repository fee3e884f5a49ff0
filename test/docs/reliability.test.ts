// docs/reliability.md names every fault and every promise once, and the tests that it names are there.
import { readFile, stat } from 'node:fs/promises'
import t from 'tap'

const page = await readFile('docs/reliability.md', 'utf8')
const rows = page.split('\n').filter(line => line.startsWith('| ')).map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
const numbersOf = (letter: string) => rows.map(([name = '']) => new RegExp(`^${letter}(\\d+)$`).exec(name)?.[1]).filter(number => number !== undefined).map(Number)
const upTo = (count: number) => Array.from({ length: count }, (_each, index) => index + 1)

t.test('every promise, invariant and fault has its row, in order', async t => {
  t.strictSame(numbersOf(''), upTo(7))
  t.strictSame(numbersOf('I'), upTo(6))
  t.strictSame(numbersOf('F'), upTo(37))
})

t.test('every row names its tests', async t => {
  const bare = rows.filter(([name = '']) => /^(F?\d+)$/.test(name)).filter(cells => !/`test\/|^same as F\d+$/.test(cells.at(-1) ?? ''))
  t.strictSame(bare, [])
})

t.test('every file that is named is there, and has a test of that name', async t => {
  const named = [...page.matchAll(/`(test\/[\w./-]+)`(?: › ([^;|]+))?/g)]
  t.ok(named.length > 40)
  for (const [, path = '', names = ''] of named) {
    const found = await stat(path).catch(() => null)
    t.ok(found, path)
    if (found === null || found.isDirectory()) continue
    const source = (await readFile(path, 'utf8')).replaceAll("\\'", "'")
    for (const name of names.split(/, (?=F\d)/)) t.ok(source.includes(name.trim()), `${path}: ${name}`)
  }
})
