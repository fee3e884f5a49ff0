// What becomes of a key or token that is nobody's, beside the answer of its surface: it is counted, and beyond the allowance of its source
// the answer is 429 instead, and nothing is logged. It has been judged before: no failure of others stands in the way of a good one.
// Nothing shown at all is no failure: that is how clients ask what they need.
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { FailedAuthentications } from '../failed-authentications.ts'
import type { Guard } from '../guards.ts'
import { RequestRefusal } from '../refusals.ts'
import { sourceAddressOf } from '../source-address.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** One of many that are alike: one line of the log stands for all of them. */
    isUnlogged: boolean
  }
  interface FastifyInstance {
    /** Somebody has shown what is no key. @throws RequestRefusal 429 beyond the allowance of his source */
    authenticationFailed (request: FastifyRequest, guard: Guard): void
  }
}

export interface AuthenticationFailuresOptions {
  /** Left out: there is no limit. */
  failures?: FailedAuthentications | undefined
  /** Left out: nobody counts. */
  onFailure?: ((guard: Guard, status: 401 | 429) => void) | undefined
}

export const authenticationFailures = fp<AuthenticationFailuresOptions>(async (server: FastifyInstance, options: AuthenticationFailuresOptions) => {
  const { failures, onFailure } = options
  server.decorateRequest('isUnlogged', false)
  server.decorate('authenticationFailed', (request, guard) => {
    const retryAfterSeconds = failures?.count(sourceAddressOf(request)) ?? null
    onFailure?.(guard, retryAfterSeconds === null ? 401 : 429)
    if (retryAfterSeconds === null) return
    request.isUnlogged = true
    throw new RequestRefusal(429, undefined, retryAfterSeconds)
  })
}, { name: 'authentication-failures' })
