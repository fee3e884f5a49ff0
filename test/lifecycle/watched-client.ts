// A broker with one client that has had its secret for a minute, under observation.
import type { Test } from 'tap'
import { konnectApplication, startTestBroker, type TestBroker } from '../support/broker.ts'
import { watchSecrets, type SecretWatch } from './secret-watch.ts'

const AGE_MS = 60_000

/** Chapter 4's numbers, smaller: a rotation proves for 1.6 s, an unproved one is over after 15 s. */
export const SHORT_TIMES = {
  REQUEST_DEADLINE_MS: '3000', ATTEMPT_TIMEOUT_MS: '1000', LEASE_MS: '6100', RESUME_SCAN_MS: '100', SUPERSEDED_GRACE_MS: '15000'
}

/** For secrets that Entra knows at once: the deadline decides nothing, and a busy machine has time. */
export const UNHURRIED = { ...SHORT_TIMES, REQUEST_DEADLINE_MS: '8000' }

export interface WatchedClient extends TestBroker {
  clientId: string
  secret: string
  watch: SecretWatch
}

/** `secretDelayMs` is for the secrets that come; the first one has replicated. */
export async function startWatchedClient (
  t: Test, secretDelayMs: number, environment: Record<string, string> = secretDelayMs === 0 ? UNHURRIED : SHORT_TIMES
): Promise<WatchedClient> {
  let behindMs = AGE_MS
  const broker = await startTestBroker(t, { environment, simulator: { now: () => Date.now() - behindMs } })
  const { body: { client_id: clientId, client_secret: secret } } = await broker.konnect('POST', '', konnectApplication())
  behindMs = 0
  broker.simulator.control.lag({ secretDelayMs })
  return { ...broker, clientId, secret, watch: watchSecrets(t, broker, clientId, secret) }
}
