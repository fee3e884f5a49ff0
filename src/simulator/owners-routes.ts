// Graph: owners of applications and service principals, listed and changed by reference.
import type { FastifyInstance } from 'fastify'
import { applicationAt, callerOf, principalAt, requireReader, requireWriter } from './access.ts'
import { badRequest, notFound } from './graph-errors.ts'
import { parseKey } from './odata.ts'
import { baseUrlOf, viewOf } from './presentation.ts'
import type { Simulation } from './tenants.ts'
import { objectOf } from './validation.ts'

interface Keyed { Params: { key: string } }
interface OwnerKeyed { Params: { key: string, ownerId: string } }

const mostOwners = 100

export function ownersRoutes (app: FastifyInstance, simulation: Simulation): void {
  const sets = [['/applications', applicationAt], ['/servicePrincipals', principalAt]] as const
  for (const [path, recordAt] of sets) {
    app.get<Keyed>(`${path}/:key/owners`, (request) => {
      const caller = callerOf(request)
      requireReader(caller)
      const { ownerIds } = recordAt(simulation, caller, parseKey(request.params.key))
      return {
        '@odata.context': `${baseUrlOf(request)}/v1.0/$metadata#directoryObjects`,
        value: ownerIds.map(id => {
          const owner = caller.tenant.directory.principals.get(id)
          return { '@odata.type': '#microsoft.graph.servicePrincipal', ...(owner === undefined ? { id } : viewOf(owner)) }
        })
      }
    })

    app.post<Keyed>(`${path}/:key/owners/$ref`, (request, reply) => {
      const caller = callerOf(request)
      const record = recordAt(simulation, caller, parseKey(request.params.key))
      requireWriter(simulation, caller, record)
      const ownerId = referencedId(objectOf(request.body)['@odata.id'])
      if (!caller.tenant.directory.principals.has(ownerId)) throw notFound(ownerId)
      if (record.ownerIds.includes(ownerId)) {
        throw badRequest("One or more added object references already exist for the following modified properties: 'owners'.")
      }
      if (record.ownerIds.length >= mostOwners) throw badRequest(`An object may have ${mostOwners} owners.`)
      caller.tenant.directory.write(record, { ownerIds: [...record.ownerIds, ownerId] })
      return reply.code(204).send()
    })

    app.delete<OwnerKeyed>(`${path}/:key/owners/:ownerId/$ref`, (request, reply) => {
      const caller = callerOf(request)
      const record = recordAt(simulation, caller, parseKey(request.params.key))
      requireWriter(simulation, caller, record)
      const ownerId = request.params.ownerId.toLowerCase()
      if (!record.ownerIds.includes(ownerId)) throw notFound(ownerId)
      caller.tenant.directory.write(record, { ownerIds: record.ownerIds.filter(id => id !== ownerId) })
      return reply.code(204).send()
    })
  }
}

function referencedId (reference: unknown): string {
  const id = /\/(?:directoryObjects|servicePrincipals|users)\/([\da-f-]{36})$/i.exec(String(reference))?.[1]
  if (id === undefined) throw badRequest("The value of '@odata.id' is not a reference to a directory object.")
  return id.toLowerCase()
}
