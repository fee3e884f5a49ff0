// Use case: one line of a bulk import. A line with a key makes one registration, ever, however often the import is repeated and whoever
// repeats it: the registration's id is made of the key, so that a second row of it can't be inserted, and its application can't be made.
import { workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import { RegistrationError } from './errors.ts'
import { busy } from './failures.ts'
import { isBeingMade } from './lifecycle.ts'
import { makeClient } from './make-client.ts'
import type { RequestedMetadata } from './metadata/requested-metadata.ts'
import { acceptFor, entryOf } from './register-document.ts'
import type { RegisteredClient } from './registered-client.ts'
import type { Registration } from './registration.ts'

/** Attempts under one key that failed and left nothing. */
const MAX_ATTEMPTS = 100

export interface ImportClient {
  /** Name of the provider; null: the caller's, else `default`. */
  provider: string | null
  /** Null: every import makes another registration. */
  key: string | null
  requested: RequestedMetadata
  labels: Record<string, string>
  owner: string | null
}

export interface Imported {
  /** `unchanged`: the key has its registration already; what the line says else is not looked at. */
  outcome: 'created' | 'unchanged'
  registration: Registration
  /** With the secret: it was made now, or moments ago and nobody has received the answer. Null: its secret was shown before. */
  client: RegisteredClient | null
}

/** @throws RegistrationError; UnansweredError around one when a registration was left behind that goes on */
export async function importClient (core: Core, line: ImportClient, call: Call): Promise<Imported> {
  const deadline = workDeadline(core, call)
  const providerId = providerOf(core, line, call)
  const bound: Call = { ...call, caller: { ...call.caller, providerId } }
  const policy = core.ports.catalogue.policy(call.caller.policyId)
  const metadata = acceptFor(core, providerId, policy, line.requested)
  const slot = line.key === null ? null : await slotOf(core, providerId, line.key)
  if (slot !== null && slot.registration !== null) return { outcome: 'unchanged', registration: slot.registration, client: null }
  const id = slot?.id ?? core.ports.clock.uuid()
  const accepted = { id, surface: 'operations', metadata, policy, fingerprint: slot?.id ?? null, sharingKey: null, managementDigest: null } as const
  const { labels, owner } = line
  const { client, isNew } = await makeClient(core, { ...entryOf(core, accepted, bound), labels, owner }, bound, deadline)
  return { outcome: isNew ? 'created' : 'unchanged', registration: client.registration, client }
}

interface Slot {
  /** Of the registration that the key makes. */
  id: string
  /** The one it has made; null: none, or one whose answer can still be given. */
  registration: Registration | null
}

/** Where a key stands. What failed and was taken back leaves room for the next attempt. @throws RegistrationError */
async function slotOf ({ ports: { store, vault, catalogue }, deliveries }: Core, providerId: string, key: string): Promise<Slot> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const id = uuidOf(vault.digestOf(JSON.stringify(['import', catalogue.installationId(), providerId, key, attempt])))
    const registration = await store.find(id)
    if (registration === null || isBeingMade(registration)) return { id, registration: null }
    if (registration.state === 'undone') continue
    // Its application may still be there.
    if (registration.state === 'undoing') throw busy()
    if (registration.state === 'deleting' || registration.state === 'deleted') {
      throw new RegistrationError('invalid_request', 'The registration that this key has made was deleted. Another key makes another one.')
    }
    const isReceived = deliveries.seen(id)?.outcome === 'delivered'
    return { id, registration: isReceived || !isStillToAnswer(registration) ? registration : null }
  }
  throw new RegistrationError('invalid_request', `${MAX_ATTEMPTS} attempts under this key have failed. Another key begins anew.`)
}

// Within the redelivery window an answer that was not received is given again, with its secret.
function isStillToAnswer ({ state, delivery }: Registration): boolean {
  return state === 'active' && (delivery === 'not_delivered' || delivery === 'pending')
}

/** A UUID of version 8 (RFC 9562 §5.8) with 122 bits of a hash. */
function uuidOf (digest: Uint8Array): string {
  const bytes = Buffer.from(digest.subarray(0, 16))
  bytes[6] = (bytes[6] ?? 0) & 0x0f | 0x80
  bytes[8] = (bytes[8] ?? 0) & 0x3f | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}

// An operator who is bound to a provider knows no other.
function providerOf ({ ports: { catalogue } }: Core, { provider: name }: ImportClient, { caller }: Call): string {
  if (name === null && caller.providerId !== null) return caller.providerId
  const provider = catalogue.providerNamed(name ?? 'default')
  if (provider === null || (caller.providerId !== null && provider.id !== caller.providerId)) {
    throw new RegistrationError('invalid_request', `There is no provider ${name ?? 'default'}.`)
  }
  return provider.id
}
