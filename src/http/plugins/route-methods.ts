// Which methods a path has, so that a wrong one is answered with 405 and `Allow` instead of 404 (RFC 9110 §15.5.6).
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Methods of the routes that match the path of a URL, sorted; empty when there is no such route. */
    methodsOf (url: string): string[]
  }
}

/** Registered before the routes it has to know. */
export const routeMethods = fp(async (server: FastifyInstance) => {
  const routes: Array<{ path: RegExp, methods: string[] }> = []

  server.addHook('onRoute', ({ url, method }) => {
    routes.push({ path: pathPattern(url), methods: [method].flat() })
  })

  server.decorate('methodsOf', url => {
    const path = url.split(/[?#]/, 1)[0] ?? ''
    return [...new Set(routes.filter(route => route.path.test(path)).flatMap(({ methods }) => methods))].sort()
  })
}, { name: 'route-methods' })

/** Our routes know literal segments, `:name` and a final `*`. */
function pathPattern (url: string): RegExp {
  const pattern = url
    .replace(/\/$/, '')
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/:[^/]+/g, '[^/]+')
    .replace(/\*$/, '.*')
  return new RegExp(`^${pattern}/?$`)
}
