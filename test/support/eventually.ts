// Waits for something that another process or the background brings about. The condition decides, not the time.
import { setTimeout as delay } from 'node:timers/promises'

const LOOK_EVERY_MS = 25

/** Resolves once the condition holds; rejects with its name when `withinMs` is over. */
export async function eventually (name: string, condition: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  const startedAt = performance.now()
  while (!await condition()) {
    if (performance.now() - startedAt > withinMs) throw new Error(`Not within ${withinMs} ms: ${name}`)
    await delay(LOOK_EVERY_MS)
  }
}
