// Idempotency keys on the operations API, and on a service's own registrations.
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { idempotency as idempotencyKeys, type Idempotency } from '../plugins/idempotency.ts'
import { failure } from './answers.ts'

/** A verification takes up to half a minute, and has no deadline of the core. */
const OVERTIME_MS = 60_000

export const operationsIdempotency = fp(async (server: FastifyInstance, { idempotency }: { idempotency: Idempotency }) => {
  await server.register(idempotencyKeys, { idempotency, overtimeMs: OVERTIME_MS, failure, registrationOf })
}, { name: 'operations-idempotency' })

function registrationOf ({ routeOptions: { url = '' }, params }: FastifyRequest): { id: string } | null {
  return url.includes('/registrations/:id/') ? { id: (params as { id: string }).id } : null
}
