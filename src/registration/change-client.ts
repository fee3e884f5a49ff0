// Use cases: Konnect's events about a client. A change of its metadata goes to Entra; product links are recorded.
import { takeHoldOfClient, workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import { acceptName, acceptText } from './client-name.ts'
import type { Operation } from './operation.ts'
import { DirectoryError } from './ports.ts'
import { acceptRedirectUris } from './redirect-uris.ts'
import type { ClientMetadata, DirectoryApplication, ProductEvent } from './registration.ts'
import { run, stopOnError } from './saga.ts'
import { sameProjection, translate } from './translation.ts'

export interface ClientEvent {
  type: string
  applicationId: string | null
  productId: string | null
  audience: string | null
  /** Digest of the event: a repeat is recognised by it. */
  digest: string
}

/** Members that are absent stay as they are. */
export interface MetadataChange {
  clientName?: string
  description?: string | null
  redirectUris?: string[]
}

/** Desired is committed first, then Entra gets the whole projection, then applied is committed. The same change twice is harmless. */
export async function updateClient (core: Core, clientId: string, change: MetadataChange, event: ClientEvent, call: Call): Promise<void> {
  const accepted = acceptChange(change)
  const operation = await takeHoldOfClient(core, clientId, call, workDeadline(core))
  await stopOnError(operation, () => recordEvent(core, operation, event))
  const { registration } = operation
  const before = { metadata: registration.metadata, projection: registration.projection }
  registration.metadata = { ...registration.metadata, ...accepted }
  const projection = project(core, operation)
  if (!sameProjection(projection, registration.projection)) {
    registration.projection = projection
    registration.desiredRevision += 1
    operation.note('registration.update_requested', 'succeeded', { revision: registration.desiredRevision })
  }
  await stopOnError(operation, () => operation.commit())
  await sendOrRevert(operation, before)
}

/** add_registration, remove_registration and whatever comes later: recorded against the client. */
export async function recordClientEvent (core: Core, clientId: string, event: ClientEvent, call: Call): Promise<void> {
  const operation = await takeHoldOfClient(core, clientId, call, workDeadline(core))
  await stopOnError(operation, () => recordEvent(core, operation, event))
  await run(operation)
}

async function sendOrRevert (operation: Operation, before: { metadata: ClientMetadata, projection: DirectoryApplication }): Promise<void> {
  const { registration } = operation
  try {
    await run(operation)
  } catch (error) {
    const refused = error instanceof DirectoryError && (error.fault === 'rejected' || error.fault === 'policy')
    // Entra will never take it: wishing on would repeat the refusal for ever.
    if (refused) await revert(operation, before)
    throw error
  } finally {
    operation.ports.log.debug({ registrationId: registration.id, desired: registration.desiredRevision, applied: registration.appliedRevision }, 'Projection')
  }
}

async function revert (operation: Operation, before: { metadata: ClientMetadata, projection: DirectoryApplication }): Promise<void> {
  const held = await operation.ports.store.acquire(operation.registration.id)
  if (held === null || held.registration.desiredRevision !== operation.registration.desiredRevision) return
  const { registration } = held
  Object.assign(registration, before, { desiredRevision: registration.appliedRevision, attempts: 0, lastFault: null })
  await operation.ports.store.save(held, { lease: { kind: 'release', dueInMs: null } })
}

// A repeated event is the newest of its product with the same digest; after something else came between, it counts again.
async function recordEvent (core: Core, operation: Operation, event: ClientEvent): Promise<void> {
  const { registration, ports } = operation
  if (event.applicationId !== null) registration.applicationId = event.applicationId
  const earlier = await core.ports.store.listEvents(registration.id)
  const newest = earlier.filter(other => other.productId === event.productId && isUpdate(other) === isUpdate(event)).at(-1)
  if (newest?.digest === event.digest) return
  operation.addEvent({ id: ports.clock.uuid(), receivedAt: ports.clock.now(), ...event })
  operation.note(`event.${event.type}`, 'succeeded', { application_id: event.applicationId, product_id: event.productId })
}

function isUpdate (event: Pick<ProductEvent, 'type'>): boolean {
  return event.type === 'update_application'
}

function project (core: Core, operation: Operation): DirectoryApplication {
  const { registration } = operation
  const { catalogue } = core.ports
  const strategy = catalogue.strategy(registration.strategyId) ?? catalogue.defaultStrategy(registration.providerId)
  return translate(registration.metadata, strategy, { registrationId: registration.id, installationId: catalogue.installationId() })
}

function acceptChange (change: MetadataChange): Partial<ClientMetadata> {
  return {
    ...(change.clientName === undefined ? {} : { clientName: acceptName('application_name', change.clientName) }),
    ...(change.description === undefined ? {} : { description: change.description === null ? null : acceptText('application_description', change.description) }),
    ...(change.redirectUris === undefined ? {} : { redirectUris: acceptRedirectUris(change.redirectUris) })
  }
}
