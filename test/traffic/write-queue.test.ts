// The queue of one replica, on a clock that stands still until it is moved.
import t from 'tap'
import { deadlineIn } from '../../src/registration/deadline.ts'
import { DirectoryError } from '../../src/registration/ports.ts'
import { WriteQueue, type WriteBudget } from '../../src/registration/traffic/write-queue.ts'
import { openClock } from './hand-clock.ts'

const silent = { debug () {}, info () {}, warn () {}, error () {} }

/** PostgreSQL's side of the budget and a clock, both by hand. */
function openQueue (budget: WriteBudget) {
  const { clock, pass } = openClock()
  const taken: number[] = []
  let spentUntilMs = 0
  const msPerWrite = budget.writesPerSecond === 0 ? 0 : 1_000 / budget.writesPerSecond
  const store = {
    async takeWrites (_providerId: string, writes: number) {
      const nowMs = clock.monotonicMs()
      taken.push(writes)
      spentUntilMs = Math.max(spentUntilMs, nowMs) + writes * msPerWrite
      const spentForMs = spentUntilMs - nowMs - budget.burst * msPerWrite
      return { beginInMs: Math.max(0, spentForMs - writes * msPerWrite), spentForMs }
    }
  }
  const queue = new WriteQueue({ providerId: 'p', budget, store, clock, log: silent })
  return { queue, taken, store, pass, deadline: (ms: number) => deadlineIn(ms, clock) }
}

function catchError (work: () => unknown): unknown {
  try {
    work()
    return null
  } catch (error) {
    return error
  }
}

/** What became of a turn: `true` once it has begun, the error when it came too late. */
function outcomeOf (begun: Promise<void>): { value: true | unknown } {
  const outcome: { value: true | unknown } = { value: undefined }
  begun.then(() => { outcome.value = true }, (error: unknown) => { outcome.value = error })
  return outcome
}

t.test('one statement takes a quarter of a second of the budget, whoever needs it', async t => {
  const { queue, taken, deadline, pass } = openQueue({ writesPerSecond: 120, burst: 0, concurrency: 1_000 })
  const turns = Array.from({ length: 100 }, () => outcomeOf(queue.join('a', 3, deadline(8_000)).begin(deadline(8_000))))
  await pass(1_001)
  t.equal(turns.filter(({ value }) => value === true).length, 50, 'a second is 120 writes; the slice at hand is a quarter more')
  await pass(2_000)
  t.ok(turns.every(({ value }) => value === true))
  t.same(taken, Array(10).fill(30))
})

t.test('who could not have his turn in time is refused at once, each with a later time', async t => {
  const { queue, taken, deadline, pass } = openQueue({ writesPerSecond: 30, burst: 0, concurrency: 1_000 })
  const times: number[] = []
  let accepted = 0
  for (let index = 0; index < 100; index++) {
    try {
      queue.join('a', 3, deadline(4_500))
      accepted += 1
    } catch (error) {
      times.push((error as DirectoryError).retryAfterMs ?? 0)
    }
  }
  t.equal(accepted, 40, 'ten registrations a second, for four seconds')
  t.equal(times.length, 60)
  // A second is the soonest for anybody.
  t.ok(times.every((time, index) => index === 0 || time === 1_000 || time > (times[index - 1] ?? 0)), 'each a time of his own')
  t.ok(Math.abs((times[59] ?? 0) - (10_000 - 3_375)) < 200, `the last after all others, most of a deadline early: ${times[59]}`)
  await pass(0)
  t.equal(taken.length, 2, 'nothing was charged for them: the slice at hand and the next')
})

t.test('a turn that comes too late, or is given up, leaves its writes to others', async t => {
  const { queue, deadline, pass } = openQueue({ writesPerSecond: 30, burst: 0, concurrency: 1_000 })
  const first = queue.join('a', 3, deadline(8_000))
  await pass(0)
  const second = outcomeOf(queue.join('b', 3, deadline(8_000)).begin(deadline(8_000)))
  // A pause that another replica has heard of.
  first.end()
  await pass(200)
  t.equal(second.value, true)
  const late = queue.join('a', 3, deadline(8_000))
  const more = Array.from({ length: 3 }, () => queue.join('a', 3, deadline(8_000)))
  const outcome = outcomeOf(late.begin(deadline(10)))
  for (const turn of more) turn.end()
  await pass(10)
  t.equal(queue.waiting, 0)
  t.ok(outcome.value === true || outcome.value instanceof DirectoryError)
})

