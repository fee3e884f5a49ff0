// Registration (RFC 7591) and management (RFC 7592) over the use cases of the core. Each handler: command, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Holder, ManagementRequest } from '../../registration/managed-client.ts'
import { toRequestedMetadata } from '../../registration/metadata/requested-document.ts'
import { documentOfPreview } from '../../registration/preview.ts'
import type { Registrar } from '../../registration/registrar.ts'
import type { Provider } from '../../registration/registration.ts'
import { watchDelivery } from '../delivery.ts'
import '../guards.ts'
import { idempotency as idempotencyKeys, type Idempotency } from '../plugins/idempotency.ts'
import { RequestRefusal } from '../refusals.ts'
import { sourceAddressOf } from '../source-address.ts'
import { authenticateHolder, authenticateRegistrant, isFailedAuthentication, type RecogniseRegistrant } from './authentication.ts'
import { standardDialect } from './dialect.ts'
import { DEFAULT_PROVIDER, issuerOf, type Providers } from './issuer.ts'
import { managementUri, presentClient } from './presenter.ts'
import { toRegisterDocument, toReplaceDocument } from './requests.ts'
import { failure, operationsAt, type Place } from './route-schemas.ts'

/** `disabled`: nobody registers; what is registered stays managed. Who registers in the other modes, `recognise` knows. */
export type RegistrationMode = 'open' | 'token' | 'disabled'

export type StandardRegistrar =
  Pick<Registrar, 'registerDocument' | 'preview' | 'answered' | 'holderOf' | 'readRegistration' | 'replaceRegistration' | 'endRegistration'>

export interface RegistrationOptions {
  registrar: StandardRegistrar
  recognise: RecogniseRegistrant
  mode: RegistrationMode
  providers: Providers
  /** Base of the URLs handed out; a sandbox with PORT=0 knows it only once it listens. */
  publicUrl: () => string
  idempotency: Idempotency
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set before the handlers of registration and management run. */
    provider: Provider | null
    /** Who has shown the token of the client in the path. */
    holder: Holder | null
  }
}

/** Serves /register, and /t/<provider>/register for every provider but the default one. */
export async function registration (server: FastifyInstance, options: RegistrationOptions): Promise<void> {
  await server.register(registrationRoutes, { prefix: '/register', place: 'default', ...options })
  await server.register(registrationRoutes, { prefix: '/t/:provider/register', place: 'named', ...options })
}

const registrationRoutes: FastifyPluginAsyncTypebox<RegistrationOptions & { place: Place }> = async (server, options) => {
  const { registrar, recognise, mode, providers, publicUrl, place, idempotency } = options
  const operations = operationsAt(place)
  await server.register(standardDialect)
  server.decorateRequest('provider', null)
  server.decorateRequest('holder', null)

  // Before the body is read: who has no token learns nothing about what a good document looks like.
  server.addHook('onRequest', async request => {
    const { guard, scope } = request.routeOptions.config
    if (guard === undefined) return
    request.provider = providerOf(providers, request)
    try {
      if (guard === 'holder') {
        const { clientId } = request.params as { clientId: string }
        request.holder = await authenticateHolder(registrar, request.provider.id, clientId, request)
      } else {
        request.caller = await authenticateRegistrant(recognise, request.provider.id, scope, request)
      }
    } catch (error) {
      if (isFailedAuthentication(error, request)) server.authenticationFailed(request, guard)
      throw error
    }
  })

  await server.register(idempotencyKeys, {
    idempotency,
    overtimeMs: 2_000,
    failure,
    registrationOf: () => 'new',
    // Everybody without a token is the same caller: what one of them has registered is not told to another. A dry run makes nothing.
    takesKey: ({ caller, query }) => caller?.kind !== 'anonymous' && (query as { dry_run?: string }).dry_run !== 'true',
    onRepeat: (reply, registrationId) => {
      if (registrationId !== null) watchDelivery(reply, outcome => registrar.answered(registrationId, outcome))
    }
  })

  if (mode !== 'disabled') {
    server.post('', { schema: operations.register, config: { guard: 'registrant', scope: 'register' } }, async (request, reply) => {
      const call = { caller: known(request.caller), ...timedRequest(request, reply) }
      if (request.query.dry_run === 'true') return documentOfPreview(await registrar.preview(toRequestedMetadata(request.body), call))
      const document = toRegisterDocument(request.body, call.caller, request.keyed, request.headers['idempotency-key'])
      const client = await registrar.registerDocument(document, call)
      // It may be one that is shared.
      if (request.keyed !== null) request.keyed.resourceId = client.registration.id
      watchDelivery(reply, outcome => registrar.answered(client.registration.id, outcome))
      const issuer = issuerOfRequest(request)
      if (client.managementToken !== null) reply.header('location', managementUri(issuer, client.clientId))
      return reply.code(201).send(presentClient(client, issuer))
    })
  }

  const managed = { config: { guard: 'holder' } } as const

  server.get('/:clientId', { ...managed, schema: operations.read }, async (request, reply) =>
    presentClient(await registrar.readRegistration(known(request.holder), timedRequest(request, reply)), issuerOfRequest(request)))

  server.put('/:clientId', { ...managed, schema: operations.replace }, async (request, reply) => {
    const document = toReplaceDocument(request.body, request.params.clientId)
    return presentClient(await registrar.replaceRegistration(known(request.holder), document, timedRequest(request, reply)), issuerOfRequest(request))
  })

  server.delete('/:clientId', { ...managed, schema: operations.end }, async (request, reply) => {
    await registrar.endRegistration(known(request.holder), timedRequest(request, reply))
    return reply.code(204).send(undefined)
  })

  function issuerOfRequest (request: FastifyRequest): string {
    return issuerOf(publicUrl(), known(request.provider).name)
  }
}

// One address per provider: the default one has no second name.
function providerOf (providers: Providers, request: FastifyRequest): Provider {
  const { provider: name } = request.params as { provider?: string }
  const provider = name === DEFAULT_PROVIDER ? null : providers.named(name ?? DEFAULT_PROVIDER)
  if (provider === null) throw new RequestRefusal(404, 'There is no such provider.')
  return provider
}

/** Looking up a token has taken its part of the request's deadline. */
function timedRequest (request: FastifyRequest, reply: FastifyReply): ManagementRequest {
  return { requestId: request.id, sourceAddress: sourceAddressOf(request), elapsedMs: reply.elapsedTime }
}

function known<T> (value: T | null): T {
  if (value === null) throw new Error('The route is not guarded')
  return value
}
