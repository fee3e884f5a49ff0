// Use case: an operator switches a client off and on again. Desired state first, then Entra; expiry does the same with other words.
import { findClient, takeHold, unknownClient, workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import { RegistrationError } from './errors.ts'
import { isBeingMade } from './lifecycle.ts'
import type { Operation } from './operation.ts'
import type { Registration } from './registration.ts'
import { run, stopOnError } from './saga.ts'

/**
 * Resolves when Entra gives the client no tokens any more, or gives them again. The same switch twice is harmless.
 *
 * @throws RegistrationError unknown_client, wrong_state, drifted, not_permitted for an adopted application; others after the wish is
 * committed, which the background goes on with
 */
export async function switchClient (core: Core, registrationId: string, enabled: boolean, call: Call): Promise<void> {
  const found = await findClient(core, { registrationId }, call)
  if (found === null) throw unknownClient()
  const operation = await takeHold(core, registrationId, call, workDeadline(core, call))
  const refusal = refusalOf(operation.registration)
  if (refusal !== null) {
    await operation.release()
    throw refusal
  }
  if (enabled) enable(operation)
  else disable(operation)
  // The wish is committed first: whatever happens to us, Entra is told.
  await stopOnError(operation, () => operation.commit())
  await run(operation)
}

function disable (operation: Operation): void {
  const { registration } = operation
  // What expiry has disabled it also deletes; what an operator has disabled stays.
  if (registration.disabledBy === 'operator') return
  if (registration.state === 'active') {
    registration.disabledAt = operation.ports.clock.now()
    wish(registration, false)
  }
  registration.state = 'disabled'
  registration.disabledBy = 'operator'
  operation.note('registration.disabled', 'succeeded', { client_id: registration.clientId })
}

/** Changes the record only. */
export function enable (operation: Operation): void {
  const { registration } = operation
  if (registration.state === 'active') return
  registration.state = 'active'
  registration.disabledAt = null
  registration.disabledBy = null
  // Its age begins anew.
  registration.renewedAt = operation.ports.clock.now()
  // Whether Entra has heard of the disabling is not sure: it is told whatever the row believes.
  registration.appliedEnabled = false
  wish(registration, true)
  operation.note('registration.enabled', 'succeeded', { client_id: registration.clientId })
}

function wish (registration: Registration, enabled: boolean): void {
  registration.projection = { ...registration.projection, enabled }
  registration.desiredRevision += 1
}

function refusalOf (registration: Registration): RegistrationError | null {
  const { state, adoptedAt } = registration
  if (state === 'drifted') return new RegistrationError('drifted', 'The application no longer exists in Entra ID: it was deleted there.')
  if (isBeingMade(registration)) return new RegistrationError('wrong_state', 'The registration is still being made. Repeat the request when it is active.')
  if (state !== 'active' && state !== 'disabled') return new RegistrationError('wrong_state', `The registration is ${state}.`)
  if (adoptedAt === null) return null
  return new RegistrationError('not_permitted', 'The application is adopted: the broker does not change it. Switch it off in Entra ID.')
}
