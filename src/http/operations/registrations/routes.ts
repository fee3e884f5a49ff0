// Registrations as operators see them. Each handler: query, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { RegistrationsReader } from '../../../registration/browse.ts'
import { callerOf } from '../authentication.ts'
import { readByListQuery, readListQuery } from '../listing/list-query.ts'
import { presentPage } from '../listing/pages.ts'
import { registrationList } from './list-shape.ts'
import { presentRegistration, presentSummary } from './presenter.ts'
import { listRegistrations, showRegistration } from './route-schemas.ts'

export interface RegistrationRoutesOptions {
  registrations: RegistrationsReader
}

export const registrationRoutes: FastifyPluginAsyncTypebox<RegistrationRoutesOptions> = async (server, { registrations }) => {
  server.get('/registrations', { schema: listRegistrations, config: { scope: 'read' }, ...readByListQuery }, async request => {
    const query = readListQuery(registrationList, request.query)
    const page = await registrations.list(query, callerOf(request))
    return presentPage(page, presentSummary, query, request.routeOptions.url ?? request.url, request.query)
  })

  server.get('/registrations/:id', { schema: showRegistration, config: { scope: 'read' } }, async request =>
    presentRegistration(await registrations.show(request.params.id, callerOf(request))))
}
