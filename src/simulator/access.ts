// Who calls Graph, and what its roles allow: reads with any application role, writes of what it owns under
// Application.ReadWrite.OwnedBy, writes of everything under Application.ReadWrite.All.
import type { FastifyRequest } from 'fastify'
import { backingApplicationDenied, concurrencyViolation, denied, GraphError, invalidToken, notFound, quotaExceeded } from './graph-errors.ts'
import type { ODataKey } from './odata.ts'
import type { ApplicationRecord, DirectoryRecord, PrincipalRecord } from './records.ts'
import { aadGraphAppId, graphAppId } from './tokens.ts'
import type { Simulation, Tenant } from './tenants.ts'
import { errors } from 'jose'

/** The authenticated caller of one Graph request. */
export interface GraphCaller {
  tenant: Tenant
  appId: string
  principalId: string
  roles: ReadonlySet<string>
}

const readers = ['Application.ReadWrite.OwnedBy', 'Application.ReadWrite.All', 'Application.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All',
  'AppRoleAssignment.ReadWrite.All']
const writersOfAll = ['Application.ReadWrite.All', 'Directory.ReadWrite.All']
const graphAudiences = new Set([graphAppId, 'https://graph.microsoft.com', 'https://graph.microsoft.com/'])

export const callerOf = (request: FastifyRequest): GraphCaller => request.getDecorator<GraphCaller>('graphCaller')

/** Opens the bearer token. Throws GraphError 401 InvalidAuthenticationToken. */
export async function authenticate (authorization: string | undefined, simulation: Simulation): Promise<GraphCaller> {
  const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1]
  if (token === undefined) throw invalidToken('Access token is empty.')
  const claims = await simulation.signer.openForGraph(token, simulation.now()).catch((error: unknown) => {
    throw invalidToken(error instanceof errors.JWTExpired
      ? 'Lifetime validation failed, the token is expired.'
      : 'CompactToken parsing failed with error code: 80049217')
  })
  const tenant = simulation.tenants.get(String(claims['tid']))
  if (!graphAudiences.has(String(claims.aud)) || String(claims.aud) === aadGraphAppId || tenant === undefined) {
    throw invalidToken('Access token validation failure. Invalid audience.')
  }
  const roles = Array.isArray(claims['roles']) ? claims['roles'].map(String) : []
  return { tenant, appId: String(claims['appid'] ?? claims['azp']), principalId: String(claims['oid']), roles: new Set(roles) }
}

const hasAny = (caller: GraphCaller, roles: readonly string[]): boolean => roles.some(role => caller.roles.has(role))

export function requireReader (caller: GraphCaller): void {
  if (!hasAny(caller, readers)) throw denied()
}

/** Throws GraphError 403 unless the caller has one of these application roles. */
export function requireRole (caller: GraphCaller, roles: readonly string[]): void {
  if (!hasAny(caller, roles)) throw denied()
}

/** May make objects; their creator becomes their owner. Throws GraphError 403, also when a quota is used up. */
export function requireCreator (caller: GraphCaller): void {
  if (!caller.roles.has('Application.ReadWrite.OwnedBy') && !hasAny(caller, writersOfAll)) throw denied()
  const { policy, directory } = caller.tenant
  if (policy.objectsPerCreator !== null && directory.objectsMadeBy(caller.appId) >= policy.objectsPerCreator) throw quotaExceeded('Principal')
  if (policy.objectsPerTenant !== null && directory.objectCount >= policy.objectsPerTenant) throw quotaExceeded('Tenant')
}

export const mayChange = (caller: GraphCaller, record: DirectoryRecord): boolean =>
  hasAny(caller, writersOfAll) ||
  (caller.roles.has('Application.ReadWrite.OwnedBy') && record.ownerIds.includes(caller.principalId))

/** May change this object now. Throws GraphError 403, or 409 when the last write was too recent. */
export function requireWriter (simulation: Simulation, caller: GraphCaller, record: DirectoryRecord): void {
  if (!mayChange(caller, record)) throw denied()
  const { concurrencyWindowMs } = simulation.lag
  const hasBeenWritten = record.writtenAtMs > record.createdAtMs || record.passwords.length > 0
  if (concurrencyWindowMs > 0 && hasBeenWritten && simulation.now() - record.writtenAtMs < concurrencyWindowMs) throw concurrencyViolation()
}

/** Under OwnedBy a service principal may be made only for an application the caller owns. */
export function requireBackingOwner (caller: GraphCaller, application: ApplicationRecord): void {
  if (!mayChange(caller, application)) throw backingApplicationDenied()
}

/** The live application with this key. Throws GraphError 404, also while it has not replicated. */
export function applicationAt (simulation: Simulation, { tenant }: GraphCaller, key: ODataKey): ApplicationRecord {
  const record = findApplication(tenant, key)
  if (record === undefined || record.createdAtMs + simulation.lag.readDelayMs > simulation.now()) throw notFound(key.value)
  return record
}

/** The live application with this key, whether it has replicated or not. Throws GraphError 400 for a key Graph does not have. */
export function findApplication ({ directory }: Tenant, { property, value }: ODataKey): ApplicationRecord | undefined {
  if (property === 'id') return directory.applications.get(value.toLowerCase())
  if (property === 'appId') return directory.applicationByAppId(value)
  if (property !== 'uniqueName') throw unknownKey(property, 'application')
  const holder = directory.holderOfUniqueName(value)
  return holder?.deletedAtMs === null ? holder : undefined
}

/** As `applicationAt`, for service principals: by id or appId. */
export function principalAt (simulation: Simulation, { tenant }: GraphCaller, { property, value }: ODataKey): PrincipalRecord {
  if (property !== 'id' && property !== 'appId') throw unknownKey(property, 'servicePrincipal')
  const record = property === 'id' ? tenant.directory.principals.get(value.toLowerCase()) : tenant.directory.principalByAppId(value)
  if (record === undefined || record.createdAtMs + simulation.lag.readDelayMs > simulation.now()) throw notFound(value)
  return record
}

const unknownKey = (property: string, type: string): GraphError => new GraphError(400, 'BadRequest',
  `The property '${property}' is not a key of the resource type 'microsoft.graph.${type}'.`)
