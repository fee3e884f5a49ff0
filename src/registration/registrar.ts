// The use cases, as the surfaces call them: every failure comes out as one RegistrationError.
import type { Call, ClientName } from './access.ts'
import type { Core } from './core.ts'
import { recordClientEvent, updateClient, type ClientEvent, type MetadataChange } from './change-client.ts'
import { addSecret, listSecrets, revokeSecret, rotateSecret, type NewSecret, type SecretMetadata } from './client-secrets.ts'
import { createDeliveries } from './deliveries.ts'
import { describeClient, type Description } from './describe-client.ts'
import { RegistrationError } from './errors.ts'
import { toRegistrationError } from './failures.ts'
import { expireClients, type ExpiryReport } from './expiry.ts'
import { UnansweredError, type RegisteredClient } from './registered-client.ts'
import { endRegistration, holderOf, readRegistration, replaceRegistration, type Holder, type ManagementRequest, type ReplaceDocument } from './managed-client.ts'
import type { RequestedMetadata } from './metadata/requested-metadata.ts'
import { importClient, type ImportClient, type Imported } from './import-client.ts'
import type { DeliveryOutcome, Ports } from './ports.ts'
import type { Preview } from './preview.ts'
import { registerClient, type RegisterClient } from './register-client.ts'
import { previewDocument, registerDocument, type RegisterDocument } from './register-document.ts'
import { removeClient, removeRegistration, type Removal } from './remove-client.ts'
import { resumeClient } from './resume-client.ts'
import type { CoreSettings } from './settings.ts'
import { switchClient } from './switch-client.ts'
import type { Traffic } from './traffic/traffic.ts'
import { keepUp, type UpkeepReport } from './upkeep.ts'

/** Every method throws RegistrationError for what the caller should know, and nothing else he could cause. */
export interface Registrar {
  register (command: RegisterClient, call: Call): Promise<RegisteredClient>
  registerDocument (document: RegisterDocument, call: Call): Promise<RegisteredClient>
  /** One line of an import. */
  importClient (line: ImportClient, call: Call): Promise<Imported>
  preview (requested: RequestedMetadata, call: Call): Promise<Preview>
  holderOf (providerId: string, clientId: string, token: string): Promise<Holder>
  readRegistration (holder: Holder, request: ManagementRequest): Promise<RegisteredClient>
  replaceRegistration (holder: Holder, document: ReplaceDocument, request: ManagementRequest): Promise<RegisteredClient>
  endRegistration (holder: Holder, request: ManagementRequest): Promise<void>
  /** What became of the answer to `register`, `registerDocument` and `importClient`; the surface knows when the response has left. */
  answered (registrationId: string, outcome: DeliveryOutcome): void
  rotateSecret (client: ClientName, call: Call): Promise<NewSecret>
  addSecret (client: ClientName, call: Call): Promise<NewSecret>
  listSecrets (client: ClientName, call: Call): Promise<SecretMetadata[]>
  revokeSecret (client: ClientName, secretId: string, call: Call): Promise<void>
  update (client: ClientName, change: MetadataChange, event: ClientEvent, call: Call): Promise<void>
  recordEvent (client: ClientName, event: ClientEvent, call: Call): Promise<void>
  remove (client: ClientName, call: Call): Promise<void>
  describe (registrationId: string, description: Description, call: Call): Promise<void>
  disable (registrationId: string, call: Call): Promise<void>
  enable (registrationId: string, call: Call): Promise<void>
  resume (registrationId: string, call: Call): Promise<void>
  removeRegistration (registrationId: string, removal: Removal, call: Call): Promise<void>
  /** One round of the broker's own work. */
  keepUp (signal: AbortSignal): Promise<UpkeepReport>
  /** One run of expiry: disables and deletes at most as many clients as the settings allow. */
  expire (): Promise<ExpiryReport>
  close (): Promise<void>
}

/** @param traffic shared with whoever else calls Graph in this process */
export function createRegistrar (ports: Ports, settings: CoreSettings, traffic: Traffic): Registrar {
  const deliveries = createDeliveries(ports.store, ports.clock, ports.log)
  const core: Core = { ports, settings, deliveries, traffic, beginning: new Map(), refusedAdoptions: new Map() }

  // The database may hang where no deadline of the core reaches: the answer leaves in time all the same, and the work goes on.
  async function answering<T> (work: Promise<T>, { elapsedMs = 0 }: Pick<Call, 'elapsedMs'>, afterwards: (result: T) => void = () => {}): Promise<T> {
    const settled = work.catch((error: unknown) => { throw outcomeOf(error) })
    return await new Promise<T>((resolve, reject) => {
      const callOff = ports.clock.alarm(Math.max(0, settings.requestDeadlineMs - elapsedMs), () => {
        settled.then(afterwards, () => {})
        reject(new RegistrationError('temporarily_unavailable', 'The request did not finish in time. Repeat it.', { retryAfterSeconds: 5 }))
      })
      settled.finally(callOff).then(resolve, reject)
    })
  }

  function outcomeOf (error: unknown): unknown {
    if (!(error instanceof UnansweredError)) return toRegistrationError(error)
    deliveries.mark(error.registrationId, 'not_delivered')
    return error.cause
  }

  return {
    register: (command, call) => answering(registerClient(core, command, call), call, late => deliveries.mark(late.registration.id, 'not_delivered')),
    registerDocument: (document, call) =>
      answering(registerDocument(core, document, call), call, late => deliveries.mark(late.registration.id, 'not_delivered')),
    importClient: (line, call) => answering(importClient(core, line, call), call, late => {
      // One that another import has made may be named in that one's answer.
      if (late.outcome === 'created') deliveries.mark(late.registration.id, 'not_delivered')
    }),
    preview: async (requested, call) => previewDocument(core, requested, call),
    holderOf: (providerId, clientId, token) => answering(holderOf(core, providerId, clientId, token), {}),
    readRegistration: (holder, request) => answering(readRegistration(core, holder), request),
    replaceRegistration: (holder, document, request) => answering(replaceRegistration(core, holder, document, request), request),
    endRegistration: (holder, request) => answering(endRegistration(core, holder, request), request),
    answered: deliveries.mark,
    rotateSecret: (client, call) => answering(rotateSecret(core, client, call), call),
    addSecret: (client, call) => answering(addSecret(core, client, call), call),
    listSecrets: (client, call) => answering(listSecrets(core, client, call), call),
    revokeSecret: (client, secretId, call) => answering(revokeSecret(core, client, secretId, call), call),
    update: (client, change, event, call) => answering(updateClient(core, client, change, event, call), call),
    recordEvent: (client, event, call) => answering(recordClientEvent(core, client, event, call), call),
    remove: (client, call) => answering(removeClient(core, client, call), call),
    describe: (registrationId, description, call) => answering(describeClient(core, registrationId, description, call), call),
    disable: (registrationId, call) => answering(switchClient(core, registrationId, false, call), call),
    enable: (registrationId, call) => answering(switchClient(core, registrationId, true, call), call),
    resume: (registrationId, call) => answering(resumeClient(core, registrationId, call), call),
    removeRegistration: (registrationId, removal, call) => answering(removeRegistration(core, registrationId, removal, call), call),
    keepUp: signal => keepUp(core, signal),
    expire: () => expireClients(core),
    close: () => deliveries.close()
  }
}
