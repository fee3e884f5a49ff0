// Replicas side by side, on one database and one keyring, and callers that come again.
import type { Test } from 'tap'
import { startTestBroker, type Answer, type TestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'

/** Times short enough to wait for. */
export const BRISK = { REQUEST_DEADLINE_MS: '4000', ATTEMPT_TIMEOUT_MS: '1000', LEASE_MS: '6500', RESUME_SCAN_MS: '100' }

/** The statement that keeps an answer. */
export const KEEP = /UPDATE idempotency_record SET state = 'answered'/

export const keyed = (key: string): Record<string, string> => ({ 'idempotency-key': key })

/** A second replica beside the first. */
export async function another (t: Test, { simulator, database, settings }: TestBroker, environment: Record<string, string> = {}): Promise<TestBroker> {
  return await startTestBroker(t, { simulator, database, environment: { ...environment, ENCRYPTION_KEYRING_FILE: settings.keyringFile } })
}

/** Sends again while the answer is that the work goes on. */
export async function untilServed (send: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined
  await eventually('the registration is answered', async () => {
    answer = await send()
    return answer.status !== 503
  }, 40_000)
  return answer as Answer
}
