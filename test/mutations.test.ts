// The mutations of test/mutations fit the code and name tests that are there; that these turn red is shown by `npm run mutations`.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import t from 'tap'
import { applyPatch, readMutations } from '../scripts/mutation-patches.ts'

const mutations = await readMutations()

t.test('every promise is broken by two mutations at least', async t => {
  const counts = [1, 2, 3, 4, 5, 6, 7].map(promise => mutations.filter(mutation => mutation.promise === promise).length)
  t.ok(counts.every(count => count >= 2), counts.join(' '))
  t.equal(counts.reduce((sum, count) => sum + count), mutations.length, 'none breaks another promise')
})

t.test('every mutation fits the code as it is', async t => {
  for (const mutation of mutations) t.equal(applyPatch(resolve('.'), mutation, '--check'), null, mutation.name)
})

t.test('every mutation changes what is released, and no test', async t => {
  for (const { name, changed } of mutations) {
    t.ok(changed.length > 0, name)
    t.strictSame(changed.filter(file => !/^(src|prisma)\//.test(file)), [], name)
  }
})

t.test('the test that has to notice a mutation is there', async t => {
  for (const { name, test, fails } of mutations) {
    const source = (await readFile(test, 'utf8')).replaceAll("\\'", "'")
    for (const part of fails) t.ok(source.includes(part), `${name}: ${test} has "${part}"`)
  }
})
