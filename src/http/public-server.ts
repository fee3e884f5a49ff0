// The public listener: the standard's surfaces (registration, management, metadata), a service's own registrations, and the Konnect bridge.
import { fastify, type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { RegistrationsReader } from '../registration/browse.ts'
import type { Registrar } from '../registration/registrar.ts'
import type { RecogniseCaller } from './callers.ts'
import { declaredGuards } from './guards.ts'
import { konnectDialect, sendKonnectError, sendNoSuchRoute } from './konnect/errors.ts'
import { konnectBridge } from './konnect/routes.ts'
import { konnectComponents } from './konnect/route-schemas.ts'
import { AuthorizationServerMetadata } from './metadata/document.ts'
import { metadata, metadataTag, type AuthorizationServers } from './metadata/routes.ts'
import { ownRegistrations, ownRegistrationsComponents, ownRegistrationsTag } from './own-registrations/routes.ts'
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
import type { RecogniseRegistrant } from './register/authentication.ts'
import type { Providers } from './register/issuer.ts'
import { registerTag, securitySchemes } from './register/route-schemas.ts'
import { registration, type RegistrationMode } from './register/routes.ts'
import { registerComponents } from './register/schemas.ts'
import { serverOptions, type Transport } from './server-options.ts'

export interface PublicServerOptions {
  logger: FastifyBaseLogger
  registrar: Registrar
  registrations: RegistrationsReader
  recogniseCaller: RecogniseCaller
  recogniseRegistrant: RecogniseRegistrant
  registrationMode: RegistrationMode
  providers: Providers
  authorizationServers: AuthorizationServers
  version: string
  /** Base of the paths in the OpenAPI document; relative when null. */
  publicUrl: string | null
  /** The same for issuers and management addresses. Asked per request: a sandbox with PORT=0 knows it only once it listens. */
  issuerBase: () => string
  idempotency: Idempotency
  /** Left out: nobody counts or traces. */
  observer?: RequestObserver
  transport?: Transport
  authentication?: AuthenticationFailuresOptions
}

export async function buildPublicServer (options: PublicServerOptions): Promise<FastifyInstance> {
  const { registrar, registrations, recogniseCaller, recogniseRegistrant, registrationMode, providers, authorizationServers, issuerBase, idempotency } = options
  const isHttps = options.publicUrl?.startsWith('https:') === true
  const server: FastifyInstance = fastify(serverOptions({ logger: options.logger, dialect: konnectDialect, isHttps, ...options.transport }))
  server.decorateRequest('caller', null)
  // Also for what belongs to no surface.
  server.setErrorHandler(sendKonnectError)
  server.setNotFoundHandler(sendNoSuchRoute)
  if (options.observer !== undefined) await server.register(requestObservation, { observer: options.observer })
  await server.register(requestLog)
  await server.register(answerHeaders, { isHttps })
  await server.register(authenticationFailures, { ...options.authentication })
  await server.register(admission, { ...options.transport })
  await server.register(jsonBodies)
  await server.register(compilers)
  await server.register(routeMethods)
  await server.register(declaredGuards)
  await server.register(openapi, {
    title: 'DCR Broker',
    description: 'Dynamic client registration for Microsoft Entra ID.',
    version: options.version,
    url: options.publicUrl,
    tags: [
      registerTag,
      ownRegistrationsTag,
      metadataTag,
      { name: 'Konnect bridge', description: 'Kong Konnect\'s HTTP DCR contract. The API key decides the Entra tenant.' }
    ],
    securitySchemes: {
      ...securitySchemes,
      konnectApiKey: { type: 'apiKey', in: 'header', name: 'X-API-KEY', description: 'A key of the Konnect DCR provider; several are valid at once.' }
    }
  })
  for (const component of [...registerComponents, ...ownRegistrationsComponents, AuthorizationServerMetadata, ...konnectComponents]) server.addSchema(component)

  await server.register(registration, { registrar, recognise: recogniseRegistrant, mode: registrationMode, providers, publicUrl: issuerBase, idempotency })
  await server.register(metadata, { authorizationServers, registers: registrationMode !== 'disabled', publicUrl: issuerBase })
  await server.register(ownRegistrations, { registrar, registrations, recognise: recogniseRegistrant, providers, idempotency })
  await server.register(konnectBridge, { prefix: '/konnect', registrar, recogniseCaller })
  return server
}
