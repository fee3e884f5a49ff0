// Permissions of the whole tenant for one client in Graph: those the broker grants, and those it takes back. What others granted stays.
import { DirectoryError } from '../registration/ports.ts'
import type { PermissionGrants, ResourceAccess } from '../registration/registration.ts'
import { orNull } from './absence.ts'
import { syncDelegatedScopes } from './delegated-scopes.ts'
import type { GrantChange } from './grant-change.ts'
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'
import { alternateKey, guid, objectId } from './odata.ts'
import { syncRoles } from './role-assignments.ts'

type PermissionType = 'Role' | 'Scope'

/** Where a resource's principal lists what it offers. */
const offers = { Role: 'appRoles', Scope: 'oauth2PermissionScopes' } as const

/**
 * Roles and delegated scopes need a Graph permission each: where the broker has only one, it grants that kind and is `denied` at the end.
 * Throws `rejected` before the first write when a resource has no principal in the tenant, or does not offer what is to be granted.
 */
export async function syncGrants (graph: GraphClient, principalId: string, grants: PermissionGrants, signal: AbortSignal): Promise<void> {
  const id = guid(principalId)
  const roles = await changesOf(graph, 'Role', grants, signal)
  const scopes = await changesOf(graph, 'Scope', grants, signal)
  let denial: unknown
  for (const [sync, changes] of [[syncRoles, roles], [syncDelegatedScopes, scopes]] as const) {
    try {
      if (changes.length > 0) await sync(graph, id, changes, signal)
    } catch (error) {
      if (!(error instanceof DirectoryError) || error.fault !== 'denied') throw error
      denial ??= error
    }
  }
  if (denial !== undefined) throw denial
}

async function changesOf (
  graph: GraphClient, type: PermissionType, grants: PermissionGrants, signal: AbortSignal
): Promise<GrantChange[]> {
  const granted = permissionIds(type, grants.granted)
  const revoked = permissionIds(type, grants.revoked)
  const changes: GrantChange[] = []
  for (const appId of new Set([...granted.keys(), ...revoked.keys()])) {
    const wanted = granted.get(appId) ?? new Set()
    const unwanted = new Set([...revoked.get(appId) ?? []].filter(id => !wanted.has(id)))
    const resource = await findResource(graph, appId, type, signal)
    const unknown = [...wanted].find(id => resource?.values.has(id) !== true)
    if (unknown !== undefined) throw notOffered(appId, resource === null ? null : unknown)
    // A resource that is gone took its grants along.
    if (resource !== null) changes.push({ ...resource, granted: wanted, revoked: unwanted })
  }
  return changes
}

async function findResource (
  graph: GraphClient, appId: string, type: PermissionType, signal: AbortSignal
): Promise<Pick<GrantChange, 'resourceId' | 'values'> | null> {
  const path = `/servicePrincipals${alternateKey('appId', guid(appId))}?$select=id,${offers[type]}`
  const answer = await orNull(async () => await graph.call({ name: 'find resource principal', method: 'GET', path }, signal))
  if (answer === null) return null
  const offered = member(answer.body, offers[type])
  const values = new Map<string, string>()
  for (const permission of Array.isArray(offered) ? offered : []) {
    const [id, value] = [member(permission, 'id'), member(permission, 'value')]
    if (typeof id === 'string') values.set(id.toLowerCase(), typeof value === 'string' ? value : '')
  }
  return { resourceId: objectId(answer), values }
}

/** Permission ids by the resource's appId; a resource without any of this type is left out. */
function permissionIds (type: PermissionType, access: readonly ResourceAccess[]): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>()
  for (const { resourceAppId, permissions } of access) {
    const appId = resourceAppId.toLowerCase()
    const ofType = permissions.filter(permission => permission.type === type).map(({ id }) => id.toLowerCase())
    if (ofType.length > 0) ids.set(appId, new Set([...ids.get(appId) ?? [], ...ofType]))
  }
  return ids
}

function notOffered (appId: string, permissionId: string | null): DirectoryError {
  const message = permissionId === null
    ? `the resource application ${appId} has no service principal in the tenant`
    : `the resource application ${appId} does not offer the permission ${permissionId}`
  return new DirectoryError('rejected', message, { diagnostics: { reason: permissionId === null ? 'resource_absent' : 'permission_absent' } })
}
