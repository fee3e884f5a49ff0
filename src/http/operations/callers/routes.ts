// Callers as operators make and revoke them. Each handler: request, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Callers } from '../../../administration/callers.ts'
import { callerOf, operatorOf } from '../authentication.ts'
import { readByListQuery, readListQuery } from '../listing/list-query.ts'
import { presentPage } from '../listing/pages.ts'
import { callerList } from './list-shape.ts'
import { presentCaller } from './presenter.ts'
import { toCallerChanges, toWantedCaller } from './requests.ts'
import { changeCaller, createCaller, listCallers, revokeCaller, showCaller } from './route-schemas.ts'

export interface CallerRoutesOptions {
  callers: Callers
}

const read = { scope: 'read' } as const
const admin = { scope: 'admin' } as const

export const callerRoutes: FastifyPluginAsyncTypebox<CallerRoutesOptions> = async (server, { callers }) => {
  server.get('/callers', { schema: listCallers, config: read, ...readByListQuery(server) }, async request => {
    const query = readListQuery(callerList, request.query)
    const page = await callers.list(query, callerOf(request))
    return presentPage(page, presentCaller, query, request.routeOptions.url ?? request.url, request.query)
  })

  server.post('/callers', { schema: createCaller, config: admin }, async (request, reply) => {
    const { caller, token } = await callers.create(toWantedCaller(request.body), operatorOf(request), callerOf(request))
    return reply.code(201).send({ ...presentCaller(caller), token })
  })

  server.get('/callers/:id', { schema: showCaller, config: read }, async request => presentCaller(await callers.show(request.params.id, callerOf(request))))

  server.patch('/callers/:id', { schema: changeCaller, config: admin }, async request =>
    presentCaller(await callers.change(request.params.id, toCallerChanges(request.body), operatorOf(request), callerOf(request))))

  server.delete('/callers/:id', { schema: revokeCaller, config: admin }, async (request, reply) => {
    await callers.revoke(request.params.id, operatorOf(request), callerOf(request))
    return reply.code(204).send(undefined)
  })
}
