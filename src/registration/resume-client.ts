// Use case: an operator lets a registration that is stuck go on now instead of when its waiting time is over.
import { findClient, takeHold, unknownClient, workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import { RegistrationError } from './errors.ts'
import type { Operation } from './operation.ts'
import { stopOnError } from './saga.ts'
import { seenApplication } from './seen-application.ts'

/**
 * The row is due now and its waiting times begin anew; with nothing to do it stays as it is. One whose application was deleted in
 * Entra is looked for: restored there, it is active again.
 *
 * @throws RegistrationError unknown_client, busy; drifted when the application is still gone
 */
export async function resumeClient (core: Core, registrationId: string, call: Call): Promise<void> {
  const found = await findClient(core, { registrationId }, call)
  if (found === null) throw unknownClient()
  const operation = await takeHold(core, registrationId, call, workDeadline(core, call), false)
  const { registration } = operation
  registration.attempts = 0
  operation.note('registration.resumed', 'succeeded', { state: registration.state })
  const isFound = await stopOnError(operation, async () => {
    const isFound = registration.state !== 'drifted' || await findAgain(operation)
    await operation.release()
    return isFound
  })
  if (!isFound) {
    throw new RegistrationError('drifted',
      'The application is not in Entra ID: it was deleted there. Restore it in Entra within 30 days and repeat this, or delete the registration and register anew.')
  }
}

async function findAgain (operation: Operation): Promise<boolean> {
  const { registration } = operation
  const seen = await seenApplication(operation)
  if (seen === null || seen.objectId !== registration.objectId) return false
  registration.state = registration.projection.enabled ? 'active' : 'disabled'
  // It was restored as it was deleted: what has been wished for since has not reached it.
  if (registration.adoptedAt === null) registration.desiredRevision += 1
  operation.note('registration.found_again', 'succeeded', { client_id: registration.clientId })
  return true
}
