// Scopes: which names a client may register, and what they mean in Entra.
import type { PolicyRules } from '../policy.ts'
import type { ResourceAccess, ScopeMapping } from '../registration.ts'
import { refusal } from './refusals.ts'

const MICROSOFT_GRAPH = '00000003-0000-0000-c000-000000000000'

/** Entra: OpenID Connect's own scopes are delegated permissions of Microsoft Graph. Every client may ask for them. */
const IDENTITY_PERMISSIONS: ReadonlyMap<string, string> = new Map([
  ['openid', '37f7f235-527c-4136-accd-4a02d197296e'],
  ['profile', '14dad69e-099b-42c9-810b-d002981feec1'],
  ['email', '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0'],
  ['offline_access', '7427e0e9-2fba-42fe-b0c0-848c9e6a8182']
])

export const IDENTITY_SCOPES: readonly string[] = [...IDENTITY_PERMISSIONS.keys()]

type Permission = ResourceAccess['permissions'][number]

// RFC 6749 §3.3: scope-token.
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/**
 * The names of a `scope` that are known and allowed, each once, in their order. None asked for: none registered, for the client may
 * still ask for any when it authorizes.
 * @throws RegistrationError invalid_client_metadata when it is no list of scope tokens
 */
export function acceptScopes (scope: string | null, rules: PolicyRules, catalogue: ReadonlyMap<string, ScopeMapping>): string[] {
  const names = (scope ?? '').split(' ').filter(name => name !== '')
  if (names.some(name => !SCOPE_TOKEN.test(name))) {
    throw refusal('scope must be names separated by spaces, of printable ASCII characters without quotes and backslashes.')
  }
  const isAllowed = (name: string) => IDENTITY_PERMISSIONS.has(name) || (catalogue.has(name) && (rules.scopes?.includes(name) ?? true))
  return [...new Set(names)].filter(isAllowed)
}

/** What these scopes mean in Entra. Those that are not in the catalogue any more mean nothing. */
export function mappingsOf (scopes: readonly string[], catalogue: ReadonlyMap<string, ScopeMapping>): ScopeMapping[] {
  return scopes.map(name => identityMapping(name) ?? catalogue.get(name)).filter(mapping => mapping !== undefined)
}

/** Grouped by resource and sorted, so that equal scopes give equal projections. Null: nothing. */
export function resourceAccessOf (mappings: readonly ScopeMapping[]): ResourceAccess[] | null {
  const resources = new Map<string, Map<string, Permission>>()
  for (const { resourceAppId, permissionId, type } of mappings) {
    const permissions = resources.get(resourceAppId) ?? new Map<string, Permission>()
    resources.set(resourceAppId, permissions.set(`${permissionId} ${type}`, { id: permissionId, type }))
  }
  if (resources.size === 0) return null
  return sortedByKey(resources).map(([resourceAppId, permissions]) => ({
    resourceAppId, permissions: sortedByKey(permissions).map(([, permission]) => permission)
  }))
}

/** Identity scopes are granted by whoever signs in. */
function identityMapping (name: string): ScopeMapping | undefined {
  const permissionId = IDENTITY_PERMISSIONS.get(name)
  return permissionId === undefined ? undefined : { name, resourceAppId: MICROSOFT_GRAPH, permissionId, type: 'Scope', granted: false }
}

function sortedByKey<Value> (map: ReadonlyMap<string, Value>): Array<[string, Value]> {
  return [...map].sort(([one], [other]) => one < other ? -1 : 1)
}
