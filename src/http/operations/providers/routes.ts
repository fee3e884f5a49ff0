// DCR providers and the broker's credentials there. Each handler: request, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { ProviderCredentials } from '../../../administration/provider-credentials.ts'
import type { EnvironmentProviderView } from '../../../administration/provider-records.ts'
import type { Providers } from '../../../administration/providers.ts'
import { callerOf } from '../authentication.ts'
import { readByListQuery, readListQuery } from '../listing/list-query.ts'
import { presentPage } from '../listing/pages.ts'
import { ProblemError } from '../problems.ts'
import { providerList } from './list-shape.ts'
import { presentCredential, presentProvider } from './presenter.ts'
import { operatorOf, toGivenCredential, toWantedChange, toWantedProvider } from './requests.ts'
import * as schemas from './route-schemas.ts'

export interface ProvidersApi {
  providers: Providers
  credentials: ProviderCredentials
  /** Null: it defines no provider. */
  environment: EnvironmentProviderView | null
}

export interface ProviderRoutesOptions {
  dcrProviders: ProvidersApi
}

export const providerRoutes: FastifyPluginAsyncTypebox<ProviderRoutesOptions> = async (server, { dcrProviders: { providers, credentials, environment } }) => {
  const only = (request: FastifyRequest) => callerOf(request).providerId
  const providerOf = (request: FastifyRequest) => providers.show((request.params as { id: string }).id, only(request))
  const admin = { scope: 'admin' } as const

  server.get('/dcr-providers', { schema: schemas.listProviders, config: { scope: 'read' }, ...readByListQuery(server) }, async request => {
    const query = readListQuery(providerList, request.query)
    const page = await providers.list(query, only(request))
    return presentPage(page, provider => presentProvider(provider, environment), query, request.routeOptions.url ?? request.url, request.query)
  })

  server.post('/dcr-providers', { schema: schemas.createProvider, config: admin }, async (request, reply) => {
    if (only(request) !== null) throw new ProblemError(403, 'An operator of one provider makes no others.')
    const provider = await providers.create(toWantedProvider(request.body), operatorOf(request))
    return reply.code(201).send(presentProvider(provider, environment))
  })

  server.get('/dcr-providers/:id', { schema: schemas.showProvider, config: { scope: 'read' } }, async request =>
    presentProvider(await providerOf(request), environment))

  server.patch('/dcr-providers/:id', { schema: schemas.changeProvider, config: admin }, async request =>
    presentProvider(await providers.change(await providerOf(request), toWantedChange(request.body), operatorOf(request), only(request)), environment))

  server.delete('/dcr-providers/:id', { schema: schemas.deleteProvider, config: admin }, async (request, reply) => {
    await providers.remove(await providerOf(request), request.query.force === 'true', operatorOf(request))
    return reply.code(204).send(undefined)
  })

  server.post('/dcr-providers/:id/verify', { schema: schemas.verifyProvider, config: admin }, async request =>
    await providers.verify(await providerOf(request), operatorOf(request)))

  server.post('/dcr-providers/:id/import', { schema: schemas.importProvider, config: admin }, async request =>
    presentProvider(await providers.adopt(await providerOf(request), operatorOf(request)), environment))

  server.get('/dcr-providers/:id/credentials', { schema: schemas.listCredentials, config: { scope: 'read' } }, async request =>
    ({ data: (await credentials.list(await providerOf(request))).map(presentCredential) }))

  server.post('/dcr-providers/:id/credentials', { schema: schemas.addCredential, config: admin }, async (request, reply) => {
    const provider = await providerOf(request)
    const credential = await credentials.add(provider, toGivenCredential(request.body, provider.initialClientId), operatorOf(request))
    return reply.code(201).send(presentCredential(credential))
  })

  server.post('/dcr-providers/:id/credentials/:credentialId/verify', { schema: schemas.verifyCredential, config: admin }, async request =>
    await credentials.verify(await providerOf(request), request.params.credentialId, operatorOf(request)))

  server.post('/dcr-providers/:id/credentials/:credentialId/activate', { schema: schemas.activateCredential, config: admin }, async request =>
    presentCredential(await credentials.activate(
      await providerOf(request), request.params.credentialId, request.query.force === 'true', operatorOf(request), only(request)
    )))

  server.delete('/dcr-providers/:id/credentials/:credentialId', { schema: schemas.removeCredential, config: admin }, async (request, reply) => {
    await credentials.remove(await providerOf(request), request.params.credentialId, operatorOf(request))
    return reply.code(204).send(undefined)
  })
}
