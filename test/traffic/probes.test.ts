// After a pause one call finds out whether the tenant takes calls again: whatever becomes of it, the others are not kept waiting for nothing.
import t from 'tap'
import { deadlineIn } from '../../src/registration/deadline.ts'
import { DirectoryError, type DirectoryFault } from '../../src/registration/ports.ts'
import { createTraffic } from '../../src/registration/traffic/traffic.ts'
import { openClock } from './hand-clock.ts'

const silent = { debug () {}, info () {}, warn () {}, error () {} }
const store = {
  takeWrites: async () => ({ beginInMs: 0, spentForMs: 0 }),
  pauseProvider: async () => {},
  pauses: async () => new Map<string, number>()
}

/** A tenant whose pause has just ended. */
async function afterPause () {
  const { clock, pass } = openClock()
  const traffic = createTraffic(store, clock, silent, { writesPerSecond: 0, burst: 0, concurrency: 64 })
  const call = async (ms: number, fault?: DirectoryFault): Promise<string> => {
    const deadline = deadlineIn(8_000, clock)
    return await traffic.call('tenant', async () => {
      await clock.sleep(ms)
      if (fault !== undefined) throw new DirectoryError(fault, fault, { retryAfterMs: 1_000 })
      return 'passed'
    }, deadline).catch((error: DirectoryError) => error.fault)
  }
  const first = call(0, 'throttled')
  await pass(1_000)
  await first
  return { clock, call, pass }
}

t.test('an application that is missing is an answer: the tenant takes calls again', async t => {
  const { clock, call, pass } = await afterPause()
  const probe = call(100, 'missing')
  await pass(100)
  t.equal(await probe, 'missing')
  const startedMs = clock.monotonicMs()
  const others = Promise.all(Array.from({ length: 20 }, async () => { await call(500, 'missing'); return clock.monotonicMs() - startedMs }))
  await pass(8_000)
  t.same(new Set(await others), new Set([500]), 'all at once')
})

t.test('a page of applications that takes its time does not keep registrations waiting', async t => {
  const { clock, call, pass } = await afterPause()
  const page = call(7_500)
  await pass(10)
  const startedMs = clock.monotonicMs()
  const others = Promise.all(Array.from({ length: 20 }, async () => { await call(100); return clock.monotonicMs() - startedMs }))
  await pass(8_000)
  const times = await others
  t.ok(Math.max(...times) < 2_000, `the last after ${Math.max(...times)} ms`)
  t.equal(await page, 'passed')
})
