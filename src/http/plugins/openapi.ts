// The OpenAPI 3.1 document of a listener, drawn from its routes. Registered before them; `server.swagger()` gives the document once the server is ready.
import swagger from '@fastify/swagger'
import type { FastifyInstance, FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import Type, { type Static, type TSchema, type TUnsafe } from 'typebox'

/** How a caller proves itself, as OpenAPI says it. */
export type SecurityScheme =
  | { type: 'http', scheme: 'bearer' | 'basic', description: string }
  | { type: 'apiKey', in: 'header', name: string, description: string }

export interface OpenApiOptions {
  title: string
  /** CommonMark. */
  description: string
  /** Version of the broker. */
  version: string
  /** Base of the paths; relative to where the document was fetched when left out. */
  url?: string | null
  /** In the order they are shown. */
  tags: ReadonlyArray<{ name: string, description: string }>
  /** By the name that routes use in `security`. */
  securitySchemes: Readonly<Record<string, SecurityScheme>>
}

/** A schema that is added to the server by its `$id` and so becomes a component of the document. */
export type NamedSchema = TSchema & { $id: string }

/**
 * Describes every route that has a schema without `hide`. Schemas given to `server.addSchema` are components under their `$id`.
 * OpenAPI extensions of theirs (`x-secret`) stay.
 */
export const openapi = fp<OpenApiOptions>(async (server: FastifyInstance, options: OpenApiOptions) => {
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: options.title, description: options.description, version: options.version, license },
      servers: [{ url: options.url ?? '/' }],
      tags: options.tags.map(tag => ({ ...tag })),
      components: { securitySchemes: { ...options.securitySchemes } }
    },
    refResolver: {
      buildLocalReference: (schema, _baseUri, _fragment, index) => typeof schema.$id === 'string' ? schema.$id : `def-${index}`
    },
    // A path in the document is the path on the wire, whatever PUBLIC_URL is.
    stripBasePath: false
  })
}, { name: 'openapi' })

const license = { name: 'Apache-2.0', identifier: 'Apache-2.0' }

/** A reference to a schema that was added to the server, with the type of what it names. */
export function ref<Schema extends TSchema> (schema: Schema): TUnsafe<Static<Schema>> {
  if (!('$id' in schema) || typeof schema.$id !== 'string') throw new Error('Only a schema with an $id can be referred to')
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` })
}

/** The same schema, or null: `type: [..., "null"]`, which serialises without trying alternatives. */
export function nullable<Schema extends TSchema & { type: string }> (schema: Schema): TUnsafe<Static<Schema> | null> {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] })
}

/** What stands in a route's schema: all that the document needs to say about it. */
export interface DescribedRoute extends FastifySchema {
  summary: string
  description?: string
  operationId: string
  tags: readonly string[]
  security: ReadonlyArray<Record<string, readonly string[]>>
}
