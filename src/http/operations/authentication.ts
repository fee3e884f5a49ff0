// Who calls the operations API, and whether he may: a bearer key (RFC 6750), checked before anything of the request is parsed.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Scope } from '../../administration/callers-port.ts'
import type { Operator } from '../../administration/operator.ts'
import { BEARER } from '../bearer.ts'
import type { Caller } from '../../registration/registration.ts'
import type { RecogniseCaller } from '../callers.ts'
import '../guards.ts'
import { sourceAddressOf } from '../source-address.ts'
import { ProblemError } from './problems.ts'

export interface Guard {
  /** What has to be shown, for the sentence of a refusal. */
  what: string
  /** Null: nobody we know. */
  recognise (bearer: string, request: FastifyRequest): Promise<Caller | null>
}

/** Guards all routes of the scope it is registered in. @throws at boot for a route that declares no scope */
export const bearerAuthentication = fp(async (server: FastifyInstance, { what, recognise }: Guard) => {
  server.addHook('onRoute', ({ method, url, config }) => {
    if (config?.scope === undefined) throw new Error(`${String(method)} ${url} declares no scope`)
  })

  server.addHook('onRequest', async request => {
    // Nothing there to be guarded.
    if (request.is404) return
    const key = BEARER.exec(request.headers.authorization ?? '')?.[1]
    const caller = key === undefined ? null : await recognise(key, request)
    const { scope, guard = 'operator' } = request.routeOptions.config
    if (caller === null) {
      const isPresented = request.headers.authorization !== undefined
      if (isPresented) server.authenticationFailed(request, guard)
      throw unauthorized(what, isPresented)
    }
    if (scope === undefined || !caller.scopes.includes(scope)) throw insufficientScope(scope)
    request.caller = caller
  })
}, { name: 'bearer-authentication' })

export const operatorAuthentication = fp(async (server: FastifyInstance, { recogniseCaller }: { recogniseCaller: RecogniseCaller }) => {
  await server.register(bearerAuthentication, { what: 'operator key', recognise: async key => await recogniseCaller('operator', key) })
}, { name: 'operator-authentication' })

// RFC 6750 §3: without credentials the challenge names no error.
function unauthorized (what: string, presented: boolean): ProblemError {
  const challenge = presented ? 'Bearer realm="dcr-broker", error="invalid_token"' : 'Bearer realm="dcr-broker"'
  return new ProblemError(401, `A valid ${what} is required: Authorization: Bearer <key>.`, { headers: { 'www-authenticate': challenge } })
}

function insufficientScope (scope: Scope | undefined): ProblemError {
  return new ProblemError(403, `The key lacks the scope [${scope}].`, {
    headers: { 'www-authenticate': `Bearer realm="dcr-broker", error="insufficient_scope", scope="${scope}"` }
  })
}

/** The caller of a guarded route. */
export function callerOf (request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error('The route is not guarded')
  return request.caller
}

/** On whose behalf a guarded route makes its change. */
export function operatorOf (request: FastifyRequest): Operator {
  return { actor: callerOf(request).id, requestId: request.id, sourceAddress: sourceAddressOf(request) }
}

/** What belongs to the whole installation is not changed by whoever is bound to a provider: a hook of such routes. */
export async function assertOfInstallation (request: FastifyRequest): Promise<void> {
  if (callerOf(request).providerId === null) return
  throw new ProblemError(403, 'The key is bound to a provider: what belongs to the whole installation it may read, not change.')
}
