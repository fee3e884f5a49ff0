// What each route of registration and management takes and answers: validation, types and the OpenAPI document in one.
import { Type, type TSchema } from 'typebox'
import { ref } from '../plugins/openapi.ts'
import { ClientReplacement, NewClient, NoContent, OAuthError, PreviewAnswer, RegisteredClientAnswer } from './schemas.ts'

/** Where the routes stand: the provider `default`, or the one that the path names. */
export type Place = 'default' | 'named'

export const securitySchemes = {
  initialAccessToken: {
    type: 'http', scheme: 'bearer', description: 'An initial access token, or an Entra access token of a service with the app role. Not needed where registration is open.'
  },
  registrationAccessToken: { type: 'http', scheme: 'bearer', description: 'The token of one client, from the answer to its registration or last update.' }
} as const

/** The scheme that a caller who registers shows. */
export const registerSecurityScheme = 'initialAccessToken' satisfies keyof typeof securitySchemes

export const registerTag = { name: 'Registration', description: 'Dynamic client registration and management (RFC 7591, RFC 7592).' }

const described = (schema: TSchema, description: string) => Type.Unsafe<object>({ ...ref(schema), description })
export const failure = (description: string) => described(OAuthError, description)

const failures = {
  400: failure('The document can\'t be registered; the sentence says what would be.'),
  401: failure('The token is missing or not valid; WWW-Authenticate says which.'),
  403: failure('The token or the policy does not allow it.'),
  404: failure('There is no such provider, or nobody can register here.'),
  413: failure('The body is too large.'),
  415: failure('The body is not application/json.'),
  429: failure('Not valid either, and too many such have come from this address. Retry-After says when failures are borne again; a valid one is served at any time.'),
  502: failure('Entra ID refuses the broker: its credential, its permission, a tenant policy or quota. Nothing the caller can mend.'),
  503: failure('Not finished before the deadline, or Entra ID or the database does not answer. Repeat the same request after Retry-After.')
}

const dryRun = Type.Object({
  dry_run: Type.Optional(Type.Unsafe<'true' | 'false'>({ type: 'string', enum: ['true', 'false'], description: 'true: answer what the request would become, make nothing.' }))
})

/** Operation ids are unique in the document: those of the named place end in AtProvider. */
export function operationsAt (place: Place) {
  const suffix = place === 'default' ? '' : 'AtProvider'
  const provider = { provider: Type.String({ description: 'Name of the provider, that is of the Entra tenant.' }) }
  const clientId = { clientId: Type.String({ description: 'The client_id.' }) }
  const paramsOf = <Names extends object>(members: Record<string, TSchema>) => Type.Unsafe<Names>(Type.Object(place === 'default' ? members : { ...provider, ...members }))
  const manage = { tags: [registerTag.name], security: [{ registrationAccessToken: [] }], params: paramsOf<{ clientId: string }>(clientId) }
  return {
    register: {
      tags: [registerTag.name],
      security: [{ initialAccessToken: [] }, {}],
      operationId: `registerClient${suffix}`,
      summary: 'Register a client',
      description: 'Makes the Entra application. The answer holds what was registered, which may be less than what was asked for. Without a token Idempotency-Key is ignored.',
      ...(place === 'named' && { params: paramsOf<object>({}) }),
      querystring: dryRun,
      body: ref(NewClient),
      response: {
        200: described(PreviewAnswer, 'Of a dry run.'),
        201: described(RegisteredClientAnswer, 'The client. Location is its registration_client_uri.'),
        ...failures
      }
    },
    read: {
      ...manage,
      operationId: `readClient${suffix}`,
      summary: 'Read a registration',
      description: 'With the current secret while it is valid, unless the policy says no.',
      response: { 200: described(RegisteredClientAnswer, 'The client.'), ...failures }
    },
    replace: {
      ...manage,
      operationId: `replaceClient${suffix}`,
      summary: 'Replace the metadata of a registration',
      description: 'What is left out is deleted. A secret near its end is renewed. The token may be a new one; the older one is valid until the new one is first used.',
      body: ref(ClientReplacement),
      response: { 200: described(RegisteredClientAnswer, 'The client as it is now.'), ...failures }
    },
    end: {
      ...manage,
      operationId: `endClient${suffix}`,
      summary: 'End a registration',
      description: 'Its id, secrets and tokens are of no use at once; access tokens that Entra has issued live to their end.',
      response: { 204: NoContent, ...failures }
    }
  }
}
