// All listeners as the broker builds them, with nobody behind: for what is decided before anybody is asked. One key of each kind is known.
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { unconnected, unconnectedIdempotency } from '../../scripts/unconnected.ts'
import type { Gateway } from '../../src/gateway/gateway.ts'
import { refused } from '../../src/gateway/verdict.ts'
import { buildGatewayServer } from '../../src/http/gateway-server.ts'
import { buildOperationsServer } from '../../src/http/operations-server.ts'
import type { OperationsResources } from '../../src/http/operations/routes.ts'
import type { AuthenticationFailuresOptions } from '../../src/http/plugins/authentication-failures.ts'
import { buildPublicServer } from '../../src/http/public-server.ts'
import { createReadiness } from '../../src/http/readiness.ts'
import type { Transport } from '../../src/http/server-options.ts'
import { createLogger } from '../../src/logger.ts'
import type { RegistrationsReader } from '../../src/registration/browse.ts'
import { RegistrationError } from '../../src/registration/errors.ts'
import type { Registrar } from '../../src/registration/registrar.ts'
import { someCaller } from '../support/records.ts'

export const KEY = 'a_key_that_is_known_0123456789'

export interface UnconnectedOptions {
  transport?: Transport
  authentication?: AuthenticationFailuresOptions
  publicUrl?: string
  registrar?: Partial<Registrar>
  gateway?: Partial<Gateway>
  /** Whether GET /verify asks for a key of a gateway; default: as beyond loopback. */
  verifyNeedsKey?: boolean
}

export interface UnconnectedServers {
  publicServer: FastifyInstance
  operationsServer: FastifyInstance
  gatewayServer: FastifyInstance
  /** All of them. */
  listeners: FastifyInstance[]
  logLines: string[]
}

export async function unconnectedServers (t: Test, options: UnconnectedOptions = {}): Promise<UnconnectedServers> {
  const { transport = {}, authentication = {}, publicUrl = 'http://localhost:3000', registrar = {}, gateway = {}, verifyNeedsKey = true } = options
  const logLines: string[] = []
  const logger = createLogger({ level: 'info', pretty: false, destination: { write: line => { logLines.push(line) } } })
  const provider = { id: '01a20951-0000-4000-8000-0000000000a0', name: 'default', tenantId: 't', issuer: 'https://sts.windows.net/x/', origin: 'environment' as const }
  const caller = someCaller({ id: '01a20951-0000-4000-8000-0000000000b0', kind: 'konnect', scopes: ['register', 'read', 'rotate', 'delete', 'admin', 'audit', 'introspect'] })
  const common = { logger, idempotency: unconnectedIdempotency, version: '0.0.0', transport, authentication }
  const publicServer = await buildPublicServer({
    ...common,
    registrar: unconnected<Registrar>(() => new Error('Nothing is connected'), {
      holderOf: async () => { throw new RegistrationError('invalid_token', 'The registration access token is not valid.') }, ...registrar
    }),
    registrations: unconnected<RegistrationsReader>(),
    recogniseCaller: async (kind, key) => kind === 'konnect' && key === KEY ? { ...caller, kind } : null,
    recogniseRegistrant: async (_providerId, bearer) => bearer === KEY ? { ...caller, kind: 'service' } : null,
    registrationMode: 'token',
    providers: { named: name => ({ ...provider, name }) },
    authorizationServers: { of: () => null },
    publicUrl,
    issuerBase: () => publicUrl
  })
  const operationsServer = await buildOperationsServer({
    ...common,
    resources: unconnected<OperationsResources>(),
    recogniseCaller: async (kind, key) => kind === 'operator' && key === KEY ? { ...caller, kind } : null,
    readiness: createReadiness({ checks: { database: async () => {} }, tenants: () => ({ default: 'usable' }) }),
    documents: { public: () => ({ openapi: '3.1.0' }), gateway: () => ({ openapi: '3.1.0' }) },
    metrics: { contentType: 'text/plain', text: async () => 'dcr_build_info 1\n' }
  })
  const gatewayServer = await buildGatewayServer({
    logger,
    gateway: unconnected<Gateway>(() => new Error('Nothing is connected'), {
      verify: async () => refused('nothing_shown'), introspect: async () => null, ...gateway
    }),
    recogniseCaller: async (kind, key) => kind === 'gateway' && key === KEY ? { ...caller, kind } : null,
    providers: { providerName: () => null },
    verifyNeedsKey,
    version: '0.0.0',
    transport,
    authentication
  })
  const listeners = [publicServer, operationsServer, gatewayServer]
  for (const server of listeners) t.teardown(async () => await server.close())
  return { publicServer, operationsServer, gatewayServer, listeners, logLines }
}

export async function listenOnLoopback (server: FastifyInstance): Promise<string> {
  return await server.listen({ host: '127.0.0.1', port: 0 })
}
