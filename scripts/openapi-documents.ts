// The OpenAPI documents, from servers that are built but connected to nothing.
import type { FastifyInstance } from 'fastify'
import type { Gateway } from '../src/gateway/gateway.ts'
import { buildGatewayServer } from '../src/http/gateway-server.ts'
import { buildOperationsServer } from '../src/http/operations-server.ts'
import type { OperationsResources } from '../src/http/operations/routes.ts'
import { buildPublicServer } from '../src/http/public-server.ts'
import type { MetricsText } from '../src/http/metrics-route.ts'
import { createReadiness } from '../src/http/readiness.ts'
import { createLogger } from '../src/logger.ts'
import type { RegistrationsReader } from '../src/registration/browse.ts'
import type { Registrar } from '../src/registration/registrar.ts'
import { version } from '../src/version.ts'
import { unconnected, unconnectedIdempotency } from './unconnected.ts'

export const documentNames = ['public', 'operations', 'gateway'] as const
export type DocumentName = typeof documentNames[number]

const logger = createLogger({ level: 'silent' })

const builders: Record<DocumentName, () => Promise<FastifyInstance>> = {
  public: async () => await buildPublicServer({
    logger,
    registrar: unconnected<Registrar>(),
    registrations: unconnected<RegistrationsReader>(),
    recogniseCaller: async () => null,
    recogniseRegistrant: async () => null,
    registrationMode: 'token',
    providers: { named: () => null },
    authorizationServers: { of: () => null },
    version,
    publicUrl: null,
    issuerBase: () => 'https://broker.example',
    idempotency: unconnectedIdempotency
  }),
  operations: async () => await buildOperationsServer({
    logger,
    // Building routes calls no use case.
    resources: unconnected<OperationsResources>(),
    recogniseCaller: async () => null,
    idempotency: unconnectedIdempotency,
    readiness: createReadiness({ checks: {}, tenants: () => ({}) }),
    documents: {},
    version,
    metrics: unconnected<MetricsText>()
  }),
  gateway: async () => await buildGatewayServer({
    logger,
    gateway: unconnected<Gateway>(),
    recogniseCaller: async () => null,
    providers: { providerName: () => null },
    verifyNeedsKey: true,
    version
  })
}

/** The document of one listener as text: maps in alphabetical order, so that it changes only where the API does. */
export async function openApiDocument (name: DocumentName): Promise<string> {
  const server = await builders[name]()
  try {
    await server.ready()
    const { openapi, info, servers, tags, paths, components, ...rest } = JSON.parse(JSON.stringify(server.swagger())) as Document
    const sortedComponents = sorted(Object.fromEntries(Object.entries(components).map(([kind, members]) => [kind, sorted(members)])))
    return `${JSON.stringify({ openapi, info, servers, tags, paths: sorted(paths), components: sortedComponents, ...rest }, null, 2)}\n`
  } finally {
    await server.close()
  }
}

interface Document {
  openapi: string
  info: object
  servers: object[]
  tags: object[]
  paths: Record<string, object>
  components: Record<string, Record<string, object>>
}

function sorted<Value> (record: Record<string, Value>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).sort(([one], [other]) => one < other ? -1 : 1))
}
