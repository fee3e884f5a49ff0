// Entra's bin: soft-deleted applications keep their uniqueName for 30 days and can be restored or removed for good.
import { DirectoryError, type ApplicationIds } from '../registration/ports.ts'
import type { DirectoryApplication } from '../registration/registration.ts'
import { orNull } from './absence.ts'
import { itemsOf } from './collection.ts'
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'
import { guid, literal, readIds } from './odata.ts'

const registrationTag = 'dcr-reg:'

/** True for the 400 that says the uniqueName belongs to another object, live or deleted. */
export function isNameTaken (error: unknown): boolean {
  return error instanceof DirectoryError && error.diagnostics['reason'] === 'name_taken'
}

/**
 * Brings back the soft-deleted application of the same registration, and its principal.
 * Throws `replicating` when it is not found: its holder is live on another replica, or not yet to be seen among the deleted.
 */
export async function restoreApplication (graph: GraphClient, wanted: DirectoryApplication, signal: AbortSignal): Promise<ApplicationIds> {
  const tag = wanted.tags.find(text => text.startsWith(registrationTag))
  const ids = tag === undefined ? undefined : await findDeleted(graph, tag, wanted.displayName, signal)
  if (ids === undefined) {
    throw new DirectoryError('replicating', 'the unique name is taken, and its holder is not to be seen', { diagnostics: { reason: 'name_taken' } })
  }
  await restore(graph, ids.objectId, signal)
  // Entra: the principal comes back only by itself, and after its application.
  for (const principalId of await deletedPrincipals(graph, ids.clientId, signal)) await restore(graph, principalId, signal)
  return ids
}

/**
 * Removes the soft-deleted application and its principal for good. Already gone is success.
 * The principal first: Entra does not take it along here, and by the application alone it could not be found again.
 */
export async function purgeApplication (
  graph: GraphClient, ids: ApplicationIds, principalId: string | null, signal: AbortSignal
): Promise<void> {
  const principalIds = principalId === null ? await deletedPrincipals(graph, ids.clientId, signal) : [principalId]
  for (const objectId of [...principalIds, ids.objectId]) await purge(graph, objectId, signal)
}

/** Object ids of the soft-deleted principals of an application: at most one, but that is Entra's business. */
async function deletedPrincipals (graph: GraphClient, clientId: string, signal: AbortSignal): Promise<string[]> {
  const path = `/directory/deletedItems/microsoft.graph.servicePrincipal?$filter=appId eq ${literal(clientId)}&$select=id,appId`
  const found: string[] = []
  for await (const principal of itemsOf(graph, 'find deleted principal', path, signal)) {
    const ids = readIds(principal)
    // The filter is not trusted: what is deleted or restored next must be the one that was meant.
    if (ids?.clientId === clientId) found.push(ids.objectId)
  }
  return found
}

async function purge (graph: GraphClient, objectId: string, signal: AbortSignal): Promise<void> {
  const path = `/directory/deletedItems/${guid(objectId)}`
  await orNull(async () => await graph.call({ name: 'purge deleted object', method: 'DELETE', path }, signal))
}

/** By name first, then through all: somebody may have renamed it. Only the tag decides that it is ours. */
async function findDeleted (
  graph: GraphClient, tag: string, displayName: string, signal: AbortSignal
): Promise<ApplicationIds | undefined> {
  for (const filter of [`$filter=displayName eq ${literal(displayName)}&`, '']) {
    const path = `/directory/deletedItems/microsoft.graph.application?${filter}$select=id,appId,tags&$top=999`
    for await (const application of itemsOf(graph, 'find deleted application', path, signal)) {
      const tags = member(application, 'tags')
      if (Array.isArray(tags) && tags.includes(tag)) return readIds(application)
    }
  }
}

async function restore (graph: GraphClient, objectId: string, signal: AbortSignal): Promise<void> {
  await graph.call({ name: 'restore deleted object', method: 'POST', path: `/directory/deletedItems/${guid(objectId)}/restore` }, signal)
}
