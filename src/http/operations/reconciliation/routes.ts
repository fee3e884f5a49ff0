// The reconciler as operators see and steer it. Each handler: command, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Reconciler } from '../../../reconciliation/reconciler.ts'
import { callerOf, operatorOf } from '../authentication.ts'
import { presentReports } from './presenter.ts'
import { adoptUnknown, purgeUnknown, releaseHold, runNow, showReports } from './route-schemas.ts'

export interface ReconciliationRoutesOptions {
  reconciler: Omit<Reconciler, 'round' | 'close'>
}

export const reconciliationRoutes: FastifyPluginAsyncTypebox<ReconciliationRoutesOptions> = async (server, { reconciler }) => {
  server.get('/reconciliation', { schema: showReports, config: { scope: 'read' } }, async request =>
    presentReports(await reconciler.reports(callerOf(request))))

  server.post('/reconciliation/run', { schema: runNow, config: { scope: 'admin' } }, async (request, reply) => {
    const { provider = null, dry_run: isDry = false } = request.body
    const { isFinished, reports } = await reconciler.run({ provider, isDry }, callerOf(request))
    return reply.code(isFinished ? 200 : 202).send(presentReports(reports))
  })

  server.post('/reconciliation/release', { schema: releaseHold, config: { scope: 'admin' } }, async request =>
    ({ released: await reconciler.release(request.body.provider ?? null, callerOf(request), operatorOf(request)) }))

  server.post('/reconciliation/applications/:clientId/adopt', { schema: adoptUnknown, config: { scope: 'admin' } }, async (request, reply) => {
    const id = await reconciler.adopt(request.params.clientId, request.body.caller_id ?? null, callerOf(request), operatorOf(request))
    return reply.code(201).send({ id })
  })

  server.post('/reconciliation/applications/:clientId/purge', { schema: purgeUnknown, config: { scope: 'admin' } }, async (request, reply) => {
    await reconciler.purge(request.params.clientId, callerOf(request), operatorOf(request))
    return reply.code(204).send(undefined)
  })
}
