// A sleep that two can end: who is waited for, and whoever stops the work.
import type { Clock } from '../ports.ts'

/** `signal` may live as long as the process: it keeps nothing of a sleep that is over. */
export async function sleepUntilWoken (clock: Pick<Clock, 'sleep'>, ms: number, wake: AbortController, signal: AbortSignal | undefined): Promise<void> {
  const stop = (): void => wake.abort('woken')
  if (signal?.aborted === true) return
  signal?.addEventListener('abort', stop, { once: true })
  await clock.sleep(ms, wake.signal)
  signal?.removeEventListener('abort', stop)
}
