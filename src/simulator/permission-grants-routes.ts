// Graph: oauth2PermissionGrants, the consent to delegated permissions. One for a client and a resource, for everybody or for one user.
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { callerOf, principalAt, requireRole } from './access.ts'
import { badRequest, GraphError, notFound, unsupportedQuery } from './graph-errors.ts'
import { option, parseKey } from './odata.ts'
import type { ODataQuery } from './odata.ts'
import { baseUrlOf } from './presentation.ts'
import type { PermissionGrantRecord } from './records.ts'
import type { Simulation, Tenant } from './tenants.ts'
import { objectOf } from './validation.ts'

interface Keyed { Params: { key: string } }

const longestScope = 3850
const granters = ['DelegatedPermissionGrant.ReadWrite.All', 'Directory.ReadWrite.All']
const readers = [...granters, 'Directory.Read.All']

export function permissionGrantsRoutes (app: FastifyInstance, simulation: Simulation): void {
  const replace = (tenant: Tenant, grants: PermissionGrantRecord[]): void => {
    tenant.permissionGrants = grants
    simulation.changed()
  }

  app.get('/oauth2PermissionGrants', (request) => {
    const caller = callerOf(request)
    requireRole(caller, readers)
    const matches = filterOf(option(request.query as ODataQuery, '$filter'))
    return { '@odata.context': contextOf(request), value: liveGrants(caller.tenant).filter(matches) }
  })

  app.get<Keyed>('/oauth2PermissionGrants/:key', (request) => {
    const caller = callerOf(request)
    requireRole(caller, readers)
    return { '@odata.context': `${contextOf(request)}/$entity`, ...required(caller.tenant, request.params.key) }
  })

  app.post('/oauth2PermissionGrants', (request, reply) => {
    const caller = callerOf(request)
    requireRole(caller, granters)
    const { clientId, consentType, principalId = null, resourceId, scope } = objectOf(request.body)
    if (consentType !== 'AllPrincipals' && consentType !== 'Principal') throw badRequest("The consentType is 'AllPrincipals' or 'Principal'.")
    if ((consentType === 'Principal') !== (typeof principalId === 'string')) throw badRequest("A principalId belongs to the consentType 'Principal'.")
    const client = principalAt(simulation, caller, { property: 'id', value: String(clientId) })
    const resource = principalAt(simulation, caller, { property: 'id', value: String(resourceId) })
    const grant: Omit<PermissionGrantRecord, 'id'> = {
      clientId: client.id,
      consentType,
      principalId: typeof principalId === 'string' ? principalId : null,
      resourceId: resource.id,
      scope: checkedScope(scope)
    }
    const id = idOf(grant)
    const grants = liveGrants(caller.tenant)
    if (grants.some(one => one.id === id)) {
      throw new GraphError(409, 'Request_MultipleObjectsWithSameKeyValue', 'Permission entry already exists.')
    }
    replace(caller.tenant, [...grants, { id, ...grant }])
    return reply.code(201).send({ '@odata.context': `${contextOf(request)}/$entity`, id, ...grant })
  })

  app.patch<Keyed>('/oauth2PermissionGrants/:key', (request, reply) => {
    const caller = callerOf(request)
    requireRole(caller, granters)
    const grant = required(caller.tenant, request.params.key)
    const { scope, ...rest } = objectOf(request.body)
    const [other] = Object.keys(rest).filter(name => !name.startsWith('@odata.'))
    if (other !== undefined) throw badRequest(`Property '${other}' is read-only and cannot be set.`)
    const changed = { ...grant, scope: checkedScope(scope) }
    replace(caller.tenant, liveGrants(caller.tenant).map(one => one.id === grant.id ? changed : one))
    return reply.code(204).send()
  })

  app.delete<Keyed>('/oauth2PermissionGrants/:key', (request, reply) => {
    const caller = callerOf(request)
    requireRole(caller, granters)
    const { id } = required(caller.tenant, request.params.key)
    replace(caller.tenant, liveGrants(caller.tenant).filter(one => one.id !== id))
    return reply.code(204).send()
  })
}

/** Entra: a grant ends with its client and with its resource. */
const liveGrants = ({ permissionGrants, directory }: Tenant): PermissionGrantRecord[] =>
  permissionGrants.filter(({ clientId, resourceId }) => directory.principals.has(clientId) && directory.principals.has(resourceId))

function required (tenant: Tenant, segment: string): PermissionGrantRecord {
  const { value } = parseKey(segment)
  const grant = liveGrants(tenant).find(({ id }) => id === value)
  if (grant === undefined) throw notFound(value)
  return grant
}

function checkedScope (scope: unknown): string {
  if (typeof scope !== 'string' || scope.length > longestScope) {
    throw badRequest(`The scope is a string of space-separated permissions with at most ${longestScope} characters.`)
  }
  return scope.trim()
}

/** Entra: one grant for a client, a resource and a user, or everybody. */
const idOf = ({ clientId, resourceId, principalId }: Omit<PermissionGrantRecord, 'id'>): string =>
  createHash('sha256').update(`${clientId} ${resourceId} ${principalId ?? ''}`).digest('base64url')

const filterable = ['clientId', 'resourceId', 'principalId', 'consentType'] as const

/** `<property> eq '<value>'`, several joined by `and`. */
function filterOf (filter: string | undefined): (grant: PermissionGrantRecord) => boolean {
  if (filter === undefined) return () => true
  const conditions = filter.split(/\s+and\s+/i).map(condition => {
    const [, name, value] = /^\s*(\w+)\s+eq\s+'([^']*)'\s*$/.exec(condition) ?? []
    const property = filterable.find(one => one === name)
    if (property === undefined) throw unsupportedQuery(`Unsupported or invalid query filter clause '${condition}'.`)
    return (grant: PermissionGrantRecord) => grant[property] === value
  })
  return grant => conditions.every(condition => condition(grant))
}

const contextOf = (request: FastifyRequest): string => `${baseUrlOf(request)}/v1.0/$metadata#oauth2PermissionGrants`
