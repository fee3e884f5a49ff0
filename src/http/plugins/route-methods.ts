// Which routes a listener has, and which methods a path, so that a wrong one is answered with 405 and `Allow` instead of 404 (RFC 9110 §15.5.6).
import type { FastifyContextConfig, FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

export interface DeclaredRoute {
  method: string
  /** With `:name` for parameters. */
  url: string
  config: FastifyContextConfig
  /** Not in the document. */
  isHidden: boolean
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Methods of the routes that match the path of a URL, sorted; empty when there is no such route. */
    methodsOf (url: string): string[]
    /** Every route as it was declared, in order. */
    declaredRoutes (): readonly DeclaredRoute[]
  }
}

/** Registered before the routes it has to know. */
export const routeMethods = fp(async (server: FastifyInstance) => {
  const routes: Array<{ path: RegExp, methods: string[] }> = []
  const declared: DeclaredRoute[] = []

  server.addHook('onRoute', ({ url, method, config, schema }) => {
    const methods = [method].flat()
    routes.push({ path: pathPattern(url), methods })
    declared.push(...methods.map(each => ({ method: each, url, config: config ?? {}, isHidden: schema === undefined || schema.hide === true })))
  })

  server.decorate('declaredRoutes', () => declared)

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
