// Graph: service principals. Create, upsert by appId, read, list, change, delete.
import type { ServicePrincipal } from '@microsoft/microsoft-graph-types'
import type { FastifyInstance } from 'fastify'
import { callerOf, principalAt, requireBackingOwner, requireCreator, requireReader, requireWriter } from './access.ts'
import type { GraphCaller } from './access.ts'
import { prefersCreation } from './applications-routes.ts'
import { backingApplicationDenied, badRequest, noBackingApplication, sameKeyValue } from './graph-errors.ts'
import { parseKey } from './odata.ts'
import { sendCreated, sendList, sendSeen } from './presentation.ts'
import type { PrincipalRecord } from './records.ts'
import type { Simulation } from './tenants.ts'
import { applyChanges, objectOf } from './validation.ts'

interface Keyed { Params: { key: string } }

export function principalsRoutes (app: FastifyInstance, simulation: Simulation): void {
  app.get('/servicePrincipals', (request) => {
    const caller = callerOf(request)
    requireReader(caller)
    const { directory } = caller.tenant
    return sendList(simulation, request, 'servicePrincipals', {
      type: 'servicePrincipal',
      records: directory.principals.values(),
      exact: (property, value) => property === 'appId' ? directory.principalByAppId(value) : null
    })
  })

  app.post('/servicePrincipals', (request, reply) => {
    const caller = callerOf(request)
    const { appId, ...body } = objectOf(request.body)
    if (typeof appId !== 'string') throw badRequest('The appId of the service principal is missing.')
    if (caller.tenant.directory.principalByAppId(appId) !== undefined) throw sameKeyValue('appId')
    return sendCreated(request, reply, 'servicePrincipals', createPrincipal(simulation, caller, appId, body))
  })

  app.get<Keyed>('/servicePrincipals/:key', (request) => {
    const caller = callerOf(request)
    requireReader(caller)
    return sendSeen(simulation, request, 'servicePrincipals', principalAt(simulation, caller, parseKey(request.params.key)))
  })

  app.patch<Keyed>('/servicePrincipals/:key', (request, reply) => {
    const caller = callerOf(request)
    const key = parseKey(request.params.key)
    const { appId, ...body } = objectOf(request.body)
    const isUpsert = key.property === 'appId' && prefersCreation(request)
    const record = isUpsert ? caller.tenant.directory.principalByAppId(key.value) : principalAt(simulation, caller, key)
    if (record === undefined) return sendCreated(request, reply, 'servicePrincipals', createPrincipal(simulation, caller, key.value, body))
    if (appId !== undefined && appId !== record.appId) throw badRequest("Property 'appId' is read-only and cannot be set.")
    requireWriter(simulation, caller, record)
    caller.tenant.directory.write(record, { properties: applyChanges('ServicePrincipal', record.properties, body) })
    return reply.code(204).send()
  })

  app.delete<Keyed>('/servicePrincipals/:key', (request, reply) => {
    const caller = callerOf(request)
    const record = principalAt(simulation, caller, parseKey(request.params.key))
    requireWriter(simulation, caller, record)
    caller.tenant.directory.softDelete(record)
    return reply.code(204).send()
  })
}

function createPrincipal (simulation: Simulation, caller: GraphCaller, appId: string, body: Record<string, unknown>): PrincipalRecord {
  requireCreator(caller)
  const { lag } = simulation
  const { directory } = caller.tenant
  const application = directory.applicationByAppId(appId)
  if (application === undefined || application.createdAtMs + lag.principalDelayMs > simulation.now()) {
    throw lag.principalRefusal === 'denied' ? backingApplicationDenied() : noBackingApplication(appId)
  }
  requireBackingOwner(caller, application)
  const { displayName } = application.properties
  const changes: ServicePrincipal = applyChanges('ServicePrincipal', { displayName: displayName ?? '' }, body)
  return directory.createPrincipal(application.appId, changes, { appId: caller.appId, principalId: caller.principalId })
}
