// The OpenAPI documents of all listeners and Swagger UI over them. Everything is served from here; nothing is loaded from elsewhere.
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

export interface DocsOptions {
  /** Of the other listeners, by the name under which they are shown: asked for once they are ready. */
  documents: Readonly<Record<string, () => object>>
}

// Swagger UI styles elements inline and has its icons in data URLs.
const UI_POLICY = {
  'default-src': '\'none\'',
  'script-src': '\'self\'',
  'style-src': ['\'self\'', '\'unsafe-inline\''],
  'img-src': ['\'self\'', 'data:'],
  'connect-src': '\'self\'',
  'base-uri': '\'none\'',
  'form-action': '\'none\'',
  'frame-ancestors': '\'none\''
}

export async function docs (server: FastifyInstance, { documents }: DocsOptions): Promise<void> {
  for (const [name, document] of Object.entries(documents)) server.get(`/openapi/${name}.json`, { schema: { hide: true } }, async () => document())
  server.get('/openapi/operations.json', { schema: { hide: true } }, async () => server.swagger())

  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: UI_POLICY,
    theme: { title: 'DCR Broker' },
    uiConfig: {
      urls: [
        { name: 'Operations', url: '/openapi/operations.json' },
        ...Object.keys(documents).map(name => ({ name: `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`, url: `/openapi/${name}.json` }))
      ],
      displayOperationId: true,
      validatorUrl: null
    }
  })
}
