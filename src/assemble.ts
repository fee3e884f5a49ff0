// The composition root: read top to bottom, this is the system. The only file that knows every module.
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createAuditSealer } from './administration/audit-sealer.ts'
import type { Scope } from './administration/callers-port.ts'
import { createKeyWatch } from './administration/key-watch.ts'
import { createAuthorizationServers } from './authorization-servers.ts'
import { logCheckpoint, startBackground } from './background.ts'
import type { BrokerTokenHealth } from './entra/broker-token.ts'
import { closeServer } from './close-server.ts'
import { coreSettings, reconciliationSettings } from './core-settings.ts'
import { createEntraDirectories } from './entra/entra-directories.ts'
import { createServiceTokens } from './entra/service-tokens.ts'
import { createRecogniser, environmentCallers } from './environment-callers.ts'
import type { RecogniseCaller } from './http/callers.ts'
import { buildOperationsServer } from './http/operations-server.ts'
import { buildPublicServer } from './http/public-server.ts'
import { createReadiness, untilPassed, type TenantState } from './http/readiness.ts'
import { createIdempotentRequests } from './idempotency/idempotent-requests.ts'
import type { Loop } from './jobs/loop.ts'
import { createKnownCallers } from './known-callers.ts'
import { installationGauges, tokenGauges, trafficGauges } from './metrics/installation-gauges.ts'
import { METRICS_CONTENT_TYPE } from './metrics/metrics.ts'
import { openObservation } from './observation.ts'
import { createOperationsResources } from './operations-resources.ts'
import { createProviderAccess } from './provider-access.ts'
import { createReconciler } from './reconciliation/reconciler.ts'
import { createRegistrationsReader } from './registration/browse.ts'
import { OPEN_POLICY_NAME } from './registration/policy.ts'
import { DirectoryError, StoreUnavailableError, type Ports } from './registration/ports.ts'
import { createRegistrar } from './registration/registrar.ts'
import { createTraffic } from './registration/traffic/traffic.ts'
import { createRegistrants, type RecogniseBearer } from './registrants.ts'
import { createServedProviders } from './served-providers.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'
import { createMigrationsCheck, startUp } from './startup.ts'
import { createAuditChainStore } from './store/audit-chain-store.ts'
import type { Bootstrap } from './store/bootstrap.ts'
import { createAdoptionStore } from './store/adoption-store.ts'
import { createCallerStore } from './store/caller-store.ts'
import { createCatalogue, type StoredCatalogue } from './store/catalogue.ts'
import { createDeliveryStore } from './store/delivery-store.ts'
import { createExpiryStore } from './store/expiry-store.ts'
import { createIdempotencyStore } from './store/idempotency-store.ts'
import { createIdleClients } from './store/idle-clients.ts'
import { openDatabase } from './store/prisma-client.ts'
import { createProviderSecrets } from './store/provider-secrets.ts'
import { createHoldStore, createReconciliationDesk } from './store/reconciliation-desk.ts'
import { createReconciliationStore } from './store/reconciliation-store.ts'
import { createRegistrationBrowser } from './store/registration-browser.ts'
import { createRegistrationStore } from './store/registration-store.ts'
import { createReplicaStore } from './store/replica-store.ts'
import { createStateReader } from './store/state-reader.ts'
import { createTrafficStore } from './store/traffic-store.ts'
import { systemClock } from './system-clock.ts'
import { version } from './version.ts'
import { createEnvelopeVault } from './vault/envelope-vault.ts'
import { openKeyring } from './vault/keyring.ts'

const TENANT_STATES: Record<BrokerTokenHealth['state'], TenantState> = { untried: 'unknown', accepted: 'usable', failing: 'failing' }

export interface Broker {
  publicServer: FastifyInstance
  operationsServer: FastifyInstance
  /** Resolves when the first start-up has succeeded; rejects for what waiting can't mend. */
  started: Promise<void>
  /** Stops taking requests, ends those at hand, then everything else. */
  close (): Promise<void>
}

