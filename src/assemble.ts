// The composition root: read top to bottom, this is the system. The only file that knows every module.
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { BrokerTokenHealth } from './entra/broker-token.ts'
import { closeServer } from './close-server.ts'
import { createEntraDirectories, type EntraDirectories } from './entra/entra-directories.ts'
import { createRecogniser, environmentCallers } from './environment-callers.ts'
import { buildOperationsServer } from './http/operations-server.ts'
import { buildPublicServer } from './http/public-server.ts'
import type { RecogniseCaller } from './http/callers.ts'
import { createReadiness, untilPassed, type TenantState } from './http/readiness.ts'
import { startUpkeepLoop, type UpkeepLoop } from './jobs/upkeep-loop.ts'
import { createRegistrationsReader } from './registration/browse.ts'
import { DirectoryError, StoreUnavailableError, type Ports } from './registration/ports.ts'
import { createRegistrar } from './registration/registrar.ts'
import type { CoreSettings } from './registration/settings.ts'
import type { CompleteSettings } from './settings/complete-settings.ts'
import { createMigrationsCheck, startUp } from './startup.ts'
import type { Bootstrap } from './store/bootstrap.ts'
import { createCatalogue } from './store/catalogue.ts'
import { createDeliveryStore } from './store/delivery-store.ts'
import { openDatabase } from './store/prisma-client.ts'
import { createRegistrationBrowser } from './store/registration-browser.ts'
import { createRegistrationStore } from './store/registration-store.ts'
import { systemClock } from './system-clock.ts'
import { version } from './version.ts'
import { createEnvelopeVault } from './vault/envelope-vault.ts'
import { openKeyring } from './vault/keyring.ts'

const HOUR_MS = 3_600_000
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
  const catalogue = createCatalogue(prisma)

  // Known once the database has answered: until then nobody is recognised and no directory can be reached.
  let directories: EntraDirectories | null = null
  let recognise: RecogniseCaller = () => { throw new StoreUnavailableError('Not started yet') }

  const ports: Ports = {
    store: { ...createRegistrationStore(prisma, times, clock.monotonicMs), ...createDeliveryStore(prisma, times) },
    directories: { of: providerId => directories?.of(providerId) ?? notStarted() },
    catalogue,
    vault,
    clock,
    log
  }
  const registrar = createRegistrar(ports, coreSettings(settings))
  const publicServer = await buildPublicServer({
    logger: log,
    registrar,
    recogniseCaller: (kind, key) => recognise(kind, key),
    version,
    publicUrl: settings.publicListener.url
  })
  const readiness = createReadiness({
    checks: {
      database: async () => { await prisma.$queryRaw`SELECT 1` },
      migrations: untilPassed(createMigrationsCheck(settings.database.url)),
      keyring: async () => {
        const fault = keyring.fault()
        if (fault !== null) throw new Error(fault)
      },
      started: untilPassed(async () => { if (directories === null) throw new Error('Not started yet') })
    },
    tenants: () => Object.fromEntries((directories?.health() ?? []).map(({ providerId, state }) =>
      [catalogue.provider(providerId)?.name ?? providerId, TENANT_STATES[state]])),
    onFailure: (check, error) => log.debug({ err: error, check }, 'Not ready')
  })
  const operationsServer = await buildOperationsServer({
    logger: log,
    registrations: createRegistrationsReader(createRegistrationBrowser(prisma)),
    recogniseCaller: (kind, key) => recognise(kind, key),
    readiness,
    publicDocument: () => publicServer.swagger(),
    version
  })

  const stopping = new AbortController()
  let upkeep: UpkeepLoop | null = null
  const callers = environmentCallers(settings.callers, vault)
  const provider = { tenantId: tenant.tenantId, initialClientId: tenant.clientId, issuer: `https://sts.windows.net/${tenant.tenantId}/` }
  const parts = { prisma, databaseUrl: settings.database.url, migrates: settings.sandbox !== null, vault, catalogue, provider, callers }
  const started = startUp(parts, clock, log, stopping.signal)
    .then((result: Bootstrap | null) => {
      if (result === null) return
      directories = createEntraDirectories([{ providerId: result.providerId, attemptTimeoutMs: limits.attemptTimeoutMs, ...tenant }], {
        observe: ({ error, ...attempt }) => log.debug({ ...attempt, fault: error?.fault }, 'Graph call')
      })
      recognise = createRecogniser(callers, result.callerIds, vault, catalogue)
      // A wrong credential shows at start instead of at the first registration, which also finds its token ready.
      directories.verify(result.providerId, AbortSignal.timeout(limits.attemptTimeoutMs)).catch((error: unknown) => {
        log.warn({ err: error, providerId: result.providerId }, 'Entra ID does not accept the broker yet')
      })
      upkeep = startUpkeepLoop(registrar, limits.resumeScanMs, log)
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
      await Promise.all([closeServer(publicServer), started.catch(() => {}).then(() => upkeep?.close())])
      await registrar.close()
      await directories?.close()
      await closeServer(operationsServer)
      await database.close()
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
    proveOnCreate: probeNewSecrets
  }
}

function notStarted (): never {
  throw new DirectoryError('unavailable', 'The broker has not started yet')
}
