// The client that identical public registrations share: answered for as long as it lives, here and in Entra.
import { actorOf, type Call } from './access.ts'
import type { Core } from './core.ts'
import type { Deadline } from './deadline.ts'
import { uniqueNameOf } from './lifecycle.ts'
import { outcomeOf, type RegisteredClient } from './registered-client.ts'
import { Operation } from './operation.ts'
import { DirectoryError } from './ports.ts'
import type { Registration } from './registration.ts'

/** No write ever tells that a shared client is gone from Entra: it is looked for when the last look is older than this. */
const LOOK_AFTER_MS = 10 * 60_000

/** Null: it has just ended, so that this registration makes the next one. @throws RegistrationError */
export async function sharedAnswer (core: Core, openId: string, call: Call, deadline: Deadline): Promise<RegisteredClient | null> {
  const { store, clock } = core.ports
  const client = await outcomeOf(core, openId, deadline)
  const { registration } = client
  if (isDue(registration, clock.now()) && !await isThere(core, registration, call, deadline)) return null
  // An answer that the first registrant never received must not undo the client under the feet of the second. A window that is
  // closed has kept the client for good if it is still active.
  if (registration.delivery !== 'delivered') await store.extendWindow(openId)
  return await store.renewShared(openId) ? client : null
}

function isDue ({ seenAt, activatedAt, createdAt }: Registration, now: Date): boolean {
  return now.getTime() - (seenAt ?? activatedAt ?? createdAt).getTime() > LOOK_AFTER_MS
}

/** False: its application was deleted in Entra, and the client has drifted. When Entra does not say, or somebody is looking, it is believed to be there. */
async function isThere (core: Core, { id }: Registration, call: Call, deadline: Deadline): Promise<boolean> {
  const { clock, store } = core.ports
  const held = await store.acquire(id)
  if (held === null) return true
  const operation = new Operation(core, held, deadline, actorOf(call), { resumed: false })
  const { registration, directory } = operation
  const look = async () => await operation.call(signal => directory.findApplication(uniqueNameOf(id), signal)) !== null
  try {
    if (registration.state === 'active' && isDue(registration, clock.now())) {
      registration.seenAt = clock.now()
      // Reads go backwards in Entra: one that misses is repeated.
      if (!await look() && !await look()) {
        registration.state = 'drifted'
        operation.note('registration.drifted', 'failed')
      }
    }
  } catch (error) {
    if (!(error instanceof DirectoryError)) throw error
  }
  await operation.release()
  return registration.state === 'active'
}
