// The composition root: read top to bottom, this is the system. The only file that knows every module.
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { createAdoptions } from './administration/adoptions.ts'
import { createAuditReader } from './administration/audit.ts'
import { CHECKPOINT_MESSAGE } from './administration/audit-checkpoint.ts'
import { createAuditSealer, type AuditSealer } from './administration/audit-sealer.ts'
import { createCallers } from './administration/callers.ts'
import type { Scope } from './administration/callers-port.ts'
import { createEncryptionKeys } from './administration/encryption-keys.ts'
import { createKeyWatch } from './administration/key-watch.ts'
import { createPolicies } from './administration/policies.ts'
import { createPolicyDryRun } from './administration/policy-dry-run.ts'
import { createStrategies } from './administration/strategies.ts'
import { createAuthorizationServers } from './authorization-servers.ts'
import type { BrokerTokenHealth } from './entra/broker-token.ts'
import { mintCallerToken } from './caller-tokens.ts'
import { closeServer } from './close-server.ts'
import { createEntraDirectories } from './entra/entra-directories.ts'
import { createServiceTokens } from './entra/service-tokens.ts'
import { createRecogniser, environmentCallers } from './environment-callers.ts'
import type { RecogniseCaller } from './http/callers.ts'
import { buildOperationsServer } from './http/operations-server.ts'
import { buildPublicServer } from './http/public-server.ts'
import { createReadiness, untilPassed, type TenantState } from './http/readiness.ts'
import { startLoop, type Loop } from './jobs/loop.ts'
import { createKnownCallers } from './known-callers.ts'
import { installationGauges, tokenGauges } from './metrics/installation-gauges.ts'
import { METRICS_CONTENT_TYPE } from './metrics/metrics.ts'
import { openObservation } from './observation.ts'
import { createProviderAdministration } from './provider-administration.ts'
import { createProviderAccess } from './provider-access.ts'
import { createRegistrationsReader } from './registration/browse.ts'
import { OPEN_POLICY_NAME } from './registration/policy.ts'
import { DirectoryError, StoreUnavailableError, type Ports } from './registration/ports.ts'
import { createRegistrar } from './registration/registrar.ts'
import { createRegistrants, type RecogniseBearer } from './registrants.ts'
import { createServedProviders } from './served-providers.ts'
import type { CoreSettings } from './registration/settings.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'
import { createMigrationsCheck, startUp } from './startup.ts'
import { createAuditBrowser } from './store/audit-browser.ts'
import { createAuditChainStore } from './store/audit-chain-store.ts'
import type { Bootstrap } from './store/bootstrap.ts'
import { createAdoptionPermits } from './store/adoption-administration.ts'
import { createAdoptionStore } from './store/adoption-store.ts'
import { createCallerRegister } from './store/caller-administration.ts'
import { createCallerStore } from './store/caller-store.ts'
import { createCatalogue, type StoredCatalogue } from './store/catalogue.ts'
import { createDeliveryStore } from './store/delivery-store.ts'
import { createEncryptionKeyStore } from './store/encryption-key-store.ts'
import { createExpiryStore } from './store/expiry-store.ts'
import { createPolicyStore } from './store/policy-store.ts'
import { openDatabase } from './store/prisma-client.ts'
import { createProviderSecrets } from './store/provider-secrets.ts'
import { createRegistrationBrowser } from './store/registration-browser.ts'
import { createRegistrationStore } from './store/registration-store.ts'
import { createReplicaStore } from './store/replica-store.ts'
import { createStateReader } from './store/state-reader.ts'
import { createStrategyStore } from './store/strategy-store.ts'
import { systemClock } from './system-clock.ts'
import { version } from './version.ts'
import { createEnvelopeVault } from './vault/envelope-vault.ts'
import { openKeyring } from './vault/keyring.ts'

