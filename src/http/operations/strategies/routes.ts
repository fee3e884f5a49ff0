// Auth strategies. Each handler: request, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { documentOfStrategy } from '../../../administration/strategy-document.ts'
import { judged, type JudgedStrategy, type Strategies } from '../../../administration/strategies.ts'
import type { Strategy } from '../../../administration/strategies-port.ts'
import { callerOf, operatorOf } from '../authentication.ts'
import { readByListQuery, readListQuery } from '../listing/list-query.ts'
import { presentPage } from '../listing/pages.ts'
import { invalidParametersError } from '../problems.ts'
import { strategyList } from './list-shape.ts'
import { changeStrategy, createStrategy, deleteStrategy, konnectStrategy, listStrategies, replaceStrategy, showStrategy } from './route-schemas.ts'

export interface StrategyRoutesOptions {
  strategies: Strategies
}

export const strategyRoutes: FastifyPluginAsyncTypebox<StrategyRoutesOptions> = async (server, { strategies }) => {
  const path = '/application-auth-strategies'
  const read = { config: { scope: 'read' } } as const
  const change = { config: { scope: 'admin' }, preValidation: refuseKeyAuth } as const

  server.get(path, { schema: listStrategies, ...read, ...readByListQuery(server) }, async request => {
    const query = readListQuery(strategyList, request.query)
    const page = await strategies.list(query, scopeOf(request))
    return presentPage(page, (strategy: Strategy) => present(judged(strategy)), query, request.routeOptions.url ?? request.url, request.query)
  })

  server.post(path, { schema: createStrategy, ...change }, async (request, reply) => {
    const made = await strategies.create(operatorOf(request), request.body, scopeOf(request))
    return reply.code(201).header('location', `/v2${path}/${made.strategy.id}`).send(present(made))
  })

  server.get(`${path}/:id`, { schema: showStrategy, ...read }, async request => present(await strategies.show(request.params.id, scopeOf(request))))

  server.get(`${path}/:id/konnect`, { schema: konnectStrategy, ...read }, async request =>
    await strategies.forKonnect(request.params.id, request.query.dcr_provider_id ?? null, scopeOf(request)))

  server.put(`${path}/:id`, { schema: replaceStrategy, ...change }, async request =>
    present(await strategies.replace(operatorOf(request), request.params.id, request.body, scopeOf(request))))

  server.patch(`${path}/:id`, { schema: changeStrategy, ...change }, async request =>
    present(await strategies.change(operatorOf(request), request.params.id, request.body, scopeOf(request))))

  server.delete(`${path}/:id`, { schema: deleteStrategy, config: { scope: 'admin' } }, async (request, reply) => {
    await strategies.remove(operatorOf(request), request.params.id, scopeOf(request))
    return reply.code(204).send(undefined)
  })
}

function scopeOf (request: FastifyRequest): string | null {
  return callerOf(request).providerId
}

function present ({ strategy, warnings }: JudgedStrategy) {
  return documentOfStrategy(strategy, warnings)
}

// Before the schema, whose sentence would not say why.
async function refuseKeyAuth ({ body }: FastifyRequest): Promise<void> {
  if (typeof body !== 'object' || body === null || !('strategy_type' in body) || body.strategy_type !== 'key_auth') return
  throw invalidParametersError([{
    field: 'strategy_type',
    rule: 'enum',
    reason: 'key_auth works without an identity provider: Konnect makes the keys itself and registers no client. Make that strategy in Konnect; here it is openid_connect.',
    source: 'body',
    choices: ['openid_connect']
  }])
}