export async function assemble (settings: CompleteSettings, log: Logger): Promise<Broker> {
  const { limits, entra: { tenant } } = settings
  const clock = systemClock
  const keyring = await openKeyring(settings.keyringFile, log)
  const vault = createEnvelopeVault(keyring)
  const database = openDatabase({
    connectionString: settings.database.url,
    onPoolError: error => log.warn({ err: error }, 'An idle database connection broke')
  })
  const { prisma } = database
  const times = {
    leaseMs: limits.leaseMs,
    attemptTimeoutMs: limits.attemptTimeoutMs,
    redeliveryWindowMs: limits.redeliveryWindowMs
  }
  const nameOf = (providerId: string): string => catalogue.provider(providerId)?.name ?? providerId
  const observation = await openObservation({ telemetry: settings.telemetry, version, log, nameOf })
  const { metrics, correlation } = observation
  const access = createProviderAccess({
    environment: tenant,
    federatedTokenFile: settings.entra.federatedTokenFile,
    openSecret: createProviderSecrets(prisma, vault),
    attemptTimeoutMs: limits.attemptTimeoutMs
  })
  const directories = createEntraDirectories([], { observe: observation.graphAttempted })
  const serviceTokens = createServiceTokens([])
  const catalogue: StoredCatalogue = createCatalogue(prisma, { onLoaded: () => serveProviders() })
  const serveProviders = createServedProviders({
    catalogue,
    access,
    directories,
    tokens: serviceTokens,
    serviceTokens: settings.serviceTokens,
    operatorTokens: settings.operatorTokens,
    attemptTimeoutMs: limits.attemptTimeoutMs,
    log
  })
  const keyWatch = createKeyWatch(createReplicaStore(prisma), vault, { id: clock.uuid(), version })
  const sealer = createAuditSealer(createAuditChainStore(prisma), vault, clock)
  // What an operator has changed is in effect here before he is answered. If it can't be read now, the loop will.
  const readCatalogue = async () => {
    await catalogue.load().catch((error: unknown) => log.warn({ err: error }, 'A change is committed but not read yet'))
  }

  // Known once the database has answered: until then nobody is recognised and no directory can be reached.
  let hasStarted = false
  let recognise: RecogniseCaller = async () => { throw new StoreUnavailableError('Not started yet') }
  let recogniseBearer: RecogniseBearer = async () => { throw new StoreUnavailableError('Not started yet') }

  const ports: Ports = {
    store: observation.spanned('database', {
      ...createRegistrationStore(prisma, times, clock.monotonicMs),
      ...createDeliveryStore(prisma, times),
      ...createExpiryStore(prisma, times),
      ...createAdoptionStore(prisma),
      ...createTrafficStore(prisma, settings.entra.traffic),
      ...createHoldStore(prisma)
    }),
    directories: { of: providerId => hasStarted ? directories.of(providerId) : notStarted() },
    catalogue,
    vault,
    clock,
    log,
    correlation
  }
  const traffic = createTraffic(ports.store, clock, log, settings.entra.traffic)
  const registrar = createRegistrar(ports, coreSettings(settings), traffic)
  const idempotentRequests = createIdempotentRequests({ store: createIdempotencyStore(prisma), deliveries: ports.store, vault, clock, log })
  const idempotency = { requests: idempotentRequests, requestDeadlineMs: limits.requestDeadlineMs }
  const reconciler = createReconciler({
    tools: { ports, settings: coreSettings(settings), traffic },
    store: { ...createReconciliationStore(prisma), ...createReconciliationDesk(prisma), ...createIdleClients(prisma, times) },
    settings: reconciliationSettings(settings),
    providers: catalogue.providers
  })
  const registrations = createRegistrationsReader(createRegistrationBrowser(prisma))
  // A sandbox with PORT=0 knows its address only once it listens.
  const issuerBase = () => settings.publicListener.url ?? addressOf(publicServer)
  const publicServer: FastifyInstance = await buildPublicServer({
    logger: log,
    registrar: observation.spanned('use case', registrar),
    registrations,
    recogniseCaller: async (kind, key) => await recognise(kind, key),
    recogniseRegistrant: async (providerId, bearer) => {
      if (bearer !== null) return await recogniseBearer(providerId, bearer)
      return settings.registrationMode === 'open' ? catalogue.anonymousCaller(providerId) : null
    },
    registrationMode: settings.registrationMode,
    providers: { named: name => catalogue.providerNamed(name) },
    authorizationServers: createAuthorizationServers({ catalogue, access, isOpen: settings.registrationMode === 'open', issuerBase }),
    version,
    publicUrl: settings.publicListener.url,
    issuerBase,
    idempotency,
    observer: observation.requests
  })
  const readiness = createReadiness({
    checks: {
      database: async () => { await prisma.$queryRaw`SELECT 1` },
      migrations: untilPassed(createMigrationsCheck(settings.database.url)),
      keyring: async () => {
        const fault = keyring.fault() ?? keyWatch.fault()
        if (fault !== null) throw new Error(fault)
      },
      started: untilPassed(async () => { if (!hasStarted) throw new Error('Not started yet') })
    },
    tenants: () => Object.fromEntries(directories.health().map(({ providerId, state }) => [nameOf(providerId), TENANT_STATES[state]])),
    onFailure: (check, error) => log.debug({ err: error, check }, 'Not ready')
  })
  metrics.watch(installationGauges(createStateReader(prisma)))
  metrics.watch(tokenGauges(() => directories.health().map(({ providerId, state }) => ({ provider: nameOf(providerId), state }))))
  metrics.watch(trafficGauges(() => traffic.readings().map(({ providerId, ...reading }) => ({ provider: nameOf(providerId), ...reading }))))
  const operationsServer = await buildOperationsServer({
    logger: log,
    resources: createOperationsResources({
      settings, prisma, vault, clock, log, catalogue, access, registrations, reconciler, registrar: observation.spanned('use case', registrar), applyChange: readCatalogue
    }),
    recogniseCaller: async (kind, key) => await recognise(kind, key),
    idempotency,
    readiness,
    publicDocument: () => publicServer.swagger(),
    version,
    metrics: { contentType: METRICS_CONTENT_TYPE, text: metrics.text },
    observer: observation.requests
  })

  const stopping = new AbortController()
  let loops: Loop[] = []
  const callerStore = createCallerStore(prisma, clock.monotonicMs)
  const callers = environmentCallers(settings.callers, vault)
  const provider = { tenantId: tenant.tenantId, initialClientId: tenant.clientId, issuer: `https://sts.windows.net/${tenant.tenantId}/` }
  const parts = { prisma, databaseUrl: settings.database.url, migrates: settings.sandbox !== null, vault, keyWatch, catalogue, provider, callers }
  const started = startUp(parts, clock, log, stopping.signal)
    .then((result: Bootstrap | null) => {
      if (result === null) return
      hasStarted = true
      const environment = createRecogniser(callers, result.callerIds, vault, catalogue)
      recognise = createKnownCallers({
        environment,
        catalogue,
        callers: callerStore,
        tokens: serviceTokens,
        operatorRoles: scopesByRole(settings),
        mainProviderId: result.providerId,
        monotonicMs: clock.monotonicMs
      })
      recogniseBearer = createRegistrants({ recognise: environment, callers: callerStore, serviceTokens, catalogue })
      if (result.ignoresEnvironment) {
        log.warn({}, 'The provider `default` is kept in the database: AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential beside them are ignored')
      }
      const reconcileIntervalMs = settings.reconciliation.intervalMs
      loops = startBackground({
        limits, registrar, traffic, idempotentRequests, reconciler, reconcileIntervalMs, catalogue, keyWatch, sealer, log, onRoundEnded: metrics.roundEnded
      })
      if (settings.registrationMode === 'open' && catalogue.openPolicy().name !== OPEN_POLICY_NAME) {
        log.warn({}, 'Registration is open and there is no policy `open`: anybody may register whatever the policy `default` allows, also clients with a secret')
      }
      log.info({ installationId: result.installationId, tenantId: tenant.tenantId, version }, 'Started')
    })
  started.catch(() => {})

  return {
    publicServer,
    operationsServer,
    started,
    async close () {
      readiness.drain()
      stopping.abort()
      // The background stops while the requests at hand end.
      await Promise.all([closeServer(publicServer), started.catch(() => {}).then(() => Promise.all(loops.map(loop => loop.close())))])
      await Promise.all([reconciler.close(), registrar.close()])
      await Promise.all([directories.close(), serviceTokens.close(), callerStore.settled()])
      if (loops.length > 0) await keyWatch.leave().catch((error: unknown) => log.debug({ err: error }, 'The replica could not sign off; it is forgotten by itself'))
      logCheckpoint(sealer, log)
      await closeServer(operationsServer)
      await Promise.all([database.close(), observation.close()])
      keyring.close()
    }
  }
}

/** The settings accept no other scopes. */
function scopesByRole ({ operatorTokens: { roles } }: CompleteSettings): ReadonlyMap<string, Scope[]> {
  return new Map(Object.entries(roles) as Array<[role: string, scopes: Scope[]]>)
}

function addressOf (server: FastifyInstance): string {
  const address = server.server.address()
  return `http://localhost:${typeof address === 'object' ? address?.port ?? 0 : 0}`
}

function notStarted (): never {
  throw new DirectoryError('unavailable', 'The broker has not started yet')
}
