// The use cases, as the surfaces call them: every failure comes out as one RegistrationError.
import type { Call } from './access.ts'
import type { Core } from './core.ts'
import { recordClientEvent, updateClient, type ClientEvent, type MetadataChange } from './change-client.ts'
import { addSecret, listSecrets, revokeSecret, rotateSecret, type NewSecret, type SecretMetadata } from './client-secrets.ts'
import { createDeliveries } from './deliveries.ts'
import { toRegistrationError } from './failures.ts'
import { createPauses } from './pauses.ts'
import type { DeliveryOutcome, Ports } from './ports.ts'
import { registerClient, UnansweredError, type RegisterClient, type RegisteredClient } from './register-client.ts'
import { removeClient } from './remove-client.ts'
import type { CoreSettings } from './settings.ts'
import { keepUp, type UpkeepReport } from './upkeep.ts'

/** Every method throws RegistrationError for what the caller should know, and nothing else he could cause. */
export interface Registrar {
  register (command: RegisterClient, call: Call): Promise<RegisteredClient>
  /** What became of the answer to `register`; the surface knows when the response has left. */
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
  close (): Promise<void>
}

export function createRegistrar (ports: Ports, settings: CoreSettings): Registrar {
  const deliveries = createDeliveries(ports.store, ports.clock, ports.log)
  const core: Core = { ports, settings, deliveries, pauses: createPauses(ports.clock) }

  async function answering<T> (work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (!(error instanceof UnansweredError)) throw toRegistrationError(error)
      deliveries.mark(error.registrationId, 'not_delivered')
      throw error.cause
    }
  }

  return {
    register: (command, call) => answering(registerClient(core, command, call)),
    answered: deliveries.mark,
    rotateSecret: (clientId, call) => answering(rotateSecret(core, clientId, call)),
    addSecret: (clientId, call) => answering(addSecret(core, clientId, call)),
    listSecrets: (clientId, call) => answering(listSecrets(core, clientId, call)),
    revokeSecret: (clientId, secretId, call) => answering(revokeSecret(core, clientId, secretId, call)),
    update: (clientId, change, event, call) => answering(updateClient(core, clientId, change, event, call)),
    recordEvent: (clientId, event, call) => answering(recordClientEvent(core, clientId, event, call)),
    remove: (clientId, call) => answering(removeClient(core, clientId, call)),
    keepUp: signal => keepUp(core, signal),
    close: () => deliveries.close()
  }
}
