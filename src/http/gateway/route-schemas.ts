// What each route of the gateway listener takes and answers: validation, types and the OpenAPI document in one.
import { Type, type TSchema } from 'typebox'
import { ref, type DescribedRoute } from '../plugins/openapi.ts'
import { OAuthError } from '../register/schemas.ts'
import { gatewayTag, Introspection, IntrospectionRequest } from './schemas.ts'

const described = (schema: TSchema, description: string) => ({ description, content: { 'application/json': { schema: ref(schema) } } })
const failure = (description: string) => described(OAuthError, description)

const unavailable = failure('The database, or what signs the tenant\'s tokens, does not answer. Nothing is said of the client. Repeat the request after Retry-After.')
const tooMany = failure('The key is not valid, and too many such have come from this address. Retry-After says when failures are borne again; a valid one is served at any time.')

export const introspectToken = {
  tags: [gatewayTag.name],
  security: [{ gatewayBearer: [] }],
  operationId: 'introspectToken',
  summary: 'Is this the token of a registered client?',
  description: 'RFC 7662. `active` is false for what Entra has not issued, for another audience than the client\'s strategy has, and, at most a second after the change, for a client that was deleted, disabled or lost in Entra, however long Entra still accepts its token. The key may also be the password of `Authorization: Basic`, whatever the user is called.',
  consumes: ['application/x-www-form-urlencoded'],
  body: ref(IntrospectionRequest),
  response: {
    200: described(Introspection, 'What is known of it.'),
    400: failure('The parameter token is missing or there twice.'),
    401: failure('The key is missing or not valid.'),
    403: failure('The key lacks the scope introspect.'),
    413: failure('The body is too large.'),
    415: failure('The body is not application/x-www-form-urlencoded.'),
    429: tooMany,
    503: unavailable
  }
} satisfies DescribedRoute & { consumes: string[] }

const product = 'Id of an API product version or API: the client must be linked with it (Konnect\'s add_registration). Several are all demanded.'

const inQuery = Type.Object({
  product: Type.Optional(Type.Unsafe<string | string[]>({ type: ['string', 'array'], items: { type: 'string', maxLength: 255 }, maxLength: 255, maxItems: 20, description: product }))
})
export interface ProductQuery { product?: string | string[] }

const inHeader = (description: string) => ({ type: 'string', description })

const verification = {
  tags: [gatewayTag.name],
  security: [{ clientBearer: [] }, { clientSecret: [] }],
  summary: 'May this client go on?',
  querystring: inQuery,
  headers: Type.Object({ 'x-product-id': Type.Optional(Type.String({ maxLength: 2_048, description: `${product} Separated by commas.` })) }),
  response: {
    200: {
      description: 'It may.',
      headers: {
        'x-client-id': inHeader('Entra\'s appId.'),
        'x-application-id': inHeader('Konnect\'s application; empty when there is none.'),
        'x-developer-id': inHeader('Konnect\'s developer; empty when there is none.'),
        'x-scopes': inHeader('Of a token its scopes and roles, of a secret the registered scopes, separated by spaces. Whatever is not visible ASCII is percent-encoded.')
      },
      type: 'null'
    },
    400: failure('The products can\'t be read, or the request could be understood differently (two Authorization headers, say).'),
    401: failure('It may not: WWW-Authenticate says how to ask.'),
    403: failure('It is who it says, and not registered for this product.'),
    429: tooMany,
    500: failure('The gateway\'s own key is missing, not valid, or lacks the scope introspect: no fault of the client.'),
    503: unavailable
  }
}

const about = 'Forward authentication for nginx, Envoy, Traefik and others. The client shows a token of Entra (v1 or v2), or its id and secret. Neither is sent on to Entra, but for secrets that the broker does not know of adopted applications, and for strategies that want it.'

export const verifyClient = { ...verification, operationId: 'verifyClient', description: about } satisfies DescribedRoute
/** For gateways that ask with the method of the client's request. */
export const verifyClientOf = { ...verification, hide: true }
