// Looking up keys that nobody has made: never without bounds.
import { createHash } from 'node:crypto'
import t from 'tap'
import { createBoundedLookups } from '../src/bounded-lookups.ts'

const digestOf = (name: string | number) => createHash('sha256').update(String(name)).digest()

t.test('what was in vain is not looked up again, what is found is found each time', async t => {
  const lookups = createBoundedLookups(() => 0)
  const looks: string[] = []
  const look = (found: string | null) => async () => {
    looks.push(String(found))
    return found
  }
  for (const round of ['first', 'second']) {
    t.equal(await lookups.find(digestOf('unknown'), look(null)), null, round)
    t.equal(await lookups.find(digestOf('new'), look('caller')), 'caller')
  }
  t.same(looks, ['null', 'caller', 'caller'])
})

t.test('whoever invents keys makes twenty looks a second, not more; then others wait for a moment', async t => {
  const clock = { ms: 0 }
  const lookups = createBoundedLookups(() => clock.ms)
  let looks = 0
  const invent = async (from: number) => {
    for (let each = from; each < from + 2_000; each++) {
      await lookups.find(digestOf(each), async () => {
        looks++
        return null
      })
    }
  }
  await invent(0)
  t.equal(looks, 20)
  t.equal(await lookups.find(digestOf('new'), async () => 'caller'), null)
  clock.ms += 1_000
  t.equal(await lookups.find(digestOf('new'), async () => 'caller'), 'caller')
  await invent(10_000)
  t.equal(looks, 39)
})

t.test('a look that fails is no answer: the next one looks again', async t => {
  const lookups = createBoundedLookups(() => 0)
  await t.rejects(lookups.find(digestOf('new'), async () => { throw new Error('the database is away') }))
  t.equal(await lookups.find(digestOf('new'), async () => 'caller'), 'caller')
})
