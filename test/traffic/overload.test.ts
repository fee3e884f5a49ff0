// More at once than a tenant answers, without a budget of writes: those who are let in are served, the others know it at once.
import t from 'tap'
import { deadlineIn } from '../../src/registration/deadline.ts'
import { DirectoryError } from '../../src/registration/ports.ts'
import { createTraffic } from '../../src/registration/traffic/traffic.ts'
import { openClock } from './hand-clock.ts'

const silent = { debug () {}, info () {}, warn () {}, error () {} }
const store = {
  takeWrites: async () => ({ beginInMs: 0, spentForMs: 0 }),
  pauseProvider: async () => {},
  pauses: async () => new Map<string, number>()
}
const CALLS = 3
const CALL_MS = 1_000
const DEADLINE_MS = 8_000
const CONCURRENCY = 64

type Outcome = { kind: 'served' | 'refused' | 'late', afterMs: number }

t.test('of a thousand at once at a slow tenant as many are served as it answers in time', async t => {
  const { clock, pass } = openClock()
  const traffic = createTraffic(store, clock, silent, { writesPerSecond: 0, burst: 0, concurrency: CONCURRENCY })
  let [inside, most] = [0, 0]

  async function register (index: number): Promise<Outcome> {
    await clock.sleep(index / 10)
    const arrivedMs = clock.monotonicMs()
    const deadline = deadlineIn(DEADLINE_MS, clock)
    let turn
    try {
      turn = traffic.join('tenant', 'caller', CALLS, deadline)
    } catch {
      return { kind: 'refused', afterMs: clock.monotonicMs() - arrivedMs }
    }
    // Its row is committed meanwhile.
    await clock.sleep(10 + index)
    try {
      await turn.begin(deadline)
      for (let call = 0; call < CALLS; call++) {
        await traffic.call('tenant', async () => {
          most = Math.max(most, ++inside)
          const isInTime = deadline.remainingMs() >= CALL_MS
          await clock.sleep(Math.min(CALL_MS, deadline.remainingMs()))
          inside -= 1
          if (!isInTime) throw new DirectoryError('unavailable', 'late')
        }, deadline)
      }
      return { kind: 'served', afterMs: clock.monotonicMs() - arrivedMs }
    } catch {
      return { kind: 'late', afterMs: clock.monotonicMs() - arrivedMs }
    } finally {
      turn.end()
    }
  }

  const all = Promise.all(Array.from({ length: 1_000 }, async (_none, index) => await register(index)))
  await pass(DEADLINE_MS + 1_000)
  const outcomes = await all
  const count = (kind: Outcome['kind']): number => outcomes.filter(outcome => outcome.kind === kind).length
  t.comment({ served: count('served'), refused: count('refused'), late: count('late') })
  t.equal(most, CONCURRENCY)
  t.ok(count('served') >= 120, `${count('served')} are served; the tenant answers ${CONCURRENCY * DEADLINE_MS / CALL_MS / CALLS}`)
  t.ok(count('refused') >= 400, `${count('refused')} are refused before anything is begun`)
  t.ok(outcomes.every(({ kind, afterMs }) => kind !== 'refused' || afterMs === 0), 'at once')

  const [later] = await Promise.all([register(0), pass(4_000)])
  t.equal(later.kind, 'served', 'who comes when there is room is let in, however slow the tenant was')
})
