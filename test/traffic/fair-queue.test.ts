import t from 'tap'
import { FairQueue } from '../../src/registration/traffic/fair-queue.ts'

interface Item { party: string, size: number, name: string }

function queueOf (...items: Item[]): FairQueue<Item> {
  const queue = new FairQueue<Item>()
  for (const item of items) queue.add(item)
  return queue
}

const turn = (party: string, name: string, size = 3): Item => ({ party, name, size })

function served (queue: FairQueue<Item>, count = Infinity): string[] {
  const names: string[] = []
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    names.push(item.name)
    if (names.length === count) break
  }
  return names
}

t.test('one party is served in the order it came', async t => {
  t.same(served(queueOf(turn('a', '1'), turn('a', '2'), turn('a', '3'))), ['1', '2', '3'])
})

t.test('who asks for much waits behind his own turns: another is served next', async t => {
  const queue = queueOf(...Array.from({ length: 100 }, (_, index) => turn('flood', `f${index}`)))
  t.same(served(queue, 10).length, 10)
  queue.add(turn('other', 'o1'))
  queue.add(turn('other', 'o2'))
  t.same(served(queue, 4), ['o1', 'f10', 'o2', 'f11'])
})

t.test('parties share by writes, not by turns', async t => {
  const queue = queueOf(turn('big', 'b1', 3), turn('big', 'b2', 3), turn('small', 's1', 1), turn('small', 's2', 1), turn('small', 's3', 1), turn('small', 's4', 1))
  t.same(served(queue), ['b1', 's1', 's2', 's3', 'b2', 's4'])
})

t.test('nobody saves up turns while idle', async t => {
  const queue = queueOf(...Array.from({ length: 10 }, (_, index) => turn('a', `a${index}`)))
  served(queue, 8)
  for (const name of ['b1', 'b2', 'b3']) queue.add(turn('b', name))
  t.same(served(queue), ['b1', 'a8', 'b2', 'a9', 'b3'])
})

t.test('it knows what a party would have to wait for', async t => {
  const queue = queueOf(turn('a', '1'), turn('a', '2'), turn('a', '3'))
  t.equal(queue.size, 9)
  t.equal(queue.sizeAhead('a'), 9)
  t.equal(queue.sizeAhead('b'), 3, 'the first of another, which came before')
})

t.test('what is taken out is not served, and an empty queue remembers nobody', async t => {
  const [first, second] = [turn('a', '1'), turn('b', '2')]
  const queue = queueOf(first, second)
  queue.remove(first)
  t.equal(queue.size, 3)
  queue.remove(second)
  queue.remove(second)
  t.equal(queue.size, 0)
  t.equal(queue.parties, 0)
  t.same(served(queue), [])
})
