// Use case: a client ends. Its row says so first, then Entra; already gone is success.
import { findClient, takeHold, workDeadline, type Call } from './access.ts'
import type { Core } from './core.ts'
import { isEnded } from './lifecycle.ts'
import { run, stopOnError } from './saga.ts'

/** Resolves when Entra has deleted the application. An unknown client is a client already gone. */
export async function removeClient (core: Core, clientId: string, call: Call): Promise<void> {
  const registration = await findClient(core, call.caller, clientId)
  if (registration === null || isEnded(registration)) return
  const operation = await takeHold(core, registration.id, call, workDeadline(core, call))
  const { state } = operation.registration
  if (state !== 'deleting' && state !== 'undoing' && !isEnded(operation.registration)) {
    operation.registration.state = 'deleting'
    operation.note('registration.deleting', 'succeeded', { client_id: clientId })
    // The wish is committed first: from here on nobody gets an answer for this client, and the background ends what we can't.
    await stopOnError(operation, () => operation.commit())
  }
  await run(operation)
}
