// What a tenant is furnished with: Microsoft's own principals, the broker's identity, and two resources to ask tokens for.
import { randomUUID } from 'node:crypto'
import type { Application } from '@microsoft/microsoft-graph-types'
import { complexDefaults } from './application-defaults.ts'
import { newPassword } from './passwords-routes.ts'
import type { DirectoryRecord, RoleAssignment } from './records.ts'
import type { ClientIdentity, Tenant } from './tenants.ts'
import { aadGraphAppId, graphAppId } from './tokens.ts'

/** Microsoft Graph's application roles that the simulator knows, with their real ids. */
const graphRoles: Readonly<Record<string, string>> = {
  'Application.ReadWrite.OwnedBy': '18a4783c-866b-4cc7-a460-3d5e5662c884',
  'Application.ReadWrite.All': '1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9',
  'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
  'Directory.Read.All': '7ab1d382-f21e-4acd-a863-ba3e13f7da61',
  'Directory.ReadWrite.All': '19dbc75e-c2e2-444c-a770-ec69d8559fc7',
  'AppRoleAssignment.ReadWrite.All': '06b708a9-e830-4db3-a914-8e69da51d44f',
  'DelegatedPermissionGrant.ReadWrite.All': '8e8e4742-1d95-4f68-9d56-6ee75648c72a'
}

/** Microsoft Graph's delegated permissions that the simulator knows, with their real ids. */
const graphScopes: Readonly<Record<string, string>> = {
  openid: '37f7f235-527c-4136-accd-4a02d197296e',
  profile: '14dad69e-099b-42c9-810b-d002981feec1',
  email: '64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0',
  offline_access: '7427e0e9-2fba-42fe-b0c0-848c9e6a8182',
  'User.Read': 'e1fe6dd8-ba31-4d61-89e7-88639da4683d'
}

/** The tenant that Microsoft's own applications live in. */
const microsoftTenantId = 'f8cdef31-a31e-4b4a-93e4-5f571e91255a'

/** Furnishes an empty tenant. `brokerRoles` are the broker's application roles on Microsoft Graph. */
export function seedTenant (tenant: Tenant, brokerRoles: readonly string[], nowMs: number): void {
  const { directory } = tenant
  const graph = directory.createPrincipal(graphAppId, {}, null, {
    displayName: 'Microsoft Graph', names: ['https://graph.microsoft.com'], tenantId: microsoftTenantId
  })
  directory.write(graph, {
    properties: {
      ...graph.properties,
      appRoles: Object.entries(graphRoles).map(([value, id]) =>
        ({ id, value, displayName: value, description: value, allowedMemberTypes: ['Application'], isEnabled: true, origin: 'Application' })),
      oauth2PermissionScopes: Object.entries(graphScopes).map(([value, id]) => permissionScope({ value, id }))
    }
  })
  directory.createPrincipal(aadGraphAppId, {}, null, {
    displayName: 'Windows Azure Active Directory', names: ['https://graph.windows.net'], tenantId: microsoftTenantId
  })
  const scopes = ['user_impersonation']
  addResource(tenant, { displayName: 'Gateway (v1 tokens)', identifierUris: ['api://gateway-v1'], requestedAccessTokenVersion: null, scopes })
  addResource(tenant, { displayName: 'Gateway (v2 tokens)', identifierUris: ['api://gateway-v2'], requestedAccessTokenVersion: 2, scopes })
  const assignments = brokerRoles.map(role => ({ resourceAppId: graphAppId, role }))
  tenant.broker = addClient(tenant, { displayName: 'DCR Broker', nowMs, assignments })
  settle([...directory.applications.values(), ...directory.principals.values()])
}

/** Makes objects long since replicated: lag must not hit what was there before. */
function settle (records: readonly DirectoryRecord[]): void {
  for (const record of records) {
    record.createdAtMs = record.writtenAtMs = 0
    record.passwords = record.passwords.map(password => ({ ...password, addedAtMs: 0 }))
  }
}

/** A resource that clients ask tokens for, as an administrator would make it. */
export interface ResourceOptions {
  displayName: string
  /** App ID URIs; the first is the usual one. */
  identifierUris: readonly string[]
  /** What its tokens look like: null and 1 are v1. Default null. */
  requestedAccessTokenVersion?: 1 | 2 | null
  /** Delegated permissions: a value, or a value that only administrators can consent to. */
  scopes?: ReadonlyArray<string | { value: string, adminOnly: boolean }>
  /** Values of application roles. */
  appRoles?: readonly string[]
}

/** What clients and administrators call it by. */
export interface ResourceIdentity {
  appId: string
  /** Object id of its service principal. */
  principalId: string
  /** Ids of its delegated permissions, by value. */
  scopeIds: Record<string, string>
  /** Ids of its application roles, by value. */
  appRoleIds: Record<string, string>
}

/** Adds a resource application and its principal. */
export function addResource ({ directory }: Tenant, options: ResourceOptions): ResourceIdentity {
  const { displayName, identifierUris, requestedAccessTokenVersion = null, scopes = [], appRoles = [] } = options
  const oauth2PermissionScopes = scopes.map(scope =>
    permissionScope({ id: randomUUID(), ...(typeof scope === 'string' ? { value: scope } : { value: scope.value, adminOnly: scope.adminOnly }) }))
  const roles = appRoles.map(value =>
    ({ id: randomUUID(), value, displayName: value, description: value, allowedMemberTypes: ['Application'], isEnabled: true, origin: 'Application' }))
  const api: Application['api'] = { ...complexDefaults['api']?.(), requestedAccessTokenVersion, oauth2PermissionScopes }
  const application = directory.createApplication({ displayName, identifierUris: [...identifierUris], api, appRoles: roles }, null, null)
  const principal = directory.createPrincipal(application.appId, {}, null)
  settle([application, principal])
  return {
    appId: application.appId,
    principalId: principal.id,
    scopeIds: Object.fromEntries(oauth2PermissionScopes.map(({ value, id }) => [value, id])),
    appRoleIds: Object.fromEntries(roles.map(({ value, id }) => [value, id]))
  }
}

const permissionScope = ({ id, value, adminOnly = false }: { id: string, value: string, adminOnly?: boolean }) => ({
  id,
  value,
  type: adminOnly ? 'Admin' : 'User',
  isEnabled: true,
  adminConsentDisplayName: value,
  adminConsentDescription: value,
  userConsentDisplayName: value,
  userConsentDescription: value
})

/** Adds a client that nobody registered through the broker, with a secret of ten years and roles on resources. */
export function addClient (
  { directory }: Tenant, options: { displayName: string, nowMs: number, assignments?: readonly RoleAssignment[] }
): ClientIdentity {
  const { displayName, nowMs, assignments = [] } = options
  const application = directory.createApplication({ displayName }, null, null)
  const principal = directory.createPrincipal(application.appId, {}, null)
  principal.roleAssignments = assignments
  const start = new Date(nowMs)
  const end = new Date(nowMs)
  end.setUTCFullYear(end.getUTCFullYear() + 10)
  const { record, secretText } = newPassword({
    displayName: 'seed', startDateTime: start.toISOString(), endDateTime: end.toISOString(), nowMs
  })
  directory.write(application, { passwords: [record] })
  settle([application, principal])
  return { clientId: application.appId, clientSecret: secretText }
}
