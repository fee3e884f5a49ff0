// When a program that has just been started is ready.
import type { ChildProcess } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'

const START_TIMEOUT_MS = 60_000
/** Start-up is measured by it: so it is short. */
const POLL_MS = 5

/** Asks until the answer is 2xx. @throws {Error} when the program ends or takes more than a minute */
export async function untilReady (url: string, child: ChildProcess): Promise<void> {
  const signal = AbortSignal.timeout(START_TIMEOUT_MS)
  while (!await fetch(url, { signal }).then(response => response.ok, () => false)) {
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}`)
    await wait(POLL_MS, undefined, { signal })
  }
}
