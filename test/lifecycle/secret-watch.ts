// Promise 3 under observation: while a client's secret is replaced, one that works must exist at every moment.
import { setTimeout as delay } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Answer, TestBroker } from '../support/broker.ts'
import { ourApplications, secretWorks } from '../support/entra-truth.ts'

const POLL_MS = 40
const PATIENCE_MS = 30_000

export interface SecretWatch {
  /** Rotates the secret; the new one is watched from the answer on. */
  rotate (): Promise<Answer & { tookMs: number }>
  /** Whether this secret works now. */
  works (secret: string): Promise<boolean>
  /** Resolves in milliseconds since the beginning of the watch, when the token endpoint refuses (accepts) the secret. */
  refused (secret: string, withinMs?: number): Promise<number>
  accepted (secret: string, withinMs?: number): Promise<number>
  /** Ends the watch. Resolves to the moments without a valid secret, as sentences. */
  end (): Promise<string[]>
}

/**
 * Asks the token endpoint all the time. While a rotation is under way its secret is nobody's yet; then a password counts that
 * has been in Entra for longer than `secretDelayMs`, by the request that made it: the watch may have seen it later.
 */
export function watchSecrets (t: Test, { simulator, konnect }: TestBroker, clientId: string, first: string): SecretWatch {
  const startedMs = performance.now()
  const sinceStart = (): number => Math.round(performance.now() - startedMs)
  const known = new Set([first])
  const addedAtMs = new Map<string, number>()
  const moments: string[] = []
  const stopping = new AbortController()
  let underWay = 0

  const isAged = (keyId: string): boolean => Date.now() - (addedAtMs.get(keyId) ?? Infinity) >= simulator.control.lag().secretDelayMs
  const newestAddition = (): number => Math.max(...simulator.control.journal.entries({ method: 'POST', path: '/addPassword$' }).map(({ at }) => Date.parse(at)))

  async function look (): Promise<void> {
    const passwords = ourApplications(simulator).find(({ appId }) => appId === clientId)?.passwordCredentials ?? []
    // What was there before the watch has replicated.
    for (const { keyId } of passwords) if (!addedAtMs.has(keyId)) addedAtMs.set(keyId, addedAtMs.size === 0 ? -Infinity : newestAddition())
    const between = underWay > 0 && passwords.some(({ keyId }) => isAged(keyId))
    const worked = await Promise.all([...known].map(secret => secretWorks(simulator, clientId, secret)))
    if (!worked.includes(true) && !between) moments.push(`no valid secret at ${sinceStart()} ms`)
  }

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await look()
      await delay(POLL_MS)
    }
  })()

  async function until (wanted: boolean, secret: string, withinMs: number): Promise<number> {
    const signal = AbortSignal.timeout(withinMs)
    while (await secretWorks(simulator, clientId, secret) !== wanted) await delay(POLL_MS, undefined, { signal })
    return sinceStart()
  }

  async function end (): Promise<string[]> {
    stopping.abort()
    await watching
    return moments
  }

  t.teardown(end)
  return {
    async rotate () {
      const beganMs = performance.now()
      underWay += 1
      try {
        const answer = await konnect('POST', `/${clientId}/new-secret`)
        if (answer.status === 200) known.add(answer.body.client_secret)
        return { ...answer, tookMs: performance.now() - beganMs }
      } finally {
        underWay -= 1
      }
    },
    works: secret => secretWorks(simulator, clientId, secret),
    refused: (secret, withinMs = PATIENCE_MS) => until(false, secret, withinMs),
    accepted: (secret, withinMs = PATIENCE_MS) => until(true, secret, withinMs),
    end
  }
}
