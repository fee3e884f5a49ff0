// Making a client: one reserve, the saga, one activate; and the answer of a registration that is open already.
import { actorOf, type Call } from './access.ts'
import type { Core } from './core.ts'
import type { Deadline } from './deadline.ts'
import { FLUSH_INTERVAL_MS } from './deliveries.ts'
import { LeaseLostError, RegistrationError } from './errors.ts'
import { busy, toRegistrationError } from './failures.ts'
import { isBeingMade } from './lifecycle.ts'
import { Operation } from './operation.ts'
import { answerOf, outcomeOf, POLL_MS, UnansweredError, type RegisteredClient } from './registered-client.ts'
import type { AuditEntry, NewRegistration, Registration } from './registration.ts'
import { run } from './saga.ts'
import { sharedAnswer } from './shared-client.ts'

/** A mark of another replica is written within this time of its answer. */
const MARK_GRACE_MS = FLUSH_INTERVAL_MS * 4

/** How a client came to be answered. */
export interface Made {
  client: RegisteredClient
  /** False: it is the client of another request, by the same fingerprint or sharing key. */
  isNew: boolean
}

/** @throws RegistrationError; UnansweredError around one when a registration was left behind that goes on */
export async function makeClient (core: Core, entry: NewRegistration, call: Call, deadline: Deadline): Promise<Made> {
  const startedAtMs = core.ports.clock.monotonicMs()
  // A tenant in which the broker can't act at all: nothing is begun there. Throws DirectoryError.
  core.ports.directories.of(entry.providerId)
  for (;;) {
    const reservation = await core.ports.store.reserve(entry, [reservedNote(core, entry, call)])
    if (reservation.kind === 'refused') throw quotaReached(reservation.quota)
    if (reservation.kind === 'reserved') {
      const options = { resumed: false, paidTurnInMs: reservation.waitMs }
      const operation = new Operation(core, reservation.held, deadline, actorOf(call), options)
      return { client: await make(core, operation, deadline), isNew: true }
    }
    const client = reservation.openId === null ? null : await answerOfOpen(core, entry, reservation.openId, startedAtMs, call, deadline)
    if (client !== null) return { client, isNew: false }
    if (deadline.remainingMs() < 2 * POLL_MS) throw busy()
    await core.ports.clock.sleep(POLL_MS)
  }
}

async function make (core: Core, operation: Operation, deadline: Deadline): Promise<RegisteredClient> {
  const { registration } = operation
  try {
    await run(operation)
    return await answerOf(core, registration)
  } catch (error) {
    // Another replica took the row over: it finishes the work, we wait for it.
    if (error instanceof LeaseLostError) return await outcomeOf(core, registration.id, deadline)
    throw new UnansweredError(registration.id, toRegistrationError(error))
  }
}

async function answerOfOpen (
  core: Core, entry: NewRegistration, openId: string, startedAtMs: number, call: Call, deadline: Deadline
): Promise<RegisteredClient | null> {
  const open = await core.ports.store.find(openId)
  if (open === null) return null
  return entry.sharingKey !== null && open.sharingKey === entry.sharingKey
    ? await sharedAnswer(core, openId, call, deadline)
    : await repeatAnswer(core, open, startedAtMs, deadline)
}

/**
 * The answer of the open registration with the same fingerprint. Null: its answer had arrived before this request began (then this
 * is a new registration), or it is being undone.
 */
async function repeatAnswer (core: Core, open: Registration, startedAtMs: number, deadline: Deadline): Promise<RegisteredClient | null> {
  const { deliveries, ports: { store, clock } } = core
  const before = deliveries.seen(open.id)
  if (before?.outcome === 'delivered' && before.atMs < startedAtMs) {
    await deliveries.flush()
    return null
  }
  // Answered a moment ago, here or by another replica, and perhaps delivered: the mark is on the way.
  if (!isBeingMade(open) && open.delivery === 'pending' && before === null) await clock.sleep(MARK_GRACE_MS)
  // Who came while the first request was under way gets its answer, even if that has been delivered since.
  const joined = isBeingMade(open) || deliveries.seen(open.id)?.outcome === 'delivered'
  if (!await store.extendWindow(open.id) && !joined) return null
  return await outcomeOf(core, open.id, deadline)
}

function quotaReached (quota: 'caller' | 'policy'): RegistrationError {
  return new RegistrationError('registration_quota', quota === 'caller'
    ? 'This token has made as many registrations as it may.'
    : 'There are as many clients as the policy allows. Delete one, or ask the operator for more.')
}

function reservedNote (core: Core, entry: NewRegistration, call: Call): AuditEntry {
  return {
    id: core.ports.clock.uuid(),
    at: entry.createdAt,
    actor: call.caller.id,
    action: 'registration.reserved',
    outcome: 'succeeded',
    registrationId: entry.id,
    providerId: entry.providerId,
    requestId: call.requestId,
    sourceAddress: call.sourceAddress ?? null,
    detail: { surface: entry.surface, client_name: entry.metadata.clientName }
  }
}
