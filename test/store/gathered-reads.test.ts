// Look-ups that anybody can cause: few statements however many there are, and nobody is turned away.
import t from 'tap'
import { createGatheredReads } from '../../src/store/gathered-reads.ts'
import { eventually } from '../support/eventually.ts'

/** Reads whose statements end when the test says so. */
function setUp () {
  const statements: Array<{ keys: string[], end: (error?: Error) => void }> = []
  const { find } = createGatheredReads<string, string>({
    nameOf: key => key,
    read: keys => new Promise((resolve, reject) => {
      statements.push({ keys, end: error => error === undefined ? resolve(new Map(keys.filter(key => key.startsWith('good')).map(key => [key, `caller ${key}`]))) : reject(error) })
    }),
    monotonicMs: () => performance.now()
  })
  return { find, statements }
}

t.test('one look-up goes at once, and finds what is there or nothing', async t => {
  const { find, statements } = setUp()
  const answers = [find('good'), find('bad')]
  t.strictSame(statements.map(({ keys }) => keys), [['good'], ['bad']])
  for (const { end } of statements) end()
  t.strictSame(await Promise.all(answers), ['caller good', null])
})

t.test('a flood of invented keys goes in a few statements, and a good one among them is found', async t => {
  const { find, statements } = setUp()
  const answers = Array.from({ length: 5_000 }, (_, index) => find(index === 4_321 ? 'good' : `invented ${index}`))
  t.equal(statements.length, 2, 'no more connections than these')
  let ended = 0
  await eventually('all are answered', async () => {
    while (ended < statements.length) statements[ended++]?.end()
    return await Promise.race([Promise.all(answers).then(() => true), new Promise<false>(resolve => setImmediate(() => resolve(false)))])
  })
  t.equal((await Promise.all(answers)).filter(found => found !== null).join(), 'caller good')
  t.ok(statements.length <= 10, `${statements.length} statements`)
})

t.test('one key that is asked for again and again is asked once a statement, and never of a statement that has left', async t => {
  const { find, statements } = setUp()
  const first = [find('a'), find('b')]
  const again = [find('good'), find('good'), find('a')]
  statements[0]?.end()
  await first[0]
  await eventually('the next has left', async () => statements.length === 3)
  t.strictSame(statements[2]?.keys, ['good', 'a'])
  for (const { end } of statements) end()
  t.strictSame(await Promise.all(again), ['caller good', 'caller good', null])
})

t.test('who sends one after the other is slowed down to five hundred statements a second', async t => {
  const clock = { ms: 0 }
  let statements = 0
  const { find } = createGatheredReads<string, string>({
    nameOf: key => key,
    async read () {
      statements++
      return new Map()
    },
    monotonicMs: () => clock.ms
  })
  for (let each = 0; each < 500; each++) await find(`invented ${each}`)
  const slow = find('invented 500')
  let isAnswered = false
  slow.then(() => { isAnswered = true })
  await new Promise(resolve => setImmediate(resolve))
  t.strictSame([statements, isAnswered], [500, false])
  clock.ms += 2
  t.equal(await slow, null)
  t.equal(statements, 501)
})

t.test('who shows what is there is not slowed down, unless most of those that are asked for at the same time are invented', async t => {
  const clock = { ms: 0 }
  let statements = 0
  const { find } = createGatheredReads<string, string>({
    nameOf: key => key,
    async read (keys) {
      statements++
      return new Map(keys.filter(key => key.startsWith('good')).map(key => [key, 'caller']))
    },
    monotonicMs: () => clock.ms
  })
  for (let each = 0; each < 500; each++) t.equal(await find(`good ${each}`), 'caller')
  t.equal(statements, 500)
  for (let each = 0; each < 500; each++) await find(`invented ${each}`)
  t.equal(statements, 1_000, 'a second\'s worth of guesses')
  const slow = [find('good'), find('invented'), find('of nobody')]
  await new Promise(resolve => setImmediate(resolve))
  t.equal(statements, 1_000, 'the next goes a moment later')
  clock.ms += 2
  t.strictSame(await Promise.all(slow), ['caller', null, null])
})

t.test('when a statement fails, who waits behind it learns so at once, and the next one is asked anew', async t => {
  const { find, statements } = setUp()
  const answers = ['a', 'b', 'behind'].map(find)
  const failures = answers.map(answer => answer.then(() => 'found', (error: Error) => error.message))
  statements[0]?.end(new Error('the database is away'))
  t.equal(await failures[0], 'the database is away')
  t.equal(await failures[2], 'the database is away')
  t.equal(statements.length, 2)
  const next = find('good')
  for (const { end } of statements) end()
  t.equal(await next, 'caller good')
})
