// The gateway listener: gateways ask here whether a client may go on. Whoever reaches /verify can try secrets: not for the public network.
import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Gateway } from '../gateway/gateway.ts'
import type { RecogniseCaller } from './callers.ts'
import { gatewayDialect, sendGatewayFailure, sendNoSuchRoute } from './gateway/errors.ts'
import { introspection } from './gateway/introspection.ts'
import type { Providers } from './gateway/presenter.ts'
import { gatewayComponents, gatewayTag } from './gateway/schemas.ts'
import { verification } from './gateway/verification.ts'
import { declaredGuards } from './guards.ts'
import { admission } from './plugins/admission.ts'
import { answerHeaders } from './plugins/answer-headers.ts'
import { authenticationFailures, type AuthenticationFailuresOptions } from './plugins/authentication-failures.ts'
import { compilers } from './plugins/compilers.ts'
import { openapi } from './plugins/openapi.ts'
import { requestLog } from './plugins/request-log.ts'
import { requestObservation, type RequestObserver } from './plugins/request-observation.ts'
import { routeMethods } from './plugins/route-methods.ts'
import { serverOptions, type Transport } from './server-options.ts'

export interface GatewayServerOptions {
  logger: FastifyBaseLogger
  gateway: Gateway
  recogniseCaller: RecogniseCaller
  providers: Providers
  /** GET /verify asks for a key of a gateway. */
  verifyNeedsKey: boolean
  version: string
  /** Left out: nobody counts or traces. */
  observer?: RequestObserver
  transport?: Transport
  authentication?: AuthenticationFailuresOptions
}

export async function buildGatewayServer (options: GatewayServerOptions): Promise<FastifyInstance> {
  const { logger, gateway, recogniseCaller, providers, verifyNeedsKey, version, observer, transport, authentication } = options
  const server: FastifyInstance = fastify(serverOptions({ logger, dialect: gatewayDialect, ...transport }))
  server.decorateRequest('caller', null)
  server.setErrorHandler(sendGatewayFailure)
  server.setNotFoundHandler(sendNoSuchRoute)
  if (observer !== undefined) await server.register(requestObservation, { observer })
  await server.register(requestLog)
  await server.register(answerHeaders, { isHttps: false })
  await server.register(authenticationFailures, { ...authentication })
  await server.register(admission, { ...transport })
  await server.register(compilers)
  await server.register(routeMethods)
  await server.register(declaredGuards)
  await server.register(openapi, {
    title: 'DCR Broker: gateways',
    description: 'For gateways: is this a client of ours, now? Failures are OAuth errors (RFC 6749 §5.2).',
    version,
    tags: [gatewayTag],
    securitySchemes: {
      gatewayBearer: { type: 'http', scheme: 'bearer', description: 'A key of a gateway, with the scope introspect.' },
      gatewayKey: { type: 'apiKey', in: 'header', name: 'X-Gateway-Key', description: 'The same key, where Authorization is the client\'s. Needed when the listener is bound beyond loopback.' },
      clientBearer: { type: 'http', scheme: 'bearer', description: 'An access token of Entra that a registered client shows.' },
      clientSecret: { type: 'http', scheme: 'basic', description: 'Id and secret of a registered client.' }
    }
  })
  for (const component of gatewayComponents) server.addSchema(component)

  await server.register(introspection, { gateway, recogniseCaller, providers })
  await server.register(verification, { gateway, recogniseCaller, needsKey: verifyNeedsKey })
  return server
}
