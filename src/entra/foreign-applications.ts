// Applications the broker may not have made, in Graph: what they are and what they have been given. Nothing here writes.
import type { ForeignApplication } from '../registration/ports.ts'
import { orNull } from './absence.ts'
import { itemsOf } from './collection.ts'
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'
import { alternateKey, applicationIds, guid, literal, objectId } from './odata.ts'

export async function findForeignApplication (graph: GraphClient, clientId: string, signal: AbortSignal): Promise<ForeignApplication | null> {
  const key = alternateKey('appId', guid(clientId))
  const path = `/applications${key}?$select=id,appId,displayName,tags`
  const application = await orNull(async () => await graph.call({ name: 'find foreign application', method: 'GET', path }, signal))
  if (application === null) return null
  const principalId = await orNull(async () =>
    objectId(await graph.call({ name: 'find principal', method: 'GET', path: `/servicePrincipals${key}?$select=id` }, signal)))
  const [displayName, tags] = [member(application.body, 'displayName'), member(application.body, 'tags')]
  return {
    ...applicationIds(application),
    principalId,
    displayName: typeof displayName === 'string' ? displayName : clientId,
    tags: Array.isArray(tags) ? tags.filter(tag => typeof tag === 'string') : []
  }
}

/** Application roles in other resources, and delegated scopes that anybody has consented to. */
export async function holdsPermissions (graph: GraphClient, principalId: string, signal: AbortSignal): Promise<boolean> {
  const id = guid(principalId)
  const paths = [`/servicePrincipals/${id}/appRoleAssignments`, `/oauth2PermissionGrants?$filter=clientId eq ${literal(id)}`]
  for (const path of paths) {
    const { done } = await itemsOf(graph, 'look at permissions', path, signal).next()
    if (done !== true) return true
  }
  return false
}
