// The `scope` of a user's sign-in: which resource it names, whether its permissions exist, and who has consented to them.
import { parameterMissing, resourceNotFound } from './aadsts-errors.ts'
import type { ApplicationRecord, PrincipalRecord } from './records.ts'
import {
  consentRequired, defaultScopeMixed, permissionUnknown, resourceDisabled, resourceMismatch, resourceNotRequired, scopesOfSeveralResources
} from './sign-in-errors.ts'
import type { Tenant } from './tenants.ts'
import { graphAppId } from './tokens.ts'

export interface Client {
  application: ApplicationRecord
  principal: PrincipalRecord
}

/** What a scope asks for, checked. */
export interface DelegatedAccess {
  resource: PrincipalRecord
  /** The resource as the client named it; Microsoft Graph when it named none. */
  named: string
  /** Values of the resource's delegated permissions, for `scp`. */
  permissions: string[]
  /** Those of openid, profile, email and offline_access that were asked for. */
  identityScopes: string[]
  /** The `scope` of the answer. */
  granted: string
}

const identityScopes = ['openid', 'profile', 'email', 'offline_access']
const everything = '.default'

/**
 * Reads and checks a scope. `resources`: the values of the parameter `resource` (RFC 8707).
 * Throws AadstsError: 900144, 28000, 500011, 9010010, 70011, 650053, 650057, 65001.
 */
export function delegatedAccess (
  tenant: Tenant, client: Client, { scope, resources }: { scope: string | undefined, resources: readonly string[] }
): DelegatedAccess {
  const scopes = (scope ?? '').split(' ').filter(one => one !== '')
  if (scopes.length === 0) throw parameterMissing('scope')
  const asked = scopes.filter(one => !identityScopes.includes(one)).map(namedPermission)
  const named = asked[0]?.resource ?? graphAppId
  const resource = tenant.directory.principalByName(named)
  if (resource === undefined) throw resourceNotFound(named, tenant.id)
  if (asked.some(other => tenant.directory.principalByName(other.resource) !== resource)) throw scopesOfSeveralResources(scope ?? '')
  requireMatching(resource, resources)
  if (resource.properties.accountEnabled === false) throw resourceDisabled(resource.appId)
  const wanted = asked.map(({ permission }) => permission)
  const permissions = wanted.includes(everything)
    ? defaultPermissions(tenant, client, resource, { wanted, scope: scope ?? '', named })
    : requireKnown(client, resource, wanted)
  requireConsent(tenant, client, resource, permissions)
  const identity = scopes.filter(one => identityScopes.includes(one))
  return {
    resource,
    named,
    permissions,
    identityScopes: identity,
    granted: grantedScope(resource.appId === graphAppId ? identity.filter(one => one !== 'offline_access') : [], asked, permissions, named)
  }
}

/** Entra: `<resource>/<permission>`; a name without a resource is a permission of Microsoft Graph. */
function namedPermission (scope: string): { resource: string, permission: string } {
  const at = scope.lastIndexOf('/')
  return at < 0 ? { resource: graphAppId, permission: scope } : { resource: scope.slice(0, at), permission: scope.slice(at + 1) }
}

/** Entra: `resource` must be an identifier of the resource that the scope names, letter by letter: a slash at the end is one too many. */
function requireMatching (resource: PrincipalRecord, resources: readonly string[]): void {
  const names = (resource.properties.servicePrincipalNames ?? []).map(name => name.toLowerCase())
  if (resources.some(one => !names.includes(one.toLowerCase()))) throw resourceMismatch()
}

function requireKnown ({ application }: Client, resource: PrincipalRecord, wanted: readonly string[]): string[] {
  const known = enabledScopes(resource)
  for (const permission of wanted) {
    if (!known.some(scope => scope.value === permission)) {
      throw permissionUnknown(application.properties.displayName ?? '', permission, resource.appId)
    }
  }
  return [...new Set(wanted)]
}

/** Entra: `.default` stands for what the client's registration lists for the resource, and what was granted besides. */
function defaultPermissions (
  tenant: Tenant, { application, principal }: Client, resource: PrincipalRecord,
  { wanted, scope, named }: { wanted: readonly string[], scope: string, named: string }
): string[] {
  if (wanted.some(permission => permission !== everything)) throw defaultScopeMixed(scope)
  const listed = (application.properties.requiredResourceAccess ?? [])
    .filter(({ resourceAppId }) => resourceAppId?.toLowerCase() === resource.appId)
    .flatMap(({ resourceAccess }) => resourceAccess ?? [])
  const ids = new Set(listed.filter(({ type }) => type === 'Scope').map(({ id }) => id?.toLowerCase()))
  const values = enabledScopes(resource).filter(({ id }) => ids.has(id?.toLowerCase())).map(({ value }) => value ?? '')
  const permissions = [...new Set([...values, ...grantedTo(tenant, principal, resource)])]
  const isOwnResource = resource.appId === application.appId
  if (permissions.length === 0 && !isOwnResource) throw resourceNotRequired(application.properties.displayName ?? '', named)
  return permissions
}

const enabledScopes = ({ properties }: PrincipalRecord) =>
  (properties.oauth2PermissionScopes ?? []).filter(({ isEnabled }) => isEnabled !== false)

/** The user consents at once to what users may consent to; the rest needs a grant for everybody. */
function requireConsent (tenant: Tenant, { application, principal }: Client, resource: PrincipalRecord, permissions: readonly string[]): void {
  const granted = grantedTo(tenant, principal, resource)
  const byUsers = tenant.policy.userConsentForbidden
    ? []
    : enabledScopes(resource).filter(({ type }) => type !== 'Admin').map(({ value }) => value ?? '')
  if (!permissions.every(permission => granted.includes(permission) || byUsers.includes(permission))) {
    throw consentRequired(application.appId, application.properties.displayName ?? '')
  }
}

function grantedTo (tenant: Tenant, client: PrincipalRecord, resource: PrincipalRecord): string[] {
  return tenant.permissionGrants
    .filter(grant => grant.clientId === client.id && grant.resourceId === resource.id && grant.consentType === 'AllPrincipals')
    .flatMap(({ scope }) => scope.split(' ').filter(value => value !== ''))
}

/** Entra: what is Microsoft Graph's comes without a prefix when it was asked for so; `.default` is answered with what it stood for. */
function grantedScope (
  identity: readonly string[], asked: ReadonlyArray<{ resource: string, permission: string }>, permissions: readonly string[], named: string
): string {
  const isPrefixed = asked.length > 0 && asked.every(({ resource }) => resource !== graphAppId)
  const own = permissions.map(permission => isPrefixed ? `${named}/${permission}` : permission)
  const list = [...identity, ...own]
  return (list.length === 0 ? asked.map(({ resource, permission }) => `${resource}/${permission}`) : list).join(' ')
}
