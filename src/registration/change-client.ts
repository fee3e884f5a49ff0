// Use cases: Konnect's events about a client. A change of its metadata goes to Entra; product links are recorded.
import { takeHoldOfClient, workDeadline, type Call, type ClientName } from './access.ts'
import { clearing } from './clearing.ts'
import type { Core } from './core.ts'
import { acceptName, acceptText } from './metadata/client-name.ts'
import type { Operation } from './operation.ts'
import { DirectoryError } from './ports.ts'
import { acceptRedirectUris } from './metadata/redirect-uris.ts'
import type { ClientMetadata, DirectoryApplication, Registration } from './registration.ts'
import { run, stopOnError } from './saga.ts'
import { sendProjection } from './steps.ts'
import { enable } from './switch-client.ts'
import { sameProjection, translate } from './translation.ts'

const UPDATE = 'update_application'

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
export async function updateClient (core: Core, name: ClientName, change: MetadataChange, event: ClientEvent, call: Call): Promise<void> {
  const accepted = acceptChange(change)
  const operation = await takeHoldOfClient(core, name, call, workDeadline(core, call))
  await stopOnError(operation, async () => {
    await recordEvent(core, operation, event)
    const before = wishOf(operation.registration)
    const { registration } = operation
    registration.metadata = { ...registration.metadata, ...accepted }
    // What the broker did not make it does not change: an adopted application stays as it is.
    const projection = registration.adoptedAt === null ? project(core, operation) : registration.projection
    if (!sameProjection(projection, registration.projection)) {
      registration.projection = projection
      registration.desiredRevision += 1
      operation.note('registration.update_requested', 'succeeded', { revision: registration.desiredRevision })
    }
    if (registration.desiredRevision !== registration.appliedRevision) {
      await operation.commit()
      await sendOrRevert(operation, before)
    }
    await operation.release()
  })
}

/** add_registration, remove_registration and whatever comes later: recorded against the client. One that was disabled for want of them is enabled. */
export async function recordClientEvent (core: Core, name: ClientName, event: ClientEvent, call: Call): Promise<void> {
  const operation = await takeHoldOfClient(core, name, call, workDeadline(core, call), { orNeverLinked: true })
  const wasActive = operation.registration.state === 'active'
  await stopOnError(operation, async () => {
    await recordEvent(core, operation, event)
    if (wasActive) return await operation.release()
    enable(operation)
    // The wish is committed first: whatever happens to us, Entra is told.
    await operation.commit()
  })
  if (!wasActive) await run(operation)
}

export type Wish = Pick<Registration, 'metadata' | 'projection' | 'desiredRevision'>

export function wishOf ({ metadata, projection, desiredRevision }: Registration): Wish {
  return { metadata, projection, desiredRevision }
}

/** Sends the projection; where Entra will never take it, the record goes back to what it was before. @throws DirectoryError */
export async function sendOrRevert (operation: Operation, before: Wish): Promise<void> {
  try {
    await sendProjection(operation)
  } catch (error) {
    // Entra will never take it: wishing on would repeat the refusal for ever.
    const refused = error instanceof DirectoryError && ['rejected', 'policy', 'quota'].includes(error.fault)
    const { registration } = operation
    if (refused && before.desiredRevision !== registration.desiredRevision) {
      // A part of it may have been taken: what was before is a new wish, and whoever claims the row sends it.
      registration.metadata = before.metadata
      registration.projection = clearing(registration.projection, before.projection)
      registration.desiredRevision += 1
      operation.note('registration.update_refused', 'failed')
      // At once: until then what was refused may be in effect. If it can't be done now, the background goes on.
      await sendProjection(operation).catch((again: unknown) => {
        operation.ports.log.warn({ err: again, registrationId: registration.id }, 'A refused update is taken back in the background')
      })
    }
    throw error
  }
}

// A repeated event is the newest of its product with the same digest; after something else came between, it counts again.
async function recordEvent (core: Core, operation: Operation, event: ClientEvent): Promise<void> {
  const { registration, ports } = operation
  if (event.applicationId !== null) registration.applicationId = event.applicationId
  const types = event.type === UPDATE ? { only: UPDATE } : { except: UPDATE }
  const newest = await core.ports.store.newestEvent(registration.id, event.productId, types)
  if (newest?.digest === event.digest) return
  operation.addEvent({ id: ports.clock.uuid(), receivedAt: ports.clock.now(), ...event })
  operation.note(`event.${event.type}`, 'succeeded', { application_id: event.applicationId, product_id: event.productId })
}

function project (core: Core, operation: Operation): DirectoryApplication {
  const { registration } = operation
  const { catalogue } = core.ports
  const strategy = catalogue.strategy(registration.strategyId) ?? catalogue.defaultStrategy(registration.providerId)
  const identity = { registrationId: registration.id, installationId: catalogue.installationId() }
  const projection = translate(registration.metadata, strategy, identity, { rules: null, scopes: catalogue.scopes(registration.providerId) })
  return clearing(registration.projection, projection)
}

function acceptChange (change: MetadataChange): Partial<ClientMetadata> {
  return {
    ...(change.clientName === undefined ? {} : { clientName: acceptName('application_name', change.clientName) }),
    ...(change.description === undefined ? {} : { description: change.description === null ? null : acceptText('application_description', change.description) }),
    ...(change.redirectUris === undefined ? {} : { redirectUris: acceptRedirectUris(change.redirectUris) })
  }
}
