// A registered client as its owner sees it, and the wait for one that somebody is making.
import type { Core } from './core.ts'
import type { Deadline } from './deadline.ts'
import { RegistrationError } from './errors.ts'
import { errorOfFault } from './failures.ts'
import { isBeingMade, isValid, needsSecret, newestActive } from './lifecycle.ts'
import type { Registration } from './registration.ts'
import { secretPlace } from './secrets.ts'

/** How often a waiting repeat looks at the row. */
export const POLL_MS = 60

export interface RegisteredClient {
  registration: Registration
  clientId: string
  /** Null: a client without a secret, or one whose policy shows it once only. */
  clientSecret: string | null
  issuedAt: Date
  secretExpiresAt: Date | null
  /** The registration access token; null: nobody manages the client over RFC 7592. */
  managementToken: string | null
}

/** The answer of a failed create still belongs to a registration: its surface marks it as not delivered. */
export class UnansweredError extends Error {
  readonly registrationId: string

  constructor (registrationId: string, cause: unknown) {
    super('The registration did not finish before the deadline', { cause })
    this.registrationId = registrationId
  }
}

/** The client as its owner sees it. `clientSecret` is null when there is none that is valid and kept. @throws VaultError */
export async function answerOf (core: Core, registration: Registration): Promise<RegisteredClient> {
  if (registration.clientId === null) throw new Error(`Registration ${registration.id} has no client id to answer`)
  const { vault, clock } = core.ports
  const newest = newestActive(registration)
  const credential = newest !== undefined && isValid(newest, clock.now()) ? newest : null
  const sealed = credential?.sealed ?? null
  return {
    registration,
    clientId: registration.clientId,
    clientSecret: credential === null || sealed === null ? null : await vault.open(sealed, secretPlace(credential.id)),
    issuedAt: registration.createdAt,
    secretExpiresAt: credential?.expiresAt ?? null,
    managementToken: null
  }
}

/**
 * Waits until somebody has finished this registration. A refusal is no word on the answers of others: whether those arrived is theirs to say.
 * @throws RegistrationError
 */
export async function outcomeOf (core: Core, registrationId: string, deadline: Deadline): Promise<RegisteredClient> {
  for (;;) {
    const registration = await core.ports.store.find(registrationId)
    if (registration !== null && registration.state === 'active') return await answerOf(core, registration)
    if (registration === null || !isBeingMade(registration)) throw errorOfFault(registration?.lastFault ?? null)
    if (deadline.remainingMs() < 2 * POLL_MS) {
      throw new RegistrationError('temporarily_unavailable', 'The registration is still under way. Repeat the same request.', { retryAfterSeconds: 5 })
    }
    await core.ports.clock.sleep(POLL_MS)
  }
}

/**
 * The same for a request that is going to send the answer. Another request for it may have been refused, and marked so, while this one
 * waited: from here on nobody knows again whether the answer arrives, and the end of the window must not undo it.
 */
export async function outcomeToSend (core: Core, registrationId: string, deadline: Deadline): Promise<RegisteredClient> {
  const client = await outcomeOf(core, registrationId, deadline)
  if (client.registration.delivery !== 'not_delivered' || await core.ports.store.extendWindow(registrationId)) return client
  // Its window has closed in this moment: received by somebody, or undone.
  return await outcomeOf(core, registrationId, deadline)
}

/**
 * The client that an earlier request has begun under this id; null: it had not come so far. Nobody else may have received it: it is
 * answered whatever became of the first answer, once it is made.
 * @throws RegistrationError; answer_void when its secret is not kept any more
 */
export async function begunClient (core: Core, registrationId: string, deadline: Deadline): Promise<RegisteredClient | null> {
  const { store } = core.ports
  if (await store.find(registrationId) === null) return null
  // It is asked for: what nobody asks for is undone when its window ends.
  await store.extendWindow(registrationId)
  const client = await outcomeToSend(core, registrationId, deadline)
  if (client.clientSecret === null && needsSecret(client.registration)) throw new RegistrationError('answer_void', 'The secret of the client was shown once. Use a new Idempotency-Key to register another.')
  return client
}
