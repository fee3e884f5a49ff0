// A broker's core over a database with so many registrations: everything of production but the listeners, the loops and Entra.
import pg from 'pg'
import { createKeyWatch, type KeyWatch } from '../../src/administration/key-watch.ts'
import type { EncryptionKeyStore } from '../../src/administration/encryption-keys-port.ts'
import { assembleCore, type AssembledCore } from '../../src/assemble-core.ts'
import { environmentCallers } from '../../src/environment-callers.ts'
import { openObservation } from '../../src/observation.ts'
import { createLogger } from '../../src/logger.ts'
import { createRegistrationsReader, type RegistrationsReader } from '../../src/registration/browse.ts'
import type { RegistrationStore } from '../../src/registration/ports.ts'
import { completeSettings } from '../../src/settings/complete-settings.ts'
import { readSettings } from '../../src/settings/settings.ts'
import { startUp } from '../../src/startup.ts'
import { createCatalogue } from '../../src/store/catalogue.ts'
import { createEncryptionKeyStore } from '../../src/store/encryption-key-store.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createRegistrationBrowser } from '../../src/store/registration-browser.ts'
import { createRegistrationStore } from '../../src/store/registration-store.ts'
import { createReplicaStore } from '../../src/store/replica-store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { createEnvelopeVault, type EnvelopeVault } from '../../src/vault/envelope-vault.ts'
import { openKeyring } from '../../src/vault/keyring.ts'
import type { BenchDatabase } from '../database.ts'
import { fillWithRegistrations, type ReadableClient } from './rows.ts'
import { createTenant, type Tenant } from './tenant.ts'

/** What was claimed is free again a moment later, so that it can be claimed time and again. */
const CLAIM_TIMES = { leaseMs: 1, attemptTimeoutMs: 0, redeliveryWindowMs: 120_000 }

export interface Subject {
  rows: number
  /** Name of its database. */
  name: string
  providerId: string
  core: AssembledCore
  /** Its leases end at once. */
  claims: Pick<RegistrationStore, 'claimDue'>
  reader: RegistrationsReader
  keys: EncryptionKeyStore
  keyWatch: KeyWatch
  vault: EnvelopeVault
  tenant: Tenant
  readable: ReadableClient[]
  /** For what the broker would not ask. */
  client: pg.Client
  close (): Promise<void>
}

export async function openSubject (server: BenchDatabase, rows: number, keyringFile: string, progress: (text: string) => void): Promise<Subject> {
  const name = `rows_${rows}`
  const url = await server.another(name)
  const log = createLogger({ level: 'error', pretty: false })
  const settings = completeSettings(readSettings({
    NODE_ENV: 'production',
    PUBLIC_URL: 'http://127.0.0.1:1',
    DATABASE_URL: url,
    ENCRYPTION_KEYRING_FILE: keyringFile,
    AZURE_TENANT_ID: '00000000-0000-4000-8000-000000000001',
    AZURE_CLIENT_ID: '00000000-0000-4000-8000-000000000002',
    AZURE_CLIENT_SECRET: 'secret_of_the_benchmark',
    KONNECT_API_KEYS: 'konnect_key_of_the_benchmark',
    INITIAL_ACCESS_TOKENS: 'token_of_the_benchmark_0123456789',
    ADMIN_API_KEYS: 'admin_key_of_the_benchmark_0123456789',
    // A round of the reconciler runs whenever it is asked to.
    RECONCILE_INTERVAL_MS: '0'
  }))
  const keyring = await openKeyring(keyringFile, log)
  const vault = createEnvelopeVault(keyring)
  const database = openDatabase({ connectionString: url, maxConnections: 2 })
  const { prisma, run } = database
  const catalogue = createCatalogue(run, { onLoaded: () => {} })
  const keyWatch = createKeyWatch(createReplicaStore(run), vault, { id: systemClock.uuid(), version: 'bench' })
  const { tenantId, clientId } = settings.entra.tenant
  const provider = { tenantId, initialClientId: clientId, issuer: `https://sts.windows.net/${tenantId}/` }
  const callers = environmentCallers(settings.callers, vault)
  const parts = { run, databaseUrl: url, migrates: false, vault, keyWatch, catalogue, provider, callers }
  const started = await startUp(parts, systemClock, log, new AbortController().signal)
  const callerOf = (kind: string): string => started?.callerIds[callers.findIndex(caller => caller.kind === kind)] ?? missing(kind)
  const providerId = started?.providerId ?? missing('provider')
  const owners = {
    providerId,
    strategyId: catalogue.defaultStrategy(providerId).id,
    policyId: catalogue.policy(null).id,
    konnectCallerId: callerOf('konnect'),
    tokenCallerId: callerOf('initial_access_token')
  }
  const readable = await fillWithRegistrations(url, rows, owners, vault, progress)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const tenant = createTenant(client, catalogue.installationId())
  const observation = await openObservation({ telemetry: null, version: 'bench', log, nameOf: id => id })
  return {
    rows,
    name,
    providerId,
    core: assembleCore({ settings, database, directories: { of: () => tenant.directory }, catalogue, vault, clock: systemClock, log, observation }),
    claims: createRegistrationStore(database, CLAIM_TIMES, systemClock.monotonicMs),
    reader: createRegistrationsReader(createRegistrationBrowser(prisma)),
    keys: createEncryptionKeyStore(prisma),
    keyWatch,
    vault,
    tenant,
    readable,
    client,
    async close () {
      keyring.close()
      await client.end()
      await database.close()
    }
  }
}

function missing (what: string): never {
  throw new Error(`The start has made no ${what}`)
}
