// Where the metadata of each issuer is found: RFC 8414 §3.1, the OpenID form beside it, and the one behind the issuer's path.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Type, type TSchema } from 'typebox'
import { ref } from '../plugins/openapi.ts'
import '../guards.ts'
import { RequestRefusal } from '../refusals.ts'
import { standardDialect } from '../register/dialect.ts'
import { providerOfIssuerPath } from '../register/issuer.ts'
import { OAuthError } from '../register/schemas.ts'
import { AuthorizationServerMetadata, metadataOf, type AuthorizationServer, type MetadataForm } from './document.ts'

/** What the providers publish. Throws StoreUnavailableError until the database has been read. */
export interface AuthorizationServers {
  /** Null: there is no such provider. */
  of (providerName: string): AuthorizationServer | null
}

export interface MetadataOptions {
  authorizationServers: AuthorizationServers
  /** Whether anybody can register. */
  registers: boolean
  /** Base of the URLs handed out. */
  publicUrl: () => string
}

/** Shared caches may keep it for so long: a change of scopes or mode is seen a minute later. */
const CACHE_CONTROL = 'public, max-age=60'

const DOCUMENTS: ReadonlyArray<{ form: MetadataForm, file: string, id: string, about: string }> = [
  { form: 'oauth', file: 'oauth-authorization-server', id: 'OAuthMetadata', about: 'RFC 8414.' },
  { form: 'openid', file: 'openid-configuration', id: 'OpenIdMetadata', about: 'OpenID Connect Discovery. ID tokens carry Entra\'s issuer, not this one.' }
]

export const metadataTag = { name: 'Metadata', description: 'Authorization server metadata, one issuer per provider.' }

const answer = (schema: TSchema, description: string) => ({ description, content: { 'application/json': { schema: ref(schema) } } })

const common = {
  tags: [metadataTag.name],
  security: [],
  response: {
    200: answer(AuthorizationServerMetadata, 'The metadata.'),
    404: answer(OAuthError, 'There is no such issuer.'),
    503: answer(OAuthError, 'The database does not answer. Repeat the request after Retry-After.')
  }
}
const providerParams = Type.Object({ provider: Type.String({ description: 'Name of the provider, that is of the Entra tenant.' }) })

const open = { guard: 'none' } as const

/** Serves the metadata of every issuer at all addresses where a client may look for it. */
export async function metadata (server: FastifyInstance, { authorizationServers, registers, publicUrl }: MetadataOptions): Promise<void> {
  function send (reply: FastifyReply, form: MetadataForm, issuerPath: string): FastifyReply {
    const name = providerOfIssuerPath(issuerPath, publicUrl())
    const authorizationServer = name === null ? null : authorizationServers.of(name)
    if (authorizationServer === null) throw new RequestRefusal(404, 'There is no such issuer.')
    return reply.header('cache-control', CACHE_CONTROL).send(metadataOf(authorizationServer, form, registers))
  }

  await server.register(async scope => {
    await scope.register(standardDialect)
    for (const { form, file, id, about } of DOCUMENTS) {
      scope.get(`/${file}`, { config: open, schema: { ...common, operationId: `read${id}`, summary: `Metadata of the default provider: ${form}`, description: about } },
        async (_request, reply) => send(reply, form, new URL(publicUrl()).pathname))

      scope.get<{ Params: { provider: string } }>(`/${file}/t/:provider`, {
        config: open,
        schema: { ...common, operationId: `read${id}OfProvider`, summary: `Metadata of a provider: ${form}`, description: about, params: providerParams }
      }, async (request, reply) => send(reply, form, `/t/${request.params.provider}`))

      // RFC 8414 §3.1: the issuer's path follows, and PUBLIC_URL may have one.
      scope.get<{ Params: { '*': string } }>(`/${file}/*`, { config: open, schema: { hide: true } }, async (request, reply) => send(reply, form, request.params['*']))
    }
  }, { prefix: '/.well-known' })

  await server.register(async scope => {
    await scope.register(standardDialect)
    scope.get<{ Params: { provider: string } }>('/openid-configuration', {
      config: open,
      schema: {
        ...common,
        operationId: 'readOpenIdMetadataAtProvider',
        summary: 'Metadata of a provider: openid, behind the issuer\'s path',
        description: 'OpenID Connect Discovery §4.',
        params: providerParams
      }
    }, async (request, reply) => send(reply, 'openid', `/t/${request.params.provider}`))
  }, { prefix: '/t/:provider/.well-known' })
}
