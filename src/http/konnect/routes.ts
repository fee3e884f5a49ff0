// The Konnect bridge: Kong's HTTP DCR contract over the use cases of the core. Each handler: command, use case, presenter.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import type { Call, ClientName } from '../../registration/access.ts'
import type { Registrar } from '../../registration/registrar.ts'
import { RegistrationError } from '../../registration/errors.ts'
import type { Caller } from '../../registration/registration.ts'
import type { RecogniseCaller } from '../callers.ts'
import { watchDelivery } from '../delivery.ts'
import type { Scope } from '../../administration/callers-port.ts'
import '../guards.ts'
import { sourceAddressOf } from '../source-address.ts'
import { sendInsufficientScope, sendKonnectError, sendNoSuchRoute, sendUnauthorized } from './errors.ts'
import { presentAddedSecret, presentApplication, presentRotatedSecret, presentSecrets } from './presenter.ts'
import { toClientEvent, toMetadataChange, toRegisterClient } from './requests.ts'
import { operations } from './route-schemas.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const needs = (scope: Scope) => ({ guard: 'konnect' as const, scope })

export interface KonnectOptions {
  registrar: Registrar
  recogniseCaller: RecogniseCaller
}

export const konnectBridge: FastifyPluginAsyncTypebox<KonnectOptions> = async (server, { registrar, recogniseCaller }) => {
  server.setErrorHandler(sendKonnectError)
  server.setNotFoundHandler(sendNoSuchRoute)

  // Before the body is read: who has no key learns nothing about what a good body looks like.
  server.addHook('onRequest', async (request, reply) => {
    const key = request.headers['x-api-key']
    request.caller = typeof key === 'string' ? await recogniseCaller('konnect', key) : null
    if (request.caller === null) {
      if (key !== undefined) server.authenticationFailed(request, 'konnect')
      return sendUnauthorized(request, reply)
    }
    const { scope } = request.routeOptions.config
    if (!request.is404 && (scope === undefined || !request.caller.scopes.includes(scope))) return sendInsufficientScope(scope, request, reply)
  })

  server.post('/', { schema: operations.createApplication, config: needs('register') }, async (request, reply) => {
    const client = await registrar.register(toRegisterClient(request.body), { ...callOf(request), elapsedMs: reply.elapsedTime })
    watchDelivery(reply, outcome => registrar.answered(client.registration.id, outcome))
    return reply.code(201).send(presentApplication(client))
  })

  server.delete('/:clientId', { schema: operations.deleteApplication, config: needs('delete') }, async (request, reply) => {
    await registrar.remove(clientOf(request.params), callOf(request))
    return reply.code(204).send(undefined)
  })

  server.post('/:clientId/new-secret', { schema: operations.rotateSecret, config: needs('rotate') }, async request =>
    presentRotatedSecret(await registrar.rotateSecret(clientOf(request.params), callOf(request))))

  server.post('/:clientId/event-hook', { schema: operations.eventHook, config: needs('register') }, async (request, reply) => {
    const client = clientOf(request.params)
    const event = toClientEvent(client.clientId, request.body)
    if (event.type === 'update_application') await registrar.update(client, toMetadataChange(request.body), event, callOf(request))
    else await registrar.recordEvent(client, event, callOf(request))
    return reply.code(200).send(undefined)
  })

  server.get('/:clientId/secrets', { schema: operations.listSecrets, config: needs('read') }, async request =>
    presentSecrets(await registrar.listSecrets(clientOf(request.params), callOf(request))))

  server.post('/:clientId/secrets', { schema: operations.addSecret, config: needs('rotate') }, async (request, reply) => {
    const secret = await registrar.addSecret(clientOf(request.params), callOf(request))
    return reply.code(201).send(presentAddedSecret(secret))
  })

  server.delete('/:clientId/secrets/:secretId', { schema: operations.deleteSecret, config: needs('rotate') }, async (request, reply) => {
    const { secretId } = request.params
    if (!UUID.test(secretId)) throw new RegistrationError('unknown_secret', 'The client has no such secret.')
    await registrar.revokeSecret(clientOf(request.params), secretId, callOf(request))
    return reply.code(204).send(undefined)
  })
}

function callOf (request: FastifyRequest): Call {
  return { caller: request.caller as Caller, requestId: request.id, sourceAddress: sourceAddressOf(request) }
}

// Every client id we gave out is a GUID; anything else was never one of ours.
function clientOf ({ clientId }: { clientId: string }): ClientName & { clientId: string } {
  if (!UUID.test(clientId)) throw new RegistrationError('unknown_client', 'There is no such client.')
  return { clientId: clientId.toLowerCase() }
}
