// Time and chance from the system: the only place where the core's clock meets the real one.
import { setTimeout as delay } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import type { Clock } from './registration/ports.ts'

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  async sleep (ms, signal) {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal })
      return true
    } catch {
      return false
    }
  },
  random: () => Math.random(),
  uuid: () => uuidv7()
}
