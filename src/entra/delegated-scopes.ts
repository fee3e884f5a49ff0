// Delegated scopes that a client may use for every user of the tenant (oauth2PermissionGrants): one grant per resource, all its scopes in one text.
import { DirectoryError } from '../registration/ports.ts'
import { orNull } from './absence.ts'
import { itemsOf } from './collection.ts'
import type { GraphClient } from './graph-client.ts'
import { member } from './json.ts'
import { literal, opaqueId } from './odata.ts'
import type { GrantChange } from './grant-change.ts'

interface Grant {
  id: unknown
  values: string[]
}

/** Adds and removes values in the grant of each resource. Values that are neither granted nor revoked were given by somebody else and stay. */
export async function syncDelegatedScopes (
  graph: GraphClient, principalId: string, changes: readonly GrantChange[], signal: AbortSignal
): Promise<void> {
  const grants = await grantsOf(graph, principalId, signal)
  for (const change of changes) await syncGrant(graph, principalId, change, grants.get(change.resourceId.toLowerCase()), signal)
}

async function syncGrant (
  graph: GraphClient, principalId: string, { resourceId, granted, revoked, values }: GrantChange, grant: Grant | undefined, signal: AbortSignal
): Promise<void> {
  const valuesOf = (ids: ReadonlySet<string>): string[] => [...ids].flatMap(id => values.get(id) ?? []).filter(value => value !== '')
  const held = grant?.values ?? []
  const kept = held.filter(value => !valuesOf(revoked).includes(value))
  const added = valuesOf(granted).filter(value => !held.includes(value))
  if (kept.length === held.length && added.length === 0) return
  const scope = [...kept, ...new Set(added)].join(' ')
  if (grant === undefined) {
    const body = { clientId: principalId, consentType: 'AllPrincipals', resourceId, scope }
    await graph.call({ name: 'grant scopes', method: 'POST', path: '/oauth2PermissionGrants', body }, signal)
    return
  }
  const path = `/oauth2PermissionGrants/${opaqueId(grant.id)}`
  if (scope === '') await orNull(async () => await graph.call({ name: 'remove grant', method: 'DELETE', path }, signal))
  else await changeGrant(graph, path, scope, signal)
}

async function changeGrant (graph: GraphClient, path: string, scope: string, signal: AbortSignal): Promise<void> {
  const changed = await orNull(async () => await graph.call({ name: 'change grant', method: 'PATCH', path, body: { scope } }, signal))
  // The client is there: it is the list that was old, and a repeat makes a new grant.
  if (changed === null) throw new DirectoryError('conflicting', 'a permission grant has just been removed', { diagnostics: { reason: 'grant_gone' } })
}

/** By the resource's object id. What single users consented to is theirs. */
async function grantsOf (graph: GraphClient, principalId: string, signal: AbortSignal): Promise<Map<string, Grant>> {
  const path = `/oauth2PermissionGrants?$filter=clientId eq ${literal(principalId)} and consentType eq 'AllPrincipals'`
  const grants = new Map<string, Grant>()
  for await (const item of itemsOf(graph, 'list permission grants', path, signal)) {
    // The filter is not trusted: a grant of another client must not be changed.
    if (member(item, 'consentType') !== 'AllPrincipals' || String(member(item, 'clientId')).toLowerCase() !== principalId.toLowerCase()) continue
    const values = String(member(item, 'scope') ?? '').split(/\s+/).filter(value => value !== '')
    grants.set(String(member(item, 'resourceId')).toLowerCase(), { id: member(item, 'id'), values })
  }
  return grants
}
