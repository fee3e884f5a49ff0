// Graph's write limit of one application in one tenant: a token bucket that refills over a period. Off unless the policy sets it.
import type { FastifyReply } from 'fastify'
import type { GraphCaller } from './access.ts'
import { GraphError } from './graph-errors.ts'
import type { Simulation } from './tenants.ts'

interface Bucket {
  tokens: number
  atMs: number
}

export interface Throttle {
  /** Counts a request. Throws GraphError 429 with Retry-After (seconds) when the bucket is empty. */
  count (caller: GraphCaller, method: string, reply: FastifyReply): void
}

export function createThrottle (simulation: Simulation): Throttle {
  const buckets = new Map<string, Bucket>()
  return {
    count ({ tenant, appId }, method, reply) {
      reply.header('x-ms-resource-unit', '1')
      const { writesPerPeriod: capacity, periodMs } = tenant.policy
      if (method === 'GET' || capacity === null) return
      const key = `${tenant.id}/${appId}`
      const now = simulation.now()
      const { tokens, atMs } = buckets.get(key) ?? { tokens: capacity, atMs: now }
      const refilled = Math.min(capacity, tokens + (now - atMs) * capacity / periodMs)
      // A refused request counts as well: whoever goes on asking waits longer.
      buckets.set(key, { tokens: Math.max(refilled - 1, -capacity / 10), atMs: now })
      const used = 1 - refilled / capacity
      if (used >= 0.8) reply.header('x-ms-throttle-limit-percentage', used.toFixed(2))
      if (refilled >= 1) return
      throw new GraphError(429, 'TooManyRequests', 'Too many requests', {
        headers: {
          'retry-after': String(Math.max(1, Math.ceil((1 - refilled) * periodMs / capacity / 1000))),
          'x-ms-throttle-scope': `Tenant_Application/ReadWrite/${appId}/${tenant.id}`,
          'x-ms-throttle-information': 'WriteLimitExceeded'
        }
      })
    }
  }
}
