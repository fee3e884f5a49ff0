// A clock that stands still until it is moved by hand.
import type { Clock } from '../../src/registration/ports.ts'

export interface HandClock {
  clock: Clock
  /** Moves the clock, and lets whoever wakes meanwhile do what he has to. */
  pass (ms: number): Promise<void>
}

export function openClock (): HandClock {
  let nowMs = 0
  const sleepers = new Set<{ atMs: number, wake: (elapsed: boolean) => void }>()
  const settle = async (): Promise<void> => { await new Promise(resolve => setImmediate(resolve)) }
  return {
    clock: {
      now: () => new Date(nowMs),
      monotonicMs: () => nowMs,
      sleep: async (ms, signal) => await new Promise<boolean>(resolve => {
        if (signal?.aborted === true) return resolve(false)
        const sleeper = { atMs: nowMs + ms, wake: resolve }
        sleepers.add(sleeper)
        signal?.addEventListener('abort', () => { if (sleepers.delete(sleeper)) resolve(false) })
      }),
      alarm (ms, ring) {
        const sleeper = { atMs: nowMs + ms, wake: ring }
        sleepers.add(sleeper)
        return () => { sleepers.delete(sleeper) }
      },
      random: () => 0.5,
      uuid: () => '00000000-0000-7000-8000-000000000000'
    },
    async pass (ms) {
      const untilMs = nowMs + ms
      await settle()
      for (;;) {
        const next = [...sleepers].filter(({ atMs }) => atMs <= untilMs).sort((one, other) => one.atMs - other.atMs)[0]
        if (next === undefined) break
        nowMs = next.atMs
        sleepers.delete(next)
        next.wake(true)
        await settle()
      }
      nowMs = untilMs
    }
  }
}
