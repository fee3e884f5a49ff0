// Registrations as their callers see them, operators or owners. Each handler: query or command, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Call } from '../../../registration/access.ts'
import type { RegistrationsReader } from '../../../registration/browse.ts'
import type { Registrar } from '../../../registration/registrar.ts'
import { callerOf } from '../authentication.ts'
import { readByListQuery, readListQuery } from '../listing/list-query.ts'
import { presentPage } from '../listing/pages.ts'
import { sourceAddressOf } from '../../source-address.ts'
import { auditList, registrationList } from './list-shape.ts'
import { presentAuditEntry, presentRegistration, presentRotatedSecret, presentSummary } from './presenter.ts'
import { operatorOperations, operatorsPlace, ownOperations, registrationOperations, type Place } from './route-schemas.ts'

export interface RegistrationRoutesOptions {
  registrations: RegistrationsReader
  registrar: Pick<Registrar, 'rotateSecret' | 'describe' | 'disable' | 'enable' | 'resume' | 'removeRegistration'>
}

/** On the operations listener: whatever the operator may see. */
export const registrationRoutes: FastifyPluginAsyncTypebox<RegistrationRoutesOptions> = async (server, { registrations, registrar }) => {
  const operations = operatorOperations()
  await server.register(commonRoutes, { registrations, registrar, place: operatorsPlace })

  server.patch('/registrations/:id', { schema: operations.describe, config: { scope: 'admin' } }, async (request, reply) => {
    await registrar.describe(request.params.id, request.body, callOf(request, reply))
    return await shown(registrations, request)
  })

  server.delete('/registrations/:id', { schema: operations.remove, config: { scope: 'delete' } }, async (request, reply) => {
    await registrar.removeRegistration(request.params.id, { purge: request.query.purge === 'true' }, callOf(request, reply))
    return reply.code(204).send(undefined)
  })

  server.get('/registrations/:id/audit', { schema: operations.audit, config: { scope: 'audit' }, ...readByListQuery(server) }, async request => {
    const query = readListQuery(auditList, request.query)
    const page = await registrations.audit(request.params.id, query, callerOf(request))
    return presentPage(page, presentAuditEntry, query, pathOf(request), request.query)
  })

  for (const action of ['disable', 'enable', 'resume'] as const) {
    server.post(`/registrations/:id/${action}`, { schema: operations[action], config: { scope: 'admin' } }, async (request, reply) => {
      await registrar[action](request.params.id, callOf(request, reply))
      return await shown(registrations, request)
    })
  }
}

/** On the public listener: what the caller has registered himself. */
export const ownRegistrationRoutes: FastifyPluginAsyncTypebox<RegistrationRoutesOptions & { place: Place }> = async (server, options) => {
  const { registrations, registrar, place } = options
  const operations = ownOperations(place)
  await server.register(commonRoutes, options)

  server.patch('/registrations/:id', { schema: operations.describe, config: { guard: place.guard, scope: 'register' } }, async (request, reply) => {
    await registrar.describe(request.params.id, request.body, callOf(request, reply))
    return await shown(registrations, request)
  })

  server.delete('/registrations/:id', { schema: operations.remove, config: { guard: place.guard, scope: 'delete' } }, async (request, reply) => {
    await registrar.removeRegistration(request.params.id, { purge: false }, callOf(request, reply))
    return reply.code(204).send(undefined)
  })
}

const commonRoutes: FastifyPluginAsyncTypebox<RegistrationRoutesOptions & { place: Place }> = async (server, { registrations, registrar, place }) => {
  const operations = registrationOperations(place)

  server.get('/registrations', { schema: operations.list, config: { guard: place.guard, scope: 'read' }, ...readByListQuery(server) }, async request => {
    const query = readListQuery(registrationList, request.query)
    const page = await registrations.list(query, callerOf(request))
    return presentPage(page, presentSummary, query, pathOf(request), request.query)
  })

  server.get('/registrations/:id', { schema: operations.show, config: { guard: place.guard, scope: 'read' } }, async request => await shown(registrations, request))

  server.post('/registrations/:id/rotate', { schema: operations.rotate, config: { guard: place.guard, scope: 'rotate' } }, async (request, reply) => {
    const { id } = request.params
    return presentRotatedSecret(id, await registrar.rotateSecret({ registrationId: id }, callOf(request, reply)))
  })
}

async function shown (registrations: RegistrationsReader, request: FastifyRequest) {
  return presentRegistration(await registrations.show((request.params as { id: string }).id, callerOf(request)))
}

/** As it was asked for: of the default provider or of another. */
function pathOf ({ url }: FastifyRequest): string {
  return url.split('?', 1)[0] ?? url
}

/** Looking up the caller has taken its part of the request's deadline. */
function callOf (request: FastifyRequest, reply: FastifyReply): Call {
  return {
    caller: callerOf(request),
    requestId: request.id,
    sourceAddress: sourceAddressOf(request),
    elapsedMs: reply.elapsedTime,
    idempotencyRecordId: request.keyed?.id ?? null
  }
}
