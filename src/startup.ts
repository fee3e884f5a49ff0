// What has to succeed once before requests can be served: migrations, keys, bootstrap, catalogue. Tried until it does: a broker
// that comes up before its database answers 503 until the database is there.
import { keyringFault, type KeyWatch } from './administration/key-watch.ts'
import { applyMigrations, migrationStatus } from './store/migrations.ts'
import { StoreUnavailableError, type Clock, type Log } from './registration/ports.ts'
import { bootstrap, type Bootstrap, type EnvironmentCaller, type EnvironmentProvider } from './store/bootstrap.ts'
import type { StoredCatalogue } from './store/catalogue.ts'
import { createReplicaStore } from './store/replica-store.ts'
import type { RunStatement } from './store/statements.ts'
import { guarded } from './store/store-errors.ts'
import type { EnvelopeVault } from './vault/envelope-vault.ts'

const RETRY_MS = 2_000

/** Something an operator has to mend before the broker may run. */
export class StartupError extends Error {
  constructor (message: string) {
    super(message)
    this.name = 'StartupError'
  }
}

export interface StartupParts {
  run: RunStatement
  databaseUrl: string
  /** Applies pending migrations by itself: in a sandbox. */
  migrates: boolean
  vault: EnvelopeVault
  keyWatch: KeyWatch
  catalogue: StoredCatalogue
  provider: EnvironmentProvider
  callers: readonly EnvironmentCaller[]
}

/** @throws StartupError, BootstrapError for what waiting can't mend; StoreUnavailableError while the database is away */
async function startOnce (parts: StartupParts, signal: AbortSignal): Promise<Bootstrap> {
  const { run, databaseUrl, migrates, vault, keyWatch, catalogue, provider, callers } = parts
  if (migrates) await guarded(() => applyMigrations({ connectionString: databaseUrl, signal }))
  await checkMigrations(databaseUrl, signal)
  await checkKeys(run, vault, keyWatch)
  const result = await bootstrap(run, provider, callers)
  await catalogue.load()
  return result
}

/** Resolves when it has succeeded; null when the signal aborted first. */
export async function startUp (parts: StartupParts, clock: Clock, log: Log, signal: AbortSignal): Promise<Bootstrap | null> {
  while (!signal.aborted) {
    try {
      const result = await startOnce(parts, signal)
      return signal.aborted ? null : result
    } catch (error) {
      if (signal.aborted) return null
      if (!(error instanceof StoreUnavailableError) && !(error instanceof PendingMigrationsError)) throw error
      log.warn({ err: error }, 'Not started yet; requests get 503 until this is mended')
      await clock.sleep(RETRY_MS, signal)
    }
  }
  return null
}

/** Migrations may be applied while we wait. */
export class PendingMigrationsError extends StartupError {}

/** @throws PendingMigrationsError, StartupError; StoreUnavailableError while the database is away or silent; the signal's reason */
export async function checkMigrations (databaseUrl: string, signal: AbortSignal): Promise<void> {
  const status = await guarded(() => migrationStatus(databaseUrl, { signal }))
  if (status.failed.length > 0) throw new StartupError(`Migrations have failed and must be resolved first: ${status.failed.join(', ')}.`)
  if (status.changed.length > 0) throw new StartupError(`Migrations were applied with another content than this release has: ${status.changed.join(', ')}.`)
  if (status.pending.length > 0) throw new PendingMigrationsError(`Migrations are pending (${status.pending.join(', ')}): run \`dcr-broker migrate\`.`)
}

/** The same for readiness: however often it is asked, one connection at most is open for it. */
export function createMigrationsCheck (databaseUrl: string): (signal: AbortSignal) => Promise<void> {
  let running: Promise<void> | null = null
  return async signal => {
    running ??= checkMigrations(databaseUrl, signal).finally(() => { running = null })
    await running
  }
}

// A key with other bytes under a known name would seal what nobody can open later; a missing one leaves sealed values closed.
async function checkKeys (run: RunStatement, vault: EnvelopeVault, keyWatch: KeyWatch): Promise<void> {
  const store = createReplicaStore(run)
  const fault = keyringFault(vault, await store.list(), await store.referencedKids())
  if (fault !== null) throw new StartupError(fault)
  await keyWatch.look()
  // Another key was activated in this very moment.
  const late = keyWatch.fault()
  if (late !== null) throw new StartupError(late)
}
