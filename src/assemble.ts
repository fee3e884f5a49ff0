// The composition root: read top to bottom, this is the system. With assemble-core.ts the only one that knows every module.
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createAuditSealer } from './administration/audit-sealer.ts'
import { v1IssuerAt } from './administration/clouds.ts'
import { createKeyWatch } from './administration/key-watch.ts'
import { assembleCore } from './assemble-core.ts'
import { assembleGateway } from './assemble-gateway.ts'
import { createAuthorizationServers } from './authorization-servers.ts'
import { logCheckpoint, startBackground } from './background.ts'
import type { BrokerTokenHealth } from './entra/broker-token.ts'
import { closeServer } from './close-server.ts'
import { createEntraDirectories } from './entra/entra-directories.ts'
import { createServiceTokens } from './entra/service-tokens.ts'
import { environmentCallers } from './environment-callers.ts'
import { buildOperationsServer } from './http/operations-server.ts'
import { buildPublicServer } from './http/public-server.ts'
import { createReadiness, untilPassed, type TenantState } from './http/readiness.ts'
import type { Loop } from './jobs/loop.ts'
import { installationGauges, tokenGauges, trafficGauges } from './metrics/installation-gauges.ts'
import { METRICS_CONTENT_TYPE } from './metrics/metrics.ts'
import { openObservation } from './observation.ts'
import { createOperationsResources } from './operations-resources.ts'
import { createProviderAccess } from './provider-access.ts'
import { createRegistrationsReader } from './registration/browse.ts'
import { OPEN_POLICY_NAME } from './registration/policy.ts'
import { DirectoryError } from './registration/ports.ts'
import { createRecognition, failuresOf } from './recognition.ts'
import { createServedProviders } from './served-providers.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'
import { createMigrationsCheck, startUp } from './startup.ts'
import { createAuditChainStore } from './store/audit-chain-store.ts'
import type { Bootstrap } from './store/bootstrap.ts'
import { createCallerStore } from './store/caller-store.ts'
import { createGatewayStore } from './store/gateway-store.ts'
import { createCatalogue, type StoredCatalogue } from './store/catalogue.ts'
import { openDatabase } from './store/prisma-client.ts'
import { createProviderSecrets } from './store/provider-secrets.ts'
import { createRegistrationBrowser } from './store/registration-browser.ts'
import { createReplicaStore } from './store/replica-store.ts'
import { createStateReader } from './store/state-reader.ts'
import { systemClock } from './system-clock.ts'
import { version } from './version.ts'
import { createEnvelopeVault } from './vault/envelope-vault.ts'
import { openKeyring } from './vault/keyring.ts'

const TENANT_STATES: Record<BrokerTokenHealth['state'], TenantState> = { untried: 'unknown', accepted: 'usable', failing: 'failing' }

export interface Broker {
  publicServer: FastifyInstance
  operationsServer: FastifyInstance
  /** Null: no port was given for it. */
  gatewayServer: FastifyInstance | null
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
  const { prisma, run } = database
  const nameOf = (providerId: string): string => catalogue.provider(providerId)?.name ?? providerId
  const observation = await openObservation({ telemetry: settings.telemetry, version, log, nameOf })
  const { metrics } = observation
  const access = createProviderAccess({
    environment: tenant,
    federatedTokenFile: settings.entra.federatedTokenFile,
    openSecret: createProviderSecrets(prisma, vault),
    attemptTimeoutMs: limits.attemptTimeoutMs
  })
  const directories = createEntraDirectories([], { observe: observation.graphAttempted })
  const serviceTokens = createServiceTokens([])
  const catalogue: StoredCatalogue = createCatalogue(run, { onLoaded: () => serveProviders() })
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
  const keyWatch = createKeyWatch(createReplicaStore(run), vault, { id: clock.uuid(), version })
  const sealer = createAuditSealer(createAuditChainStore(prisma), vault, clock)
  // What an operator has changed is in effect here before he is answered. If it can't be read now, the loop will.
  const readCatalogue = async () => {
    await catalogue.load().catch((error: unknown) => log.warn({ err: error }, 'A change is committed but not read yet'))
  }

