// Making a client: one reserve, the saga, one activate; and the answer of a registration that is open already.
import { actorOf, type Call } from './access.ts'
import type { Core } from './core.ts'
import type { Deadline } from './deadline.ts'
import { FLUSH_INTERVAL_MS, type Deliveries } from './deliveries.ts'
import { LeaseLostError, RegistrationError } from './errors.ts'
import { busy, toRegistrationError } from './failures.ts'
import { isBeingMade } from './lifecycle.ts'
import { Operation } from './operation.ts'
import { answerOf, outcomeToSend, POLL_MS, UnansweredError, type RegisteredClient } from './registered-client.ts'
import { DirectoryError, type Reservation } from './ports.ts'
import type { AuditEntry, NewRegistration, Registration } from './registration.ts'
import { run } from './saga.ts'
import { sharedAnswer } from './shared-client.ts'
import type { Turn } from './traffic/turn.ts'
import { LARGEST_TURN } from './traffic/write-queue.ts'

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
  const { deliveries, ports: { clock, directories } } = core
  const startedAtMs = clock.monotonicMs() - (call.elapsedMs ?? 0)
  // A tenant in which the broker can't act at all: nothing is begun there. Throws DirectoryError.
  directories.of(entry.providerId)
  // The registration of the same request whose answer had been delivered when this one began.
  let closedId: string | null = null
  for (;;) {
    const begun = await begin(core, entry, closedId, call, deadline)
    if (begun.kind === 'refused') throw quotaReached(begun.quota)
    // In two seconds every replica knows, and what is in its place.
    if (begun.kind === 'unserved') throw new RegistrationError('temporarily_unavailable', 'The configuration has just changed.', { retryAfterSeconds: 2 })
    if (begun.kind === 'reserved') {
      const operation = new Operation(core, begun.held, deadline, actorOf(call), { resumed: false, turn: begun.turn })
      return { client: await make(core, operation, deadline), isNew: true }
    }
    const { openId, deliveredMsAgo } = begun
    // Reckoned from the end of the statement, however long it waited: in doubt the request came before.
    if (openId !== null && deliveredMsAgo !== null && startedAtMs > clock.monotonicMs() - deliveredMsAgo) {
      closedId = openId
      continue
    }
    const client = openId === null ? null : await answerOfOpen(core, entry, openId, startedAtMs, call, deadline)
    if (client !== null) return { client, isNew: false }
    if (openId !== null && wasDeliveredBefore(deliveries, openId, startedAtMs)) closedId = openId
    if (deadline.remainingMs() < 2 * POLL_MS) throw busy()
    await clock.sleep(POLL_MS)
  }
}

type Begun = Exclude<Reservation, { kind: 'reserved' }> | Extract<Reservation, { kind: 'reserved' }> & { turn: Turn }

// The turn is asked for before the row is there: what the tenant has no room for leaves nothing behind. A repeat needs no turn.
async function begin (core: Core, entry: NewRegistration, closedId: string | null, call: Call, deadline: Deadline): Promise<Begun> {
  const { store } = core.ports
  let turn: Turn
  try {
    turn = core.traffic.join(entry.providerId, actorOf(call).id, writesOf(entry), deadline)
  } catch (error) {
    // The same request may be about to commit its row.
    await core.beginning.get(requestOf(entry))?.catch(() => {})
    const open = await store.findOpen(entry, closedId)
    if (open === null) throw noRoom(error)
    return open
  }
  const reserving = store.reserve(entry, [reservedNote(core, entry, call)], closedId)
  core.beginning.set(requestOf(entry), reserving)
  try {
    const reservation = await reserving
    if (reservation.kind === 'reserved') return { ...reservation, turn }
    turn.end()
    return reservation
  } catch (error) {
    turn.end()
    throw error
  } finally {
    if (core.beginning.get(requestOf(entry)) === reserving) core.beginning.delete(requestOf(entry))
  }
}

function requestOf ({ id, callerId, fingerprint, sharingKey }: NewRegistration): string {
  return JSON.stringify([callerId, fingerprint ?? sharingKey ?? id])
}

/** Application, principal, and a password if it has one. */
function writesOf ({ credentialId }: NewRegistration): number {
  return credentialId === null ? LARGEST_TURN - 1 : LARGEST_TURN
}

function noRoom (error: unknown): unknown {
  if (!(error instanceof DirectoryError)) return error
  return new RegistrationError('throttled_upstream', 'More is asked of this Entra tenant than it lets through at the moment. Nothing was begun; repeat the request then.', {
    cause: error, retryAfterSeconds: Math.max(1, Math.ceil((error.retryAfterMs ?? 0) / 1_000))
  })
}

async function make (core: Core, operation: Operation, deadline: Deadline): Promise<RegisteredClient> {
  const { registration } = operation
  try {
    await run(operation)
    return await answerOf(core, registration)
  } catch (error) {
    // Another replica took the row over: it finishes the work, we wait for it.
    if (error instanceof LeaseLostError) return await outcomeToSend(core, registration.id, deadline)
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
  if (wasDeliveredBefore(deliveries, open.id, startedAtMs)) {
    await deliveries.flush()
    return null
  }
  // Answered a moment ago, here or by another replica, and perhaps delivered: the mark is on the way.
  if (!isBeingMade(open) && open.delivery === 'pending' && before === null) await clock.sleep(MARK_GRACE_MS)
  // Who came while the first request was under way gets its answer, even if that has been delivered since.
  const joined = isBeingMade(open) || open.delivery === 'delivered' || deliveries.seen(open.id)?.outcome === 'delivered'
  if (!await store.extendWindow(open.id) && !joined) return null
  return await outcomeToSend(core, open.id, deadline)
}

/** As this process knows for certain. */
function wasDeliveredBefore (deliveries: Deliveries, registrationId: string, startedAtMs: number): boolean {
  const answer = deliveries.seen(registrationId)
  return answer?.outcome === 'delivered' && answer.atMs < startedAtMs
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
