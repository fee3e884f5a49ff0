// Whether the application of a registration is still in Entra: ours by the name that we gave it, an adopted one by its appId.
import { uniqueNameOf } from './lifecycle.ts'
import type { Operation } from './operation.ts'
import type { ApplicationIds } from './ports.ts'

/** Null: Entra does not show it. */
export async function seenApplication (operation: Operation): Promise<ApplicationIds | null> {
  const { registration: { id, clientId, adoptedAt }, directory } = operation
  if (adoptedAt === null) return await operation.call(signal => directory.findApplication(uniqueNameOf(id), signal))
  return clientId === null ? null : await operation.call(signal => directory.findForeignApplication(clientId, signal))
}
