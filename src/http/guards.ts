// Every route says in its config who may call it and what his key must allow: a route that says nothing does not boot.
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Scope } from '../administration/callers-port.ts'

/**
 * `konnect`: whoever shows a Konnect key. `registrant`: a token for registering, of ours or of Entra. `holder`: the registration access
 * token of the client in the path. `operator`: an operator key or token. `gateway`: a key of a gateway. `client`: the credential of a registered
 * client, which is what is asked about. `none`: anybody.
 */
export type Guard = 'konnect' | 'registrant' | 'holder' | 'operator' | 'gateway' | 'client' | 'none'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whose token the route asks for. Every route of the public listener declares it. */
    guard?: Guard
    /** What the caller's key must allow. */
    scope?: Scope
  }
}

/** A holder's token is for one client and everything about it. */
const needsScope = (guard: Guard) => guard !== 'none' && guard !== 'holder' && guard !== 'client'

/** Registered before the routes of a listener. @throws at boot for a route that declares no guard, or no scope where its guard looks at scopes */
export const declaredGuards = fp(async (server: FastifyInstance) => {
  server.addHook('onRoute', ({ method, url, config }) => {
    // Preflights (plugin @fastify/cors): no credentials travel with them.
    if (method === 'OPTIONS') return
    const guard = config?.guard
    if (guard === undefined) throw new Error(`${String(method)} ${url} declares no guard`)
    if (needsScope(guard) && config?.scope === undefined) throw new Error(`${String(method)} ${url} declares no scope`)
  })
}, { name: 'declared-guards' })
