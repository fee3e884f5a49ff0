// Marks of what became of answers, while the database serves, fails, hangs and comes back. Time is the test's own.
import t from 'tap'
import { createDeliveries, FLUSH_INTERVAL_MS } from '../../src/registration/deliveries.ts'
import { StoreUnavailableError, type Clock, type DeliveryMark, type DeliveryOutcome, type DeliveryStore } from '../../src/registration/ports.ts'
import { eventually } from '../support/eventually.ts'

type Marks = Record<string, DeliveryOutcome>

function setUp () {
  let nowMs = 0
  const sleepers = new Set<{ endsAtMs: number, end: (elapsed: boolean) => void }>()
  const asked: number[] = []
  const clock: Pick<Clock, 'monotonicMs' | 'sleep'> = {
    monotonicMs: () => nowMs,
    sleep: (ms, signal) => new Promise(resolve => {
      asked.push(ms)
      const sleeper = { endsAtMs: nowMs + ms, end: (elapsed: boolean) => { if (sleepers.delete(sleeper)) resolve(elapsed) } }
      sleepers.add(sleeper)
      signal?.addEventListener('abort', () => sleeper.end(false), { once: true })
    })
  }
  const written: Marks[] = []
  const database = { state: 'there' as 'there' | 'away' | 'silent', attempts: 0 }
  const store = {
    async markDeliveries (marks: ReadonlyMap<string, DeliveryMark>) {
      database.attempts += 1
      if (database.state === 'silent') await new Promise(() => {})
      if (database.state === 'away') throw new StoreUnavailableError('The database is not available')
      written.push(Object.fromEntries([...marks].map(([id, { outcome }]) => [id, outcome])))
    }
  } satisfies Pick<DeliveryStore, 'markDeliveries'>
  const lines: Array<{ level: string, message: string, details: object }> = []
  const say = (level: string) => (details: object, message: string) => { lines.push({ level, message, details }) }
  const log = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  return {
    deliveries: createDeliveries(store, clock, log),
    database,
    written,
    lines,
    asked,
    /** Lets time pass, and what was waiting for it run until it waits again. */
    async pass (ms: number) {
      nowMs += ms
      for (const sleeper of [...sleepers]) if (sleeper.endsAtMs <= nowMs) sleeper.end(true)
      await new Promise(setImmediate)
    }
  }
}

t.test('marks are written together, and a delivered answer stays delivered', async t => {
  const { deliveries, written, pass } = setUp()
  deliveries.mark('a', 'not_delivered')
  deliveries.mark('b', 'delivered')
  deliveries.mark('a', 'delivered')
  deliveries.mark('b', 'not_delivered')
  await pass(FLUSH_INTERVAL_MS)
  t.strictSame(written, [{ a: 'delivered', b: 'delivered' }])
  t.equal(deliveries.seen('b')?.outcome, 'delivered')
  await pass(60_000)
  t.equal(written.length, 1, 'and once')
})

t.test('while the database is away the tries become rare, and only the first failure and the recovery are logged', async t => {
  const { deliveries, database, written, lines, asked, pass } = setUp()
  database.state = 'away'
  deliveries.mark('a', 'delivered')
  for (let passedMs = 0; passedMs < 30_000; passedMs += 50) await pass(50)
  t.strictSame(asked.slice(0, 9), [50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000])
  t.ok(database.attempts < 15, `${database.attempts} tries in 30 s`)
  t.match(lines, [{ level: 'warn', details: { err: StoreUnavailableError, marks: 1 } }])
  t.equal(lines.length, 1)

  database.state = 'there'
  deliveries.mark('b', 'not_delivered')
  await pass(5_000)
  t.strictSame(written, [{ a: 'delivered', b: 'not_delivered' }], 'nothing was lost')
  t.match(lines[1], { level: 'info', details: { marks: 2 } })
  asked.length = 0
  deliveries.mark('c', 'delivered')
  t.strictSame(asked, [FLUSH_INTERVAL_MS], 'in step again')
})

t.test('a mark that came while its older one could not be written wins over it, unless that was delivered', async t => {
  const { deliveries, database, written, pass } = setUp()
  database.state = 'away'
  deliveries.mark('a', 'not_delivered')
  deliveries.mark('b', 'delivered')
  await pass(50)
  deliveries.mark('a', 'delivered')
  deliveries.mark('b', 'not_delivered')
  database.state = 'there'
  await pass(100)
  t.strictSame(written, [{ a: 'delivered', b: 'delivered' }])
})

t.test('when an answer left is remembered as it was, however often its mark is tried', async t => {
  const { deliveries, database, pass } = setUp()
  database.state = 'away'
  deliveries.mark('a', 'not_delivered')
  await pass(50)
  await pass(100)
  t.strictSame(deliveries.seen('a'), { outcome: 'not_delivered', atMs: 0 })
})

t.test('a flush writes at once, and those that come meanwhile share the next statement', async t => {
  const { deliveries, database, written } = setUp()
  deliveries.mark('a', 'delivered')
  const first = deliveries.flush()
  deliveries.mark('b', 'delivered')
  await Promise.all([first, deliveries.flush(), deliveries.flush(), deliveries.flush()])
  t.strictSame(written, [{ a: 'delivered' }, { b: 'delivered' }])
  t.equal(database.attempts, 2)
})

for (const state of ['silent', 'away'] as const) {
  t.test(`a flush of a database that is ${state} ends after half a second, neither later nor so soon that its caller would spin`, async t => {
    const { deliveries, database, pass } = setUp()
    database.state = state
    deliveries.mark('a', 'delivered')
    let ended = false
    const flushed = deliveries.flush().then(() => { ended = true })
    await pass(499)
    t.notOk(ended)
    await pass(1)
    await flushed
  })
}

t.test('closing writes what is left', async t => {
  const { deliveries, database, written, lines, pass } = setUp()
  database.state = 'away'
  deliveries.mark('a', 'delivered')
  await pass(50)
  database.state = 'there'
  await deliveries.close()
  t.strictSame(written, [{ a: 'delivered' }])
  t.notMatch(lines, [{ level: 'warn' }, { level: 'warn' }])
})

t.test('closing tries once more while the database is away, then says how many marks are lost', async t => {
  const { deliveries, database, lines, pass } = setUp()
  database.state = 'away'
  deliveries.mark('a', 'delivered')
  deliveries.mark('b', 'delivered')
  await deliveries.close()
  t.equal(database.attempts, 1)
  t.match(lines.at(-1), { level: 'warn', message: /lost/, details: { marks: 2 } })
  await pass(60_000)
  t.equal(database.attempts, 1, 'nothing runs on')
})

t.test('closing gives a silent database up after a few seconds, with those that wait behind it', async t => {
  const { deliveries, database, lines, pass } = setUp()
  database.state = 'silent'
  deliveries.mark('a', 'delivered')
  await pass(50)
  deliveries.mark('b', 'delivered')
  const closed = deliveries.close()
  await pass(3_000)
  await closed
  t.match(lines.at(-1), { level: 'warn', message: /lost/, details: { marks: 2 } })
})

t.test('a forgotten mark is the oldest: memory is bounded while the database is away', async t => {
  const { deliveries, database, written, pass } = setUp()
  database.state = 'away'
  deliveries.mark('first', 'delivered')
  await pass(50)
  for (let index = 0; index < 100_000; index++) deliveries.mark(`mark ${index}`, 'delivered')
  database.state = 'there'
  await pass(100)
  await eventually('it is written', () => written.length === 1)
  t.equal(Object.keys(written[0] ?? {}).length, 100_000)
  t.notOk('first' in (written[0] ?? {}))
})
