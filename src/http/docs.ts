// The OpenAPI documents of all listeners and Swagger UI over them. Everything is served from here; nothing is loaded from elsewhere.
import { fastify, type FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ProblemError } from './operations/problems.ts'

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

/** All that Swagger UI serves, as it stands behind its prefix. */
const PAGES = ['/docs', '/docs/json', '/docs/yaml', '/docs/static/*']
/** What of a request decides which bytes of a file are sent. */
const CONDITIONS = ['cache-control', 'if-none-match', 'if-modified-since', 'if-range', 'range'] as const
/** Of the connection and the message, which are ours. */
const OWN_HEADERS = ['connection', 'content-length', 'date', 'transfer-encoding']

export async function docs (server: FastifyInstance, { documents }: DocsOptions): Promise<void> {
  for (const [name, document] of Object.entries(documents)) server.get(`/openapi/${name}.json`, { schema: { hide: true } }, async () => document())
  server.get('/openapi/operations.json', { schema: { hide: true } }, async () => server.swagger())

  let opened: Promise<FastifyInstance> | undefined
  server.addHook('onClose', async () => { await (await opened)?.close() })
  for (const url of PAGES) {
    server.get(url, { schema: { hide: true } }, async (request, reply) => {
      opened ??= openPages(server, documents)
      const conditions = Object.fromEntries(CONDITIONS.flatMap(name => request.headers[name] === undefined ? [] : [[name, request.headers[name]]]))
      const { statusCode, headers, rawPayload } = await (await opened).inject({ method: 'GET', url: request.url, headers: conditions })
      if (statusCode === 416) throw new ProblemError(416, 'The file has no such range.')
      if (statusCode >= 400) throw new ProblemError(404, 'There is no such page.')
      const kept = Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name))
      return await reply.code(statusCode).headers(Object.fromEntries(kept)).send(rawPayload.length === 0 ? undefined : rawPayload)
    })
  }
}

/** Swagger UI on a server of its own, that listens nowhere: loading it would be a sixth of every start, and few ever look. */
async function openPages (server: FastifyInstance, documents: DocsOptions['documents']): Promise<FastifyInstance> {
  const { default: swaggerUi } = await import('@fastify/swagger-ui')
  const pages = fastify({ logger: false, routerOptions: { ignoreTrailingSlash: true } })
  // It asks for the plugin that draws the document, and draws none itself.
  await pages.register(fp(async own => { own.decorate('swagger', server.swagger) }, { name: '@fastify/swagger' }))
  await pages.register(swaggerUi, {
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
  return pages
}