t.test('while the tenant has to be left alone nobody is let in who can\'t wait for its end', async t => {
  const { queue, deadline } = openQueue({ writesPerSecond: 30, burst: 90, concurrency: 1_000 })
  queue.pause(20_000)
  t.match(catchError(() => queue.join('a', 3, deadline(8_000))), { fault: 'throttled' })
  t.doesNotThrow(() => queue.join('a', 3, deadline(30_000)))
})

t.test('a replica sees by the distance of its slices how many others take some', async t => {
  const { queue, taken, store, deadline, pass } = openQueue({ writesPerSecond: 120, burst: 0, concurrency: 1_000 })
  const fill = (): void => { for (let index = 0; index < 60; index++) queue.join('a', 3, deadline(60_000)) }
  fill()
  // Another replica takes as many.
  for (let second = 0; second < 8; second++) {
    await store.takeWrites('p', 30)
    await pass(500)
  }
  taken.length = 0
  fill()
  fill()
  // 360 writes are 3 s of the whole budget, and 6 s of half of it.
  t.match(catchError(() => queue.join('a', 3, deadline(6_000))), { fault: 'throttled' })
})

t.test('what was begun is finished before more is begun', async t => {
  const { queue, deadline, pass } = openQueue({ writesPerSecond: 0, burst: 0, concurrency: 2 })
  const turns = Array.from({ length: 5 }, () => queue.join('a', 3, deadline(8_000)))
  const begun = turns.map(turn => outcomeOf(turn.begin(deadline(8_000))))
  const count = (): number => begun.filter(({ value }) => value === true).length
  await pass(1_000)
  t.equal(count(), 2)
  turns[0]?.end()
  turns[0]?.end()
  await pass(0)
  t.equal(count(), 3, 'one place, however often it is given back')
  turns[4]?.end()
  turns[1]?.end()
  turns[2]?.end()
  await pass(0)
  t.equal(count(), 4, 'who left is not served')
})

t.test('who would have to wait too long for a place is refused at once', async t => {
  const { queue, deadline, pass } = openQueue({ writesPerSecond: 0, burst: 0, concurrency: 2 })
  for (let index = 0; index < 40; index++) {
    const turn = queue.join('a', 3, deadline(8_000))
    await Promise.all([turn.begin(deadline(8_000)), pass(2_000)])
    turn.end()
  }
  const accepted = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].filter(() => catchError(() => queue.join('a', 3, deadline(5_000))) === null)
  t.equal(accepted.length, 2 + 4, 'two at once, each for two seconds: those who begin within four seconds')
})

t.test('a place that nobody gives back is not lost for ever', async t => {
  const { queue, deadline, pass } = openQueue({ writesPerSecond: 0, burst: 0, concurrency: 1 })
  await queue.join('a', 3, deadline(8_000)).begin(deadline(8_000))
  await pass(121_000)
  await t.resolves(queue.join('a', 3, deadline(8_000)).begin(deadline(8_000)))
})

t.test('who comes in the very moment in which the last turn is granted gets his too', async t => {
  for (let hops = 0; hops < 16; hops++) {
    const { queue, store, deadline, pass } = openQueue({ writesPerSecond: 12, burst: 300, concurrency: 1_000 })
    const takeWrites = store.takeWrites.bind(store)
    const second = new Promise<void>((resolve, reject) => {
      store.takeWrites = async (...args) => {
        store.takeWrites = takeWrites
        const slice = await takeWrites(...args)
        const come = async (): Promise<void> => {
          for (let hop = 0; hop < hops; hop++) await Promise.resolve()
          await queue.join('a', 3, deadline(8_000)).begin(deadline(8_000))
        }
        come().then(resolve, reject)
        return slice
      }
    })
    const outcomes = [outcomeOf(queue.join('a', 3, deadline(8_000)).begin(deadline(8_000))), outcomeOf(second)]
    await pass(1_000)
    t.same(outcomes.map(({ value }) => value), [true, true], `${hops} microtasks later`)
  }
})
