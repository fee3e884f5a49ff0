// The use cases, as the surfaces call them: every failure comes out as one RegistrationError.
import type { Call } from './access.ts'
import type { Core } from './core.ts'
import { recordClientEvent, updateClient, type ClientEvent, type MetadataChange } from './change-client.ts'
import { addSecret, listSecrets, revokeSecret, rotateSecret, type NewSecret, type SecretMetadata } from './client-secrets.ts'
import { createDeliveries } from './deliveries.ts'
import { RegistrationError } from './errors.ts'
import { toRegistrationError } from './failures.ts'
import { expireClients, type ExpiryReport } from './expiry.ts'
import { UnansweredError, type RegisteredClient } from './registered-client.ts'
import { endRegistration, holderOf, readRegistration, replaceRegistration, type Holder, type ManagementRequest, type ReplaceDocument } from './managed-client.ts'
import type { RequestedMetadata } from './metadata/requested-metadata.ts'
import { createPauses } from './pauses.ts'
import type { DeliveryOutcome, Ports } from './ports.ts'
import type { Preview } from './preview.ts'
import { registerClient, type RegisterClient } from './register-client.ts'
import { previewDocument, registerDocument, type RegisterDocument } from './register-document.ts'
import { removeClient } from './remove-client.ts'
import type { CoreSettings } from './settings.ts'
import { keepUp, type UpkeepReport } from './upkeep.ts'

/** The deadline passed while the core was still waiting for something. */
class LateError extends Error {
  readonly answer = new RegistrationError('temporarily_unavailable', 'The request did not finish in time. Repeat it.', { retryAfterSeconds: 5 })
}

/** Every method throws RegistrationError for what the caller should know, and nothing else he could cause. */
export interface Registrar {
  register (command: RegisterClient, call: Call): Promise<RegisteredClient>
  registerDocument (document: RegisterDocument, call: Call): Promise<RegisteredClient>
  preview (requested: RequestedMetadata, call: Call): Promise<Preview>
  holderOf (providerId: string, clientId: string, token: string): Promise<Holder>
  readRegistration (holder: Holder, request: ManagementRequest): Promise<RegisteredClient>
  replaceRegistration (holder: Holder, document: ReplaceDocument, request: ManagementRequest): Promise<RegisteredClient>
  endRegistration (holder: Holder, request: ManagementRequest): Promise<void>
  /** What became of the answer to `register` and `registerDocument`; the surface knows when the response has left. */
  answered (registrationId: string, outcome: DeliveryOutcome): void
  rotateSecret (clientId: string, call: Call): Promise<NewSecret>
  addSecret (clientId: string, call: Call): Promise<NewSecret>
  listSecrets (clientId: string, call: Call): Promise<SecretMetadata[]>
  revokeSecret (clientId: string, secretId: string, call: Call): Promise<void>
  update (clientId: string, change: MetadataChange, event: ClientEvent, call: Call): Promise<void>
  recordEvent (clientId: string, event: ClientEvent, call: Call): Promise<void>
  remove (clientId: string, call: Call): Promise<void>
  /** One round of the broker's own work. */
  keepUp (signal: AbortSignal): Promise<UpkeepReport>
  /** One run of expiry: disables and deletes at most as many clients as the settings allow. */
  expire (): Promise<ExpiryReport>
  close (): Promise<void>
}

export function createRegistrar (ports: Ports, settings: CoreSettings): Registrar {
  const deliveries = createDeliveries(ports.store, ports.clock, ports.log)
  const core: Core = { ports, settings, deliveries, pauses: createPauses(ports.clock) }

  // The database may hang where no deadline of the core reaches: the answer leaves in time all the same, and the work goes on.
  async function answering<T> (work: Promise<T>, { elapsedMs = 0 }: Pick<Call, 'elapsedMs'>, afterwards: (result: T) => void = () => {}): Promise<T> {
    const settled = work.catch((error: unknown) => { throw outcomeOf(error) })
    const overdue = new AbortController()
    try {
      return await Promise.race([settled, lateAnswer(settings.requestDeadlineMs - elapsedMs, overdue.signal)])
    } catch (error) {
      if (error instanceof LateError) settled.then(afterwards, () => {})
      throw error instanceof LateError ? error.answer : error
    } finally {
      overdue.abort()
    }
  }

  function outcomeOf (error: unknown): unknown {
    if (!(error instanceof UnansweredError)) return toRegistrationError(error)
    deliveries.mark(error.registrationId, 'not_delivered')
    return error.cause
  }

  async function lateAnswer (leftMs: number, signal: AbortSignal): Promise<never> {
    // Never settles when the work was faster: the race is over then.
    if (!await ports.clock.sleep(Math.max(0, leftMs), signal)) return await new Promise(() => {})
    throw new LateError()
  }

  return {
    register: (command, call) => answering(registerClient(core, command, call), call, late => deliveries.mark(late.registration.id, 'not_delivered')),
    registerDocument: (document, call) =>
      answering(registerDocument(core, document, call), call, late => deliveries.mark(late.registration.id, 'not_delivered')),
    preview: async (requested, call) => previewDocument(core, requested, call),
    holderOf: (providerId, clientId, token) => answering(holderOf(core, providerId, clientId, token), {}),
    readRegistration: (holder, request) => answering(readRegistration(core, holder), request),
    replaceRegistration: (holder, document, request) => answering(replaceRegistration(core, holder, document, request), request),
    endRegistration: (holder, request) => answering(endRegistration(core, holder, request), request),
    answered: deliveries.mark,
    rotateSecret: (clientId, call) => answering(rotateSecret(core, clientId, call), call),
    addSecret: (clientId, call) => answering(addSecret(core, clientId, call), call),
    listSecrets: (clientId, call) => answering(listSecrets(core, clientId, call), call),
    revokeSecret: (clientId, secretId, call) => answering(revokeSecret(core, clientId, secretId, call), call),
    update: (clientId, change, event, call) => answering(updateClient(core, clientId, change, event, call), call),
    recordEvent: (clientId, event, call) => answering(recordClientEvent(core, clientId, event, call), call),
    remove: (clientId, call) => answering(removeClient(core, clientId, call), call),
    keepUp: signal => keepUp(core, signal),
    expire: () => expireClients(core),
    close: () => deliveries.close()
  }
}
