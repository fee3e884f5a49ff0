// The operations listener: operations API, health, OpenAPI documents and their UI. Not for the public network.
import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { RecogniseCaller } from './callers.ts'
import { docs, type DocsOptions } from './docs.ts'
import { healthComponents, healthRoutes } from './health-routes.ts'
import { metricsRoute, type MetricsText } from './metrics-route.ts'
import { problemDialect, sendProblem, sendUnknownRoute } from './operations/problems.ts'
import { operationsApi, operationsComponents, operationsTags, type OperationsResources } from './operations/routes.ts'
import { admission } from './plugins/admission.ts'
import { answerHeaders } from './plugins/answer-headers.ts'
import { authenticationFailures, type AuthenticationFailuresOptions } from './plugins/authentication-failures.ts'
import { compilers } from './plugins/compilers.ts'
import type { Idempotency } from './plugins/idempotency.ts'
import { jsonBodies } from './plugins/json-bodies.ts'
import { openapi } from './plugins/openapi.ts'
import { requestLog } from './plugins/request-log.ts'
import { requestObservation, type RequestObserver } from './plugins/request-observation.ts'
import { routeMethods } from './plugins/route-methods.ts'
import type { Readiness } from './readiness.ts'
import { serverOptions, type Transport } from './server-options.ts'

export interface OperationsServerOptions {
  logger: FastifyBaseLogger
  resources: OperationsResources
  recogniseCaller: RecogniseCaller
  idempotency: Idempotency
  readiness: Readiness
  /** Of the other listeners, once they are ready. */
  documents: DocsOptions['documents']
  version: string
  metrics: MetricsText
  /** Left out: nobody counts or traces. */
  observer?: RequestObserver
  transport?: Transport
  authentication?: AuthenticationFailuresOptions
}

export async function buildOperationsServer (options: OperationsServerOptions): Promise<FastifyInstance> {
  const { logger, recogniseCaller, readiness, documents, version, resources, metrics, observer, idempotency, transport, authentication } = options
  const server: FastifyInstance = fastify(serverOptions({ logger, dialect: problemDialect, ...transport }))
  server.decorateRequest('caller', null)
  server.setErrorHandler(sendProblem)
  server.setNotFoundHandler(sendUnknownRoute)
  if (observer !== undefined) await server.register(requestObservation, { observer })
  await server.register(requestLog)
  // No setting says how operators reach it: who puts TLS before it lets that tell browsers so.
  await server.register(answerHeaders, { isHttps: false })
  await server.register(authenticationFailures, { ...authentication })
  await server.register(admission, { ...transport })
  await server.register(jsonBodies)
  await server.register(compilers)
  await server.register(routeMethods)
  await server.register(openapi, {
    title: 'DCR Broker: operations',
    description: 'For the operators of the broker. Failures are problem documents (RFC 9457).',
    version,
    tags: [...operationsTags, { name: 'Health', description: 'For orchestrators, load balancers and Prometheus; no key needed.' }],
    securitySchemes: { operatorKey: { type: 'http', scheme: 'bearer', description: 'An operator key, or an Entra access token of an operator with an app role. Scopes decide what it may do.' } }
  })
  for (const component of [...operationsComponents, ...healthComponents]) server.addSchema(component)

  await server.register(healthRoutes, { readiness })
  await server.register(metricsRoute, { metrics })
  await server.register(operationsApi, { prefix: '/v2', recogniseCaller, resources, idempotency })
  await server.register(docs, { documents })
  return server
}
