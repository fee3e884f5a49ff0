// Time and chance from the system: the only place where the core's clock meets the real one.
import { v7 as uuidv7 } from 'uuid'
import type { Clock } from './registration/ports.ts'

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  // Most sleeps are deadlines that are called off: one of timers/promises makes an error for each of those, with its stack.
  sleep: (ms, signal) => new Promise(resolve => {
    if (signal?.aborted === true) return resolve(false)
    const wake = (): void => {
      clearTimeout(timer)
      resolve(false)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', wake)
      resolve(true)
    }, ms)
    signal?.addEventListener('abort', wake, { once: true })
  }),
  alarm (ms, ring) {
    const timer = setTimeout(ring, ms)
    return () => { clearTimeout(timer) }
  },
  random: () => Math.random(),
  uuid: () => uuidv7()
}