  let hasStarted = false
  const { registrar, reconciler, traffic, idempotentRequests } = assembleCore({
    settings,
    database,
    // Until the database has answered no directory can be reached.
    directories: { of: providerId => hasStarted ? directories.of(providerId) : notStarted() },
    catalogue,
    vault,
    clock,
    log,
    observation
  })
  const idempotency = { requests: idempotentRequests, requestDeadlineMs: limits.requestDeadlineMs }
  const callerStore = createCallerStore(database, clock.monotonicMs)
  const callers = environmentCallers(settings.callers, vault)
  const recognition = createRecognition({ settings, callers, catalogue, callerStore, tokens: serviceTokens, vault })
  const registrations = createRegistrationsReader(createRegistrationBrowser(prisma))
  const authentication = { failures: failuresOf(settings, clock, log), onFailure: observation.authenticationFailed }
  const transport = { trustedProxies: settings.requests.trustedProxies }
  // A sandbox with PORT=0 knows its address only once it listens.
  const issuerBase = () => settings.publicListener.url ?? addressOf(publicServer)
  const publicServer: FastifyInstance = await buildPublicServer({
    logger: log,
    registrar: observation.spanned('use case', registrar),
    registrations,
    recogniseCaller: recognition.caller,
    recogniseRegistrant: recognition.registrant,
    registrationMode: settings.registrationMode,
    providers: { named: name => catalogue.providerNamed(name) },
    authorizationServers: createAuthorizationServers({ catalogue, access, isOpen: settings.registrationMode === 'open', issuerBase }),
    version,
    publicUrl: settings.publicListener.url,
    issuerBase,
    idempotency,
    observer: observation.requests,
    transport,
    authentication
  })
  const checkMigrations = createMigrationsCheck(settings.database.url)
  const readiness = createReadiness({
    checks: {
      database: database.answers,
      // Start-up has checked them.
      migrations: untilPassed(async signal => { if (!hasStarted) await checkMigrations(signal) }),
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
  const gatewayStore = createGatewayStore(database.run, clock.monotonicMs)
  const gateway = await assembleGateway({
    settings, store: gatewayStore, catalogue, directories, serviceTokens, vault, clock, log, version, recognition, observation, transport, authentication
  })
  const operationsServer = await buildOperationsServer({
    logger: log,
    resources: createOperationsResources({
      settings, prisma, vault, clock, log, catalogue, access, registrations, reconciler, registrar: observation.spanned('use case', registrar), applyChange: readCatalogue
    }),
    recogniseCaller: recognition.caller,
    idempotency,
    readiness,
    documents: { public: () => publicServer.swagger(), ...(gateway !== null && { gateway: () => gateway.server.swagger() }) },
    version,
    metrics: { contentType: METRICS_CONTENT_TYPE, text: metrics.text },
    observer: observation.requests,
    transport,
    authentication
  })

  const stopping = new AbortController()
  let loops: Loop[] = []
  const provider = { tenantId: tenant.tenantId, initialClientId: tenant.clientId, issuer: v1IssuerAt(tenant.authorityHost, tenant.tenantId) }
  const parts = { run, databaseUrl: settings.database.url, migrates: settings.sandbox !== null, vault, keyWatch, catalogue, provider, callers }
  const started = startUp(parts, clock, log, stopping.signal)
    .then((result: Bootstrap | null) => {
      if (result === null) return
      hasStarted = true
      readiness.askAgain()
      recognition.begin(result)
      if (result.ignoresEnvironment) {
        log.warn({}, 'The provider `default` is kept in the database: AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential beside them are ignored')
      }
      const reconcileIntervalMs = settings.reconciliation.intervalMs
      loops = startBackground({
        limits,
        registrar,
        traffic,
        idempotentRequests,
        reconciler,
        reconcileIntervalMs,
        catalogue,
        keyWatch,
        sealer,
        clientChanges: gatewayStore,
        uses: gateway?.uses ?? null,
        log,
        onRoundEnded: metrics.roundEnded
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
    gatewayServer: gateway?.server ?? null,
    started,
    async close () {
      readiness.drain()
      stopping.abort()
      // The background stops while the requests at hand end.
      await Promise.all([closeServer(publicServer), gateway?.close(), started.catch(() => {}).then(() => Promise.all(loops.map(loop => loop.close())))])
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

function addressOf (server: FastifyInstance): string {
  const address = server.server.address()
  return `http://localhost:${typeof address === 'object' ? address?.port ?? 0 : 0}`
}

function notStarted (): never {
  throw new DirectoryError('unavailable', 'The broker has not started yet')
}
