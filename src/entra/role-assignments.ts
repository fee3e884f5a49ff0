// Application roles that a principal has been given in other resources (appRoleAssignments).
import { DirectoryError } from '../registration/ports.ts'
import { orNull } from './absence.ts'
import { itemsOf } from './collection.ts'
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'
import { opaqueId } from './odata.ts'
import type { GrantChange } from './grant-change.ts'

/** Assigns what is missing and removes what is taken back. Entra refuses a role that is assigned already: that is success. */
export async function syncRoles (graph: GraphClient, principalId: string, changes: readonly GrantChange[], signal: AbortSignal): Promise<void> {
  const assigned = new Map<string, unknown>()
  for await (const item of itemsOf(graph, 'list role assignments', `/servicePrincipals/${principalId}/appRoleAssignments`, signal)) {
    assigned.set(keyOf(member(item, 'resourceId'), member(item, 'appRoleId')), member(item, 'id'))
  }
  for (const { resourceId, granted, revoked } of changes) {
    const path = `/servicePrincipals/${resourceId}/appRoleAssignedTo`
    for (const appRoleId of granted) {
      if (!assigned.has(keyOf(resourceId, appRoleId))) await assign(graph, path, { principalId, resourceId, appRoleId }, signal)
    }
    for (const appRoleId of revoked) {
      const id = assigned.get(keyOf(resourceId, appRoleId))
      if (id !== undefined) await remove(graph, `${path}/${opaqueId(id)}`, signal)
    }
  }
}

async function assign (graph: GraphClient, path: string, body: object, signal: AbortSignal): Promise<void> {
  try {
    await graph.call({ name: 'assign role', method: 'POST', path, body }, signal)
  } catch (error) {
    if (!(error instanceof DirectoryError) || error.diagnostics['reason'] !== 'role_assigned') throw error
  }
}

async function remove (graph: GraphClient, path: string, signal: AbortSignal): Promise<void> {
  await orNull(async () => await graph.call({ name: 'remove role assignment', method: 'DELETE', path }, signal))
}

function keyOf (resourceId: unknown, appRoleId: unknown): string {
  return `${String(resourceId)} ${String(appRoleId)}`.toLowerCase()
}
