// Whether the application of a registration is still in Entra: ours by the name that we gave it, an adopted one by its appId.
import { uniqueNameOf } from './lifecycle.ts'
import type { Operation } from './operation.ts'
import type { ApplicationIds, Directory } from './ports.ts'

/** Null: Entra does not show it. */
export async function seenApplication (operation: Operation): Promise<ApplicationIds | null> {
  const { registration: { id, clientId, adoptedAt }, directory } = operation
  return await operation.call(signal => seenApplicationOf(directory, { id, clientId, isAdopted: adoptedAt !== null }, signal))
}

/** One look. */
export async function seenApplicationOf (
  directory: Directory, { id, clientId, isAdopted }: { id: string, clientId: string | null, isAdopted: boolean }, signal: AbortSignal
): Promise<ApplicationIds | null> {
  if (!isAdopted) return await directory.findApplication(uniqueNameOf(id), signal)
  return clientId === null ? null : await directory.findForeignApplication(clientId, signal)
}
