// /healthz: the process answers. /readyz: it can serve. Both without a key: orchestrators have none, and the answers tell no secrets.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { ref, type DescribedRoute } from './plugins/openapi.ts'
import type { CheckState, Readiness, TenantState } from './readiness.ts'

const word = <Name extends string>(names: Name[]) => Type.Unsafe<Name>({ type: 'string', enum: names })

const Liveness = Type.Object({ status: word(['ok']) }, { $id: 'Liveness', description: 'The process answers.', examples: [{ status: 'ok' }] })

const ReadinessView = Type.Object({
  status: word(['ready', 'not_ready', 'draining']),
  checks: Type.Record(Type.String(), word<CheckState>(['ok', 'failed', 'timed_out']), { description: 'Parts of this replica; one that fails makes it not ready.' }),
  tenants: Type.Record(Type.String(), word<TenantState>(['unknown', 'usable', 'failing']), { description: 'Entra tenants by provider; they never decide the status.' })
}, {
  $id: 'Readiness',
  description: 'Whether this replica can serve.',
  examples: [{ status: 'ready', checks: { database: 'ok', migrations: 'ok', keyring: 'ok', started: 'ok' }, tenants: { default: 'usable' } }]
})

/** Components of the document, referred to by name. */
export const healthComponents = [Liveness, ReadinessView]

const common = { tags: ['Health'], security: [] }
const answer = (description: string) => ({ description, content: { 'application/json': { schema: ref(ReadinessView) } } })

const liveness = {
  ...common,
  operationId: 'isAlive',
  summary: 'Is the process alive?',
  description: 'Looks at nothing: a restart would not mend a database that is away.',
  response: { 200: ref(Liveness) }
} satisfies DescribedRoute

const readiness = {
  ...common,
  operationId: 'isReady',
  summary: 'Can this replica serve?',
  description: 'The parts are asked at most once a second and when start-up is over, each for at most two seconds.',
  response: { 200: answer('It can serve.'), 503: answer('It can\'t serve, or is about to stop.') }
} satisfies DescribedRoute

export const healthRoutes: FastifyPluginAsyncTypebox<{ readiness: Readiness }> = async (server, options) => {
  // Probes come every few seconds: they would bury the log.
  server.get('/healthz', { schema: liveness, logLevel: 'warn' }, async () => ({ status: 'ok' as const }))

  server.get('/readyz', { schema: readiness, logLevel: 'warn' }, async (_request, reply) => {
    const { ready, draining, checks, tenants } = await options.readiness.report()
    const status = draining ? 'draining' as const : ready ? 'ready' as const : 'not_ready' as const
    return await reply.code(ready ? 200 : 503).send({ status, checks, tenants })
  })
}
