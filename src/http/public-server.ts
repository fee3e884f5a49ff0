// The public listener: the Konnect bridge (and, later, the standard's surfaces).
import helmet from '@fastify/helmet'
import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Registrar } from '../registration/registrar.ts'
import type { RecogniseCaller } from './callers.ts'
import { konnectDialect, sendKonnectError, sendNoSuchRoute } from './konnect/errors.ts'
import { konnectBridge } from './konnect/routes.ts'
import { konnectComponents } from './konnect/route-schemas.ts'
import { admission } from './plugins/admission.ts'
import { answerHeaders } from './plugins/answer-headers.ts'
import { jsonBodies } from './plugins/json-bodies.ts'
import { openapi } from './plugins/openapi.ts'
import { requestLog } from './plugins/request-log.ts'
import { serverOptions } from './server-options.ts'

export interface PublicServerOptions {
  logger: FastifyBaseLogger
  registrar: Registrar
  recogniseCaller: RecogniseCaller
  version: string
  /** Base of the URLs handed out; relative in the document when null. */
  publicUrl: string | null
}

export async function buildPublicServer (options: PublicServerOptions): Promise<FastifyInstance> {
  const server: FastifyInstance = fastify(serverOptions(options.logger, konnectDialect))
  server.decorateRequest('caller', null)
  // Also for what belongs to no surface.
  server.setErrorHandler(sendKonnectError)
  server.setNotFoundHandler(sendNoSuchRoute)
  await server.register(helmet)
  await server.register(requestLog)
  await server.register(answerHeaders)
  await server.register(admission)
  await server.register(jsonBodies)
  await server.register(openapi, {
    title: 'DCR Broker',
    description: 'Dynamic client registration for Microsoft Entra ID.',
    version: options.version,
    url: options.publicUrl,
    tags: [{ name: 'Konnect bridge', description: 'Kong Konnect\'s HTTP DCR contract. The API key decides the Entra tenant.' }],
    securitySchemes: {
      konnectApiKey: { type: 'apiKey', in: 'header', name: 'X-API-KEY', description: 'A key of the Konnect DCR provider; several are valid at once.' }
    }
  })
  for (const component of konnectComponents) server.addSchema(component)

  await server.register(konnectBridge, { prefix: '/konnect', registrar: options.registrar, recogniseCaller: options.recogniseCaller })
  return server
}
