// The operations API. Each handler: query, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { RegistrationsReader } from '../../registration/browse.ts'
import type { Caller } from '../../registration/registration.ts'
import type { RecogniseCaller } from '../callers.ts'
import { operatorAuthentication } from './authentication.ts'
import { readListQuery } from './list-query.ts'
import { presentPage, presentRegistration } from './presenter.ts'
import { listRegistrations, showRegistration } from './route-schemas.ts'

export interface OperationsApiOptions {
  registrations: RegistrationsReader
  recogniseCaller: RecogniseCaller
}

export const operationsApi: FastifyPluginAsyncTypebox<OperationsApiOptions> = async (server, { registrations, recogniseCaller }) => {
  await server.register(operatorAuthentication, { recogniseCaller })

  server.get('/registrations', {
    schema: listRegistrations,
    config: { scope: 'read' },
    // readListQuery knows more rules than a schema, and finds all faults at once.
    validatorCompiler: () => () => true
  }, async request => {
    const query = readListQuery(request.query)
    const page = await registrations.list(query, callerOf(request))
    return presentPage(page, query, request.routeOptions.url ?? request.url, request.query)
  })

  server.get('/registrations/:id', { schema: showRegistration, config: { scope: 'read' } }, async request =>
    presentRegistration(await registrations.show(request.params.id, callerOf(request))))
}

function callerOf (request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error('The route is not guarded')
  return request.caller
}
