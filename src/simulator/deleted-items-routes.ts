// Graph: what was deleted and can be restored for 30 days.
import type { FastifyInstance } from 'fastify'
import { callerOf, requireReader, requireWriter } from './access.ts'
import { badRequest, notFound, sameKeyValue } from './graph-errors.ts'
import { baseUrlOf, sendList, sendSeen, viewOf } from './presentation.ts'
import type { DirectoryRecord } from './records.ts'
import type { Simulation } from './tenants.ts'

interface Keyed { Params: { id: string } }

export function deletedItemsRoutes (app: FastifyInstance, simulation: Simulation): void {
  for (const type of ['application', 'servicePrincipal'] as const) {
    app.get(`/directory/deletedItems/microsoft.graph.${type}`, (request) => {
      const caller = callerOf(request)
      requireReader(caller)
      const records = [...caller.tenant.directory.deleted.values()].filter(record => record.kind === type)
      return sendList<DirectoryRecord>(simulation, request, 'directory/deletedItems', { type, records: records.sort(bySequence) })
    })
  }

  app.get<Keyed>('/directory/deletedItems/:id', (request) => {
    const caller = callerOf(request)
    requireReader(caller)
    const record = caller.tenant.directory.deletedById(request.params.id)
    if (record === undefined) throw notFound(request.params.id)
    return sendSeen(simulation, request, 'directory/deletedItems', record)
  })

  app.delete<Keyed>('/directory/deletedItems/:id', (request, reply) => {
    const caller = callerOf(request)
    const record = caller.tenant.directory.deletedById(request.params.id)
    if (record === undefined) throw notFound(request.params.id)
    requireWriter(simulation, caller, record)
    caller.tenant.directory.purge(record)
    return reply.code(204).send()
  })

  app.post<Keyed>('/directory/deletedItems/:id/restore', (request) => {
    const caller = callerOf(request)
    const { directory } = caller.tenant
    const record = directory.deletedById(request.params.id)
    if (record === undefined) throw notFound(request.params.id)
    requireWriter(simulation, caller, record)
    if (record.kind === 'servicePrincipal') {
      if (directory.applicationByAppId(record.appId) === undefined) throw badRequest('Cannot restore ServicePrincipal without backing Application.')
      if (directory.principalByAppId(record.appId) !== undefined) throw sameKeyValue('appId')
    }
    directory.restore(record)
    return {
      '@odata.context': `${baseUrlOf(request)}/v1.0/$metadata#directoryObjects/$entity`,
      '@odata.type': `#microsoft.graph.${record.kind}`,
      ...viewOf(record)
    }
  })
}

const bySequence = (a: DirectoryRecord, b: DirectoryRecord): number => a.sequence - b.sequence
