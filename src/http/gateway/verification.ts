// GET /verify: forward authentication, as nginx (auth_request), Envoy (ext_authz), Traefik (forwardAuth) and others ask it. 2xx: the request goes on, with
// the headers that name its client. 401, 403: it does not.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Gateway } from '../../gateway/gateway.ts'
import { GUID, type Refusal } from '../../gateway/verdict.ts'
import type { Caller } from '../../registration/registration.ts'
import type { RecogniseCaller } from '../callers.ts'
import { authenticateGateway } from './authentication.ts'
import { readBasic, readCredential } from './credential.ts'
import { GatewayRefusal, REALM, send } from './errors.ts'
import { headersOf } from './presenter.ts'
import { verifyClient, verifyClientOf, type ProductQuery } from './route-schemas.ts'

export interface VerificationOptions {
  gateway: Pick<Gateway, 'verify'>
  recogniseCaller: RecogniseCaller
  needsKey: boolean
}

/** Envoy asks with the method of the request that it asks about. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

export async function verification (server: FastifyInstance, { gateway, recogniseCaller, needsKey }: VerificationOptions): Promise<void> {
  // Whatever comes along is the client's and is not read.
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', (_request, _payload, done) => { done(null) })

  /** Null: no key was shown, and none is needed. */
  async function gatewayOf (request: FastifyRequest): Promise<Caller | null> {
    const key = request.headers['x-gateway-key']
    const shown = typeof key === 'string' ? key : null
    if (!needsKey && shown === null) return null
    try {
      return await authenticateGateway(server, recogniseCaller, shown, request)
    } catch (error) {
      // Gateways pass 401 and 403 on: clients would throw away what is good, for a fault that is not theirs.
      throw error instanceof GatewayRefusal ? new GatewayRefusal(500, 'server_error', 'The key of the gateway is missing, not valid, or lacks the scope introspect.') : error
    }
  }

  // Before the parameters: who is not known to be a gateway learns nothing of them.
  server.addHook('onRequest', async request => {
    // A type that nobody can read would be 415, about a body that is not read.
    delete request.headers['content-type']
    request.caller = await gatewayOf(request)
  })

  async function verify (request: FastifyRequest, reply: FastifyReply, products: readonly string[]): Promise<FastifyReply> {
    // One line for each request of each client would bury the log: what is refused is told below.
    request.isUnlogged = true
    const shown = readCredential(request.headers.authorization)
    const { accepted, refusal } = await gateway.verify({ shown, products, providerId: request.caller?.providerId ?? null })
    return accepted === null ? refuse(request, reply, refusal) : reply.code(200).headers(headersOf(accepted)).send()
  }

  const config = { guard: 'client' } as const
  const askedAbout = async (request: FastifyRequest<{ Querystring: ProductQuery }>, reply: FastifyReply): Promise<FastifyReply> => {
    // What stands behind /verify/ is the client's own address, and so is its query; the router takes `/verify/` for `/verify`.
    const isClientsQuery = request.url.startsWith('/verify/')
    const { validationError } = request
    if (validationError !== undefined && !(isClientsQuery && validationError.validationContext === 'querystring')) throw validationError
    return await verify(request, reply, productsOf(request, isClientsQuery ? undefined : request.query.product))
  }
  server.route<{ Querystring: ProductQuery }>({ method: 'GET', url: '/verify', schema: verifyClient, attachValidation: true, config, handler: askedAbout })
  const others = METHODS.filter(method => method !== 'GET' && method !== 'HEAD')
  server.route<{ Querystring: ProductQuery }>({ method: others, url: '/verify', schema: verifyClientOf, attachValidation: true, config, handler: askedAbout })
  server.route<{ Querystring: ProductQuery }>({ method: METHODS, url: '/verify/*', schema: { hide: true }, config, handler: askedAbout })
}

/** Each that is named is demanded: a client that adds one makes it harder for itself. */
function productsOf ({ headers }: FastifyRequest, inQuery: string | string[] | undefined): string[] {
  return [headers['x-product-id'] ?? [], inQuery ?? []].flat().flatMap(text => text.split(',')).map(text => text.trim()).filter(text => text !== '')
}

const SENTENCES: Record<Refusal, string> = {
  nothing_shown: 'A bearer token or the client\'s id and secret are required.',
  malformed: 'The Authorization header is neither Bearer nor Basic, or can\'t be read.',
  unknown_client: 'The client is not known.',
  wrong_secret: 'The client\'s secret is not valid.',
  too_many_wrong_secrets: 'The client\'s secret is not valid.',
  client_not_active: 'The client is not active.',
  method_not_allowed: 'The client may not authenticate this way.',
  invalid_token: 'The token is not valid.',
  unregistered_product: 'The client is not registered for this product.'
}

function refuse (request: FastifyRequest, reply: FastifyReply, refusal: Refusal): FastifyReply {
  const { authorization = '' } = request.headers
  if (refusal !== 'too_many_wrong_secrets') request.log.info({ refusal, clientId: clientShownIn(authorization) }, 'A client was refused')
  const sentence = SENTENCES[refusal]
  const isBasic = /^Basic(\s|$)/i.test(authorization)
  if (refusal === 'unregistered_product') {
    // RFC 6750 §3.1. Another secret would not help, so there is no challenge for Basic.
    if (!isBasic) reply.header('www-authenticate', `Bearer ${REALM}, error="insufficient_scope"`)
    return send(reply, 403, 'insufficient_scope', sentence)
  }
  if (isBasic) {
    reply.header('www-authenticate', `Basic ${REALM}, charset="UTF-8"`)
    return send(reply, 401, 'invalid_client', sentence)
  }
  // RFC 6750 §3: who has shown nothing is told how to, and no error. One header: some gateways pass on one alone.
  const isShown = /^Bearer(\s|$)/i.test(authorization)
  reply.header('www-authenticate', isShown ? `Bearer ${REALM}, error="invalid_token", error_description="${sentence}"` : `Bearer ${REALM}, Basic ${REALM}`)
  return send(reply, 401, isShown ? 'invalid_token' : 'invalid_request', sentence)
}

/** For the log: an application id is no secret; anything else may be one. */
function clientShownIn (authorization: string): string | undefined {
  const clientId = readBasic(authorization)?.clientId ?? ''
  return GUID.test(clientId) ? clientId.toLowerCase() : undefined
}