const HOUR_MS = 3_600_000
/** With the loop's jitter and the statement itself a change of a provider, policy, scope or caller counts on every replica within a second. */
const CATALOGUE_MS = 700
/** How often a replica reports its keys and follows the database's word which is active. */
const KEY_WATCH_MS = 3_000
const CHECKPOINT_MS = 60_000
const DAY_MS = 24 * HOUR_MS

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
    redeliveryWindowMs: limits.redeliveryWindowMs,
    writesPerSecond: settings.entra.writesPerSecond
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
      ...createAdoptionStore(prisma)
    }),
    directories: { of: providerId => hasStarted ? directories.of(providerId) : notStarted() },
    catalogue,
    vault,
    clock,
    log,
    correlation
  }
  const registrar = createRegistrar(ports, coreSettings(settings))
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
  const operationsServer = await buildOperationsServer({
    logger: log,
    resources: {
      registrations,
      registrar: observation.spanned('use case', registrar),
      adoptions: createAdoptions(createAdoptionPermits(prisma)),
      dcrProviders: createProviderAdministration({
        prisma,
        vault,
        access,
        environment: tenant,
        federatedTokenFile: settings.entra.federatedTokenFile,
        clock,
        log,
        attemptTimeoutMs: limits.attemptTimeoutMs,
        secretLifetimeDays: settings.secretLifetimeDays,
        reload: readCatalogue
      }),
      strategies: createStrategies(createStrategyStore(prisma), readCatalogue),
      policies: createPolicies(createPolicyStore(prisma), readCatalogue),
      dryRun: createPolicyDryRun({ catalogue, clock }),
      callers: createCallers({
        register: createCallerRegister(prisma),
        mint: mintCallerToken,
        providerName: id => catalogue.provider(id)?.name ?? null,
        apply: readCatalogue
      }),
      audit: createAuditReader(createAuditBrowser(prisma)),
      encryptionKeys: createEncryptionKeys(createEncryptionKeyStore(prisma), vault, clock)
    },
    recogniseCaller: async (kind, key) => await recognise(kind, key),
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
  const operatorTokens = operatorTokensOf(settings)
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
        operatorRoles: operatorTokens.scopes,
        mainProviderId: result.providerId,
        monotonicMs: clock.monotonicMs
      })
      recogniseBearer = createRegistrants({ recognise: environment, callers: callerStore, serviceTokens, catalogue })
      if (result.ignoresEnvironment) {
        log.warn({}, 'The provider `default` is kept in the database: AZURE_TENANT_ID, AZURE_CLIENT_ID and the credential beside them are ignored')
      }
      loops = [
        startLoop('Upkeep', signal => registrar.keepUp(signal), limits.resumeScanMs, log, metrics.roundEnded),
        startLoop('Expiry', () => registrar.expire(), limits.sweepIntervalMs, log, metrics.roundEnded),
        // What the CLI or another replica has changed.
        startLoop('Catalogue', () => catalogue.refresh(), CATALOGUE_MS, log, metrics.roundEnded),
        startLoop('Key watch', () => keyWatch.look(), KEY_WATCH_MS, log, metrics.roundEnded),
        ...(limits.auditSealIntervalMs === 0
          ? []
          : [
              startLoop('Audit sealer', signal => sealer.seal(signal), limits.auditSealIntervalMs, log, metrics.roundEnded),
              startLoop('Audit checkpoint', async () => logCheckpoint(sealer, log), CHECKPOINT_MS, log, metrics.roundEnded)
            ])
      ]
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
      await registrar.close()
      await Promise.all([directories.close(), serviceTokens.close(), callerStore.settled()])
      if (loops.length > 0) await keyWatch.leave().catch((error: unknown) => log.debug({ err: error }, 'The replica could not sign off; it is forgotten by itself'))
      logCheckpoint(sealer, log)
      await closeServer(operationsServer)
      await Promise.all([database.close(), observation.close()])
      keyring.close()
    }
  }
}

function coreSettings ({ limits, purgeAfterHours, secretLifetimeDays, probeNewSecrets }: CompleteSettings): CoreSettings {
  return {
    requestDeadlineMs: limits.requestDeadlineMs,
    attemptTimeoutMs: limits.attemptTimeoutMs,
    backgroundBudgetMs: Math.max(limits.leaseMs, 2 * limits.requestDeadlineMs),
    redeliveryWindowMs: limits.redeliveryWindowMs,
    purgeAfterMs: purgeAfterHours * HOUR_MS,
    sweepDelaysMs: limits.sweepDelaysMs,
    supersededGraceMs: limits.supersededGraceMs,
    secretLifetimeMs: {
      konnect: secretLifetimeDays.konnect * DAY_MS,
      register: secretLifetimeDays.register * DAY_MS,
      operations: secretLifetimeDays.register * DAY_MS
    },
    maxSecretsPerClient: limits.maxSecretsPerClient,
    expiryMaxPerRun: limits.maxExpiredPerRun,
    proveOnCreate: probeNewSecrets
  }
}

/** The settings accept no other scopes. */
function operatorTokensOf ({ operatorTokens: { audiences, roles } }: CompleteSettings) {
  return { audiences, roles: Object.keys(roles), scopes: new Map(Object.entries(roles) as Array<[role: string, scopes: Scope[]]>) }
}

/** Kept outside the database, so that it shows when the audit there was cut or written anew. */
function logCheckpoint (sealer: AuditSealer, log: Logger): void {
  const checkpoint = sealer.checkpoint()
  if (checkpoint !== null) log.info({ ...checkpoint }, CHECKPOINT_MESSAGE)
}

function addressOf (server: FastifyInstance): string {
  const address = server.server.address()
  return `http://localhost:${typeof address === 'object' ? address?.port ?? 0 : 0}`
}

function notStarted (): never {
  throw new DirectoryError('unavailable', 'The broker has not started yet')
}
