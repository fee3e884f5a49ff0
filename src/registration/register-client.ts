// Use case: a new client. One reserve, three Graph calls, one activate; a repeat within the window gets the same answer.
import { workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import type { Deadline } from './deadline.ts'
import { FLUSH_INTERVAL_MS } from './deliveries.ts'
import { LeaseLostError, RegistrationError } from './errors.ts'
import { busy, errorOfFault, toRegistrationError } from './failures.ts'
import { isBeingMade, newestActive } from './lifecycle.ts'
import { Operation } from './operation.ts'
import type { AuditEntry, ClientMetadata, KonnectContext, Registration, Surface } from './registration.ts'
import { run } from './saga.ts'
import { secretPlace } from './secrets.ts'
import { acceptName, acceptText } from './client-name.ts'
import { acceptRedirectUris } from './redirect-uris.ts'
import { translate } from './translation.ts'

/** How often a waiting repeat looks at the row. */
const POLL_MS = 60
/** A mark of another replica is written within this time of its answer. */
const MARK_GRACE_MS = FLUSH_INTERVAL_MS * 4

export interface RegisterClient {
  surface: Surface
  metadata: ClientMetadata
  konnect: KonnectContext | null
  verification: boolean
  /** Digest of the request, by which a repeat is recognised; null: never. */
  fingerprint: string | null
}

export interface RegisteredClient {
  registration: Registration
  clientId: string
  clientSecret: string
  issuedAt: Date
  secretExpiresAt: Date
}

/** The answer of a failed create still belongs to a registration: its surface marks it as not delivered. */
export class UnansweredError extends Error {
  readonly registrationId: string

  constructor (registrationId: string, cause: unknown) {
    super('The registration did not finish before the deadline', { cause })
    this.registrationId = registrationId
  }
}

/** @throws RegistrationError; UnansweredError around one when a registration was left behind that goes on */
export async function registerClient (core: Core, command: RegisterClient, call: Call): Promise<RegisteredClient> {
  const startedAtMs = core.ports.clock.monotonicMs()
  const deadline = workDeadline(core)
  const entry = prepare(core, command, call)
  for (;;) {
    const reservation = await core.ports.store.reserve(entry, [reservedNote(core, entry, call)])
    if (reservation.held !== null) {
      const options = { resumed: false, paidTurnInMs: reservation.waitMs }
      const operation = new Operation(core, reservation.held, deadline, { id: call.caller.id, requestId: call.requestId }, options)
      return await make(core, operation, deadline)
    }
    const answer = reservation.openId === null ? null : await repeatAnswer(core, reservation.openId, startedAtMs, deadline)
    if (answer !== null) return answer
    if (deadline.remainingMs() === 0) throw busy()
  }
}

function prepare (core: Core, command: RegisterClient, call: Call) {
  const { ports } = core
  const providerId = call.caller.providerId
  if (providerId === null) throw new RegistrationError('invalid_request', 'The caller is not bound to a provider.')
  const metadata = {
    ...command.metadata,
    clientName: acceptName('client_name', command.metadata.clientName),
    description: command.metadata.description === null ? null : acceptText('description', command.metadata.description),
    redirectUris: acceptRedirectUris(command.metadata.redirectUris)
  }
  const id = ports.clock.uuid()
  const strategy = strategyFor(core, providerId, command.konnect, id)
  return {
    ...command,
    id,
    metadata,
    providerId,
    strategyId: strategy.id,
    callerId: call.caller.id,
    projection: translate(metadata, strategy, { registrationId: id, installationId: ports.catalogue.installationId() }),
    credentialId: ports.clock.uuid(),
    createdAt: ports.clock.now()
  }
}

// Konnect's id within the key's provider, else the provider's default strategy, which always exists.
function strategyFor (core: Core, providerId: string, konnect: KonnectContext | null, registrationId: string) {
  const { catalogue, log } = core.ports
  const wanted = konnect?.authStrategyId ?? null
  if (wanted === null) return catalogue.defaultStrategy(providerId)
  const known = catalogue.strategyOfKonnect(providerId, wanted)
  if (known !== null) return known
  log.warn({ registrationId, providerId, konnectAuthStrategyId: wanted }, 'Unknown Konnect auth strategy: the provider\'s default is used')
  return catalogue.defaultStrategy(providerId)
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

/**
 * The answer of the open registration with the same fingerprint. Null: its answer had arrived before this request began (then this
 * is a new registration), or it is being undone.
 */
async function repeatAnswer (core: Core, openId: string, startedAtMs: number, deadline: Deadline): Promise<RegisteredClient | null> {
  const { deliveries, ports: { store, clock } } = core
  const before = deliveries.seen(openId)
  if (before?.outcome === 'delivered' && before.atMs < startedAtMs) {
    await deliveries.flush()
    return null
  }
  const open = await store.find(openId)
  if (open === null) return null
  // Answered a moment ago, here or by another replica, and perhaps delivered: the mark is on the way.
  if (!isBeingMade(open) && open.delivery === 'pending' && before === null) await clock.sleep(MARK_GRACE_MS)
  // Who came while the first request was under way gets its answer, even if that has been delivered since.
  const joined = isBeingMade(open) || deliveries.seen(openId)?.outcome === 'delivered'
  if (!await store.extendWindow(openId) && !joined) return null
  return await outcomeOf(core, openId, deadline)
}

/** Waits until somebody has finished this registration. @throws UnansweredError, RegistrationError */
async function outcomeOf (core: Core, registrationId: string, deadline: Deadline): Promise<RegisteredClient> {
  for (;;) {
    const registration = await core.ports.store.find(registrationId)
    if (registration !== null && registration.state === 'active') return await answerOf(core, registration)
    if (registration === null || !isBeingMade(registration)) throw errorOfFault(registration?.lastFault ?? null)
    if (deadline.remainingMs() < 2 * POLL_MS) {
      const late = new RegistrationError('temporarily_unavailable', 'The registration is still under way. Repeat the same request.', { retryAfterSeconds: 5 })
      throw new UnansweredError(registrationId, late)
    }
    await core.ports.clock.sleep(POLL_MS)
  }
}

async function answerOf (core: Core, registration: Registration): Promise<RegisteredClient> {
  const credential = newestActive(registration)
  if (credential === undefined || credential.sealed === null || credential.expiresAt === null || registration.clientId === null) {
    throw new Error(`Registration ${registration.id} is active without a secret to answer`)
  }
  return {
    registration,
    clientId: registration.clientId,
    clientSecret: await core.ports.vault.open(credential.sealed, secretPlace(credential.id)),
    issuedAt: registration.createdAt,
    secretExpiresAt: credential.expiresAt
  }
}

function reservedNote (core: Core, entry: ReturnType<typeof prepare>, call: Call): AuditEntry {
  return {
    id: core.ports.clock.uuid(),
    at: entry.createdAt,
    actor: call.caller.id,
    action: 'registration.reserved',
    outcome: 'succeeded',
    registrationId: entry.id,
    providerId: entry.providerId,
    requestId: call.requestId,
    detail: { surface: entry.surface, client_name: entry.metadata.clientName }
  }
}
