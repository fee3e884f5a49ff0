// The OpenAPI documents of both listeners and Swagger UI over them. Everything is served from here; nothing is loaded from elsewhere.
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'

export interface DocsOptions {
  /** The document of the public listener. */
  publicDocument: () => object
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

export async function docs (server: FastifyInstance, { publicDocument }: DocsOptions): Promise<void> {
  server.get('/openapi/public.json', { schema: { hide: true } }, async () => publicDocument())
  server.get('/openapi/operations.json', { schema: { hide: true } }, async () => server.swagger())

  await server.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: UI_POLICY,
    theme: { title: 'DCR Broker' },
    uiConfig: {
      urls: [
        { name: 'Operations', url: '/openapi/operations.json' },
        { name: 'Public', url: '/openapi/public.json' }
      ],
      displayOperationId: true,
      validatorUrl: null
    }
  })
}
