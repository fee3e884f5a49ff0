// Who may see which registration (promise 6), and how one is taken hold of.
import { adoptClient } from './adoption.ts'
import type { Actor, Core } from './core.ts'
import { deadlineIn, earlier, type Deadline } from './deadline.ts'
import { RegistrationError } from './errors.ts'
import { busy } from './failures.ts'
import { isBeingMade, isGone } from './lifecycle.ts'
import { Operation } from './operation.ts'
import type { Caller, Registration } from './registration.ts'

/** Left of a deadline for the commit and the answer after the last Graph call. */
const ANSWER_RESERVE_MS = 400
const LOCK_POLL_MS = 50

/** One request of one caller. */
export interface Call {
  caller: Caller
  requestId: string
  /** Where the request came from, for the audit. */
  sourceAddress?: string | null
  /** What of its deadline the request has spent before the use case; 0 when it is left out. */
  elapsedMs?: number
  /** Who acts, for the audit, when it is not the caller whose clients these are. */
  actor?: string
  /** Of the idempotency key that the request has shown: its own answer outlives the change it makes. */
  idempotencyRecordId?: string | null
}

/** How a caller names a client: by Entra's appId at his provider, or by the id of its registration. */
export type ClientName = { clientId: string } | { registrationId: string }

/** All keys of a provider stand for the same Konnect (they rotate); everybody else sees what he registered himself. */
export function isVisible (registration: Registration, caller: Caller): boolean {
  if (caller.providerId !== null && caller.providerId !== registration.providerId) return false
  if (caller.kind === 'operator') return true
  if (caller.kind === 'konnect') return registration.surface === 'konnect'
  return registration.callerId === caller.id
}

export function unknownClient (): RegistrationError {
  return new RegistrationError('unknown_client', 'There is no such client.')
}

/** Who acts in a call, for the audit. */
export function actorOf ({ caller, requestId, sourceAddress = null, actor = caller.id }: Call): Actor {
  return { id: actor, requestId, sourceAddress }
}

/** The caller's client, whatever became of it; null when it is not there or not his. */
export async function findClient ({ ports: { store }, deliveries }: Core, name: ClientName, { caller }: Pick<Call, 'caller'>): Promise<Registration | null> {
  if ('registrationId' in name) {
    const registration = await store.find(name.registrationId)
    return registration !== null && isVisible(registration, caller) ? registration : null
  }
  // The same appId may stand at several providers.
  if (caller.providerId === null) return null
  const registration = await store.findByClientId(caller.providerId, name.clientId)
  if (registration === null || !isVisible(registration, caller)) return null
  // A client id is random and only in the answer: whoever names it has received it.
  if (registration.delivery !== 'delivered') deliveries.mark(registration.id, 'delivered')
  return registration
}

/** The caller's living client; one of Konnect's that an operator lets the broker adopt is adopted now. @throws RegistrationError unknown_client */
export async function getClient (core: Core, name: ClientName, call: Call): Promise<Registration> {
  const registration = await findClient(core, name, call) ?? await adoptClient(core, name, call, workDeadline(core, call))
  if (registration === null || isGone(registration)) throw unknownClient()
  return registration
}

/** When the work of a request has to stop, so that its answer leaves in time. */
export function workDeadline (core: Core, { elapsedMs = 0 }: Pick<Call, 'elapsedMs'>): Deadline {
  return earlier(deadlineIn(core.settings.requestDeadlineMs - elapsedMs, core.ports.clock), ANSWER_RESERVE_MS)
}

/**
 * Takes the row's lease, waiting for whoever holds it.
 * @param changes false: what is answered about the client stays true
 * @throws RegistrationError busy at the deadline
 */
export async function takeHold (core: Core, registrationId: string, call: Call, deadline: Deadline, changes = true): Promise<Operation> {
  const { ports } = core
  for (;;) {
    const held = await ports.store.acquire(registrationId)
    if (held !== null) {
      // Of one that is still being made nobody has an answer to lose.
      const voidsAnswers = !changes || isBeingMade(held.registration) ? undefined : { except: call.idempotencyRecordId ?? null }
      return new Operation(core, held, deadline, actorOf(call), { resumed: isLeftUnfinished(held.registration), voidsAnswers })
    }
    if (deadline.remainingMs() < 2 * LOCK_POLL_MS) throw busy()
    await ports.clock.sleep(LOCK_POLL_MS * (1 + ports.clock.random()))
  }
}

// An operation that died may have left a password in Entra that the row does not know.
function isLeftUnfinished (registration: Registration): boolean {
  return registration.strayCheckAt !== null || registration.credentials.some(({ state }) => state === 'pending' || state === 'issued')
}

/**
 * Takes hold of a living client for a change; with `orNeverLinked` also of one that is disabled because nobody had linked it.
 * @throws RegistrationError unknown_client, drifted, busy
 */
export async function takeHoldOfClient (
  core: Core, name: ClientName, call: Call, deadline: Deadline, { orNeverLinked = false } = {}
): Promise<Operation> {
  const registration = await getClient(core, name, call)
  const operation = await takeHold(core, registration.id, call, deadline)
  // What was read before the lease may be over by now.
  const { state, disabledBy } = operation.registration
  if (state === 'active' || (orNeverLinked && state === 'disabled' && disabledBy === 'never_linked')) return operation
  await operation.release()
  if (state === 'drifted') throw new RegistrationError('drifted', 'The application no longer exists in Entra ID: it was deleted there.')
  if (state === 'disabled') throw new RegistrationError('not_permitted', 'The client is disabled. Its operator can enable it.')
  throw unknownClient()
}
