// Applications and their service principals in Graph: upsert, update, find, switch off, delete.
import { DirectoryError, type ApplicationIds } from '../registration/ports.ts'
import type { DirectoryApplication } from '../registration/registration.ts'
import { orNull } from './absence.ts'
import { applicationBody, keyCredentials } from './application-body.ts'
import { isNameTaken, restoreApplication } from './deleted-objects.ts'
import type { GraphClient } from './graph-client.ts'
import { alternateKey, applicationIds, guid, objectId } from './odata.ts'

/** Entra: makes PATCH on an alternate key an upsert; without it an absent object is a 404. */
const upsert = { prefer: 'create-if-missing' }

/** Creates the application or brings it to `wanted`, certificates apart; a soft-deleted one of the same registration is restored. */
export async function ensureApplication (
  graph: GraphClient, uniqueName: string, wanted: DirectoryApplication, signal: AbortSignal
): Promise<ApplicationIds> {
  const path = byUniqueName(uniqueName)
  try {
    const answer = await graph.call({ name: 'upsert application', method: 'PATCH', path, body: applicationBody(wanted), headers: upsert }, signal)
    if (answer.status === 201) return applicationIds(answer)
  } catch (error) {
    if (!isNameTaken(error)) throw error
    const ids = await restoreApplication(graph, wanted, signal)
    await sendUpdate(graph, ids.objectId, applicationBody(wanted), signal)
    return ids
  }
  const ids = await findApplication(graph, uniqueName, signal)
  // Graph has just changed it, so it is there; this replica does not know it yet.
  if (ids === null) throw replicating('the application')
  return ids
}

export async function findApplication (graph: GraphClient, uniqueName: string, signal: AbortSignal): Promise<ApplicationIds | null> {
  return await orNull(async () => applicationIds(await graph.call({
    name: 'find application', method: 'GET', path: `${byUniqueName(uniqueName)}?$select=id,appId`
  }, signal)))
}

/** Sends all of it. The certificates go with it here only: Entra refuses them in an upsert. */
export async function updateApplication (graph: GraphClient, id: string, wanted: DirectoryApplication, signal: AbortSignal): Promise<void> {
  const certificates = wanted.certificates === null ? {} : { keyCredentials: keyCredentials(wanted.certificates) }
  await sendUpdate(graph, id, { ...applicationBody(wanted), ...certificates }, signal)
}

export async function removeApplication (graph: GraphClient, id: string, signal: AbortSignal): Promise<void> {
  await orNull(async () => await graph.call({ name: 'delete application', method: 'DELETE', path: `/applications/${guid(id)}` }, signal))
}

/** Creates or finds the principal. Whether it is enabled is left as it is: an operator may have switched it off. */
export async function ensurePrincipal (
  graph: GraphClient, clientId: string, wanted: DirectoryApplication, signal: AbortSignal
): Promise<string> {
  const path = `/servicePrincipals${alternateKey('appId', guid(clientId))}`
  const body = { displayName: wanted.displayName, tags: wanted.tags }
  const answer = await graph.call({ name: 'upsert principal', method: 'PATCH', path, body, headers: upsert }, signal)
  if (answer.status === 201) return objectId(answer)
  const id = await orNull(async () => objectId(await graph.call({ name: 'find principal', method: 'GET', path: `${path}?$select=id` }, signal)))
  if (id === null) throw replicating('the service principal')
  return id
}

/** Switches the principal on or off: Entra gives a disabled one no tokens. */
export async function setEnabled (graph: GraphClient, principalId: string, enabled: boolean, signal: AbortSignal): Promise<void> {
  const path = `/servicePrincipals/${guid(principalId)}`
  await graph.call({ name: 'switch principal', method: 'PATCH', path, body: { accountEnabled: enabled } }, signal)
}

async function sendUpdate (graph: GraphClient, id: string, body: object, signal: AbortSignal): Promise<void> {
  await graph.call({ name: 'update application', method: 'PATCH', path: `/applications/${guid(id)}`, body }, signal)
}

function byUniqueName (uniqueName: string): string {
  return `/applications${alternateKey('uniqueName', uniqueName)}`
}

function replicating (what: string): DirectoryError {
  return new DirectoryError('replicating', `${what} was made but is not visible yet`, { diagnostics: { reason: 'not_visible' } })
}
