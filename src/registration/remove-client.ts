// Use cases: a client ends. Its row says so first, then Entra; already gone is success.
import { findClient, takeHold, unknownClient, workDeadline, type Call, type ClientName } from './access.ts'
import type { Core } from './core.ts'
import { isEnded } from './lifecycle.ts'
import type { Registration } from './registration.ts'
import { run, stopOnError } from './saga.ts'

export interface Removal {
  /** Not restorable in Entra. */
  purge: boolean
}

/** Resolves when Entra has deleted the application. An unknown client is a client already gone. */
export async function removeClient (core: Core, name: ClientName, call: Call): Promise<void> {
  const registration = await findClient(core, name, call)
  if (registration !== null && !isEnded(registration)) await end(core, registration, { purge: false }, call)
}

/**
 * The same for one that has to be there. One that has ended already can still be purged.
 *
 * @throws RegistrationError unknown_client
 */
export async function removeRegistration (core: Core, registrationId: string, removal: Removal, call: Call): Promise<void> {
  const registration = await findClient(core, { registrationId }, call)
  if (registration === null) throw unknownClient()
  if (!isEnded(registration) || (removal.purge && registration.purgeAt !== null)) await end(core, registration, removal, call)
}

async function end (core: Core, { id }: Registration, { purge }: Removal, call: Call): Promise<void> {
  const operation = await takeHold(core, id, call, workDeadline(core, call))
  const { registration } = operation
  const isEnding = registration.state === 'deleting' || registration.state === 'undoing' || isEnded(registration)
  // Before the application is deleted this is a wish: it is purged as soon as it is.
  const isPurgedNow = purge && registration.adoptedAt === null && (!isEnded(registration) || registration.purgeAt !== null)
  if (isPurgedNow) registration.purgeAt = core.ports.clock.now()
  if (!isEnding) {
    registration.state = 'deleting'
    operation.note('registration.deleting', 'succeeded', { client_id: registration.clientId, ...(purge && { purge }) })
  }
  // The wish is committed first: from here on nobody gets an answer for this client, and the background ends what we can't.
  if (!isEnding || isPurgedNow) await stopOnError(operation, () => operation.commit())
  await run(operation)
}
