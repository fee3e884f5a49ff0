// Waiting for what the broker does in its own time: a condition is looked at until it holds, never a fixed time slept.
import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 25

/** Resolves with the first value that is neither false, null nor undefined; rejects after `withinMs` with what was waited for. */
export async function eventually<T> (what: string, look: () => T | Promise<T>, withinMs = 20_000): Promise<Exclude<T, false | null | undefined>> {
  const endsAtMs = performance.now() + withinMs
  for (;;) {
    const found = await look()
    if (found !== false && found !== null && found !== undefined) return found as Exclude<T, false | null | undefined>
    if (performance.now() > endsAtMs) throw new Error(`Not within ${withinMs} ms: ${what}`)
    await delay(POLL_MS)
  }
}
