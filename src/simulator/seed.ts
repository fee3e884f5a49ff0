// What a tenant is furnished with: Microsoft's own principals, the broker's identity, and two resources to ask tokens for.
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
  'Directory.ReadWrite.All': '19dbc75e-c2e2-444c-a770-ec69d8559fc7'
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
        ({ id, value, displayName: value, description: value, allowedMemberTypes: ['Application'], isEnabled: true, origin: 'Application' }))
    }
  })
  directory.createPrincipal(aadGraphAppId, {}, null, {
    displayName: 'Windows Azure Active Directory', names: ['https://graph.windows.net'], tenantId: microsoftTenantId
  })
  addResource(tenant, { displayName: 'Gateway (v1 tokens)', identifierUri: 'api://gateway-v1', requestedAccessTokenVersion: null })
  addResource(tenant, { displayName: 'Gateway (v2 tokens)', identifierUri: 'api://gateway-v2', requestedAccessTokenVersion: 2 })
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

/** Adds a resource application and its principal, as an administrator would. Resolves its appId. */
export function addResource (
  { directory }: Tenant, options: { displayName: string, identifierUri: string, requestedAccessTokenVersion: 1 | 2 | null }
): string {
  const { displayName, identifierUri, requestedAccessTokenVersion } = options
  const api: Application['api'] = { ...complexDefaults['api']?.(), requestedAccessTokenVersion }
  const record = directory.createApplication({ displayName, identifierUris: [identifierUri], api }, null, null)
  directory.createPrincipal(record.appId, {}, null)
  return record.appId
}

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
