// Adoption as operators allow it. Each handler: query or command, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Adoptions } from '../../../administration/adoptions.ts'
import type { Operator } from '../../../administration/operator.ts'
import { callerOf } from '../authentication.ts'
import { readByListQuery, readListQuery } from '../listing/list-query.ts'
import { presentPage } from '../listing/pages.ts'
import { sourceAddressOf } from '../../source-address.ts'
import { permitList } from './list-shape.ts'
import { presentPermit } from './presenter.ts'
import { changeSetting, createPermit, deletePermit, listPermits, showSetting } from './route-schemas.ts'

export interface AdoptionRoutesOptions {
  adoptions: Adoptions
}

export const adoptionRoutes: FastifyPluginAsyncTypebox<AdoptionRoutesOptions> = async (server, { adoptions }) => {
  server.get('/adoptions', { schema: listPermits, config: { scope: 'read' }, ...readByListQuery(server) }, async request => {
    const query = readListQuery(permitList, request.query)
    const page = await adoptions.list(query, callerOf(request))
    return presentPage(page, presentPermit, query, request.routeOptions.url ?? request.url, request.query)
  })

  server.post('/adoptions', { schema: createPermit, config: { scope: 'admin' } }, async (request, reply) => {
    const { provider = 'default', client_id: clientId } = request.body
    const permit = await adoptions.permit({ provider, clientId }, callerOf(request), operatorOf(request))
    return reply.code(201).send(presentPermit(permit))
  })

  server.delete('/adoptions/:id', { schema: deletePermit, config: { scope: 'admin' } }, async (request, reply) => {
    await adoptions.withdraw(request.params.id, callerOf(request), operatorOf(request))
    return reply.code(204).send(undefined)
  })

  server.get('/adoptions/providers/:provider', { schema: showSetting, config: { scope: 'read' } }, async request =>
    await adoptions.showSetting(request.params.provider, callerOf(request)))

  server.patch('/adoptions/providers/:provider', { schema: changeSetting, config: { scope: 'admin' } }, async request => {
    const setting = { provider: request.params.provider, enabled: request.body.enabled }
    return await adoptions.changeSetting(setting, callerOf(request), operatorOf(request))
  })
}

function operatorOf (request: FastifyRequest): Operator {
  return { actor: callerOf(request).id, requestId: request.id, sourceAddress: sourceAddressOf(request) }
}
