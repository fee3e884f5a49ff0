// Graph: application roles of a resource that are assigned to clients, seen from the resource and from the client.
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { callerOf, principalAt, requireReader, requireRole } from './access.ts'
import type { GraphCaller } from './access.ts'
import { badRequest, notFound } from './graph-errors.ts'
import { parseKey } from './odata.ts'
import { baseUrlOf } from './presentation.ts'
import type { PrincipalRecord, RoleAssignment } from './records.ts'
import type { Simulation, Tenant } from './tenants.ts'
import { objectOf } from './validation.ts'

interface Keyed { Params: { key: string } }
interface AssignmentKeyed { Params: { key: string, assignment: string } }

/** Entra: the default access, for resources without roles. */
const defaultAccess = '00000000-0000-0000-0000-000000000000'
const mostAssignments = 1500
const granters = ['AppRoleAssignment.ReadWrite.All']

export function roleAssignmentsRoutes (app: FastifyInstance, simulation: Simulation): void {
  app.get<Keyed>('/servicePrincipals/:key/appRoleAssignedTo', (request) => {
    const { caller, principal } = readPrincipal(simulation, request)
    const clients = [...caller.tenant.directory.principals.values()]
    return list(request, clients.flatMap(client => viewsOf(caller.tenant, client).filter(({ resourceId }) => resourceId === principal.id)))
  })

  app.get<Keyed>('/servicePrincipals/:key/appRoleAssignments', (request) => {
    const { caller, principal } = readPrincipal(simulation, request)
    return list(request, viewsOf(caller.tenant, principal))
  })

  app.post<Keyed>('/servicePrincipals/:key/appRoleAssignedTo', (request, reply) => {
    const caller = callerOf(request)
    requireRole(caller, granters)
    const resource = principalAt(simulation, caller, parseKey(request.params.key))
    const { principalId, resourceId, appRoleId } = objectOf(request.body)
    if (String(resourceId).toLowerCase() !== resource.id) throw badRequest('The resourceId is not the resource of the URL.')
    const client = principalAt(simulation, caller, { property: 'id', value: String(principalId) })
    const role = roleValue(resource, String(appRoleId).toLowerCase())
    if (client.roleAssignments.some(one => one.resourceAppId === resource.appId && one.role === role)) {
      throw badRequest('Permission being assigned already exists on the object')
    }
    if (client.roleAssignments.length >= mostAssignments) throw badRequest(`A service principal may have ${mostAssignments} role assignments.`)
    const assignment = { resourceAppId: resource.appId, role }
    caller.tenant.directory.write(client, { roleAssignments: [...client.roleAssignments, assignment] })
    return reply.code(201).send({
      '@odata.context': `${baseUrlOf(request)}/v1.0/$metadata#appRoleAssignments/$entity`, ...viewOf(client, resource, assignment)
    })
  })

  for (const side of ['appRoleAssignedTo', 'appRoleAssignments']) {
    app.delete<AssignmentKeyed>(`/servicePrincipals/:key/${side}/:assignment`, (request, reply) => {
      const caller = callerOf(request)
      requireRole(caller, granters)
      const { directory } = caller.tenant
      principalAt(simulation, caller, parseKey(request.params.key))
      for (const client of directory.principals.values()) {
        const kept = client.roleAssignments.filter(assignment => idOf(client, assignment) !== request.params.assignment)
        if (kept.length === client.roleAssignments.length) continue
        directory.write(client, { roleAssignments: kept })
        return reply.code(204).send()
      }
      throw notFound(request.params.assignment)
    })
  }
}

function readPrincipal (simulation: Simulation, request: FastifyRequest<Keyed>): { caller: GraphCaller, principal: PrincipalRecord } {
  const caller = callerOf(request)
  requireReader(caller)
  return { caller, principal: principalAt(simulation, caller, parseKey(request.params.key)) }
}

function roleValue (resource: PrincipalRecord, appRoleId: string): string {
  if (appRoleId === defaultAccess) return ''
  const role = resource.properties.appRoles?.find(({ id, isEnabled, allowedMemberTypes }) =>
    id?.toLowerCase() === appRoleId && isEnabled !== false && allowedMemberTypes?.includes('Application'))
  if (role === undefined) throw badRequest('Not a valid reference update.')
  return role.value ?? ''
}

function viewsOf ({ directory }: Tenant, client: PrincipalRecord) {
  return client.roleAssignments.flatMap(assignment => {
    const resource = directory.principalByAppId(assignment.resourceAppId)
    return resource === undefined ? [] : [viewOf(client, resource, assignment)]
  })
}

function viewOf (client: PrincipalRecord, resource: PrincipalRecord, assignment: RoleAssignment) {
  const role = resource.properties.appRoles?.find(({ value }) => value === assignment.role)
  return {
    id: idOf(client, assignment),
    deletedDateTime: null,
    appRoleId: assignment.role === '' ? defaultAccess : role?.id ?? defaultAccess,
    createdDateTime: new Date(client.writtenAtMs).toISOString(),
    principalDisplayName: client.properties.displayName ?? '',
    principalId: client.id,
    principalType: 'ServicePrincipal',
    resourceDisplayName: resource.properties.displayName ?? '',
    resourceId: resource.id
  }
}

/** An assignment is known by who has what, so that it needs no id of its own. */
const idOf = ({ id }: PrincipalRecord, { resourceAppId, role }: RoleAssignment): string =>
  createHash('sha256').update(`${id} ${resourceAppId} ${role}`).digest('base64url')

const list = (request: FastifyRequest, value: object[]) =>
  ({ '@odata.context': `${baseUrlOf(request)}/v1.0/$metadata#appRoleAssignments`, value })
