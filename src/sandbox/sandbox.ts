// The sandbox: real parts in the place of what is not set. PostgreSQL, the Entra simulator, a keyring and keys, kept in one
// folder so that they survive a restart. Development dependencies: loaded only here, only when they are needed.
import { randomBytes } from 'node:crypto'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { completeSettings, type CompleteSettings, type Replacements } from '../settings/complete-settings.ts'
import type { EntraTenant, SandboxSettings, Settings } from '../settings/settings.ts'
import { createStateFile, readStateFile, type StateFile } from '../simulator/state-file.ts'
import { startSimulator } from '../simulator/simulator.ts'
import { createKeyringFile } from '../vault/keyring.ts'
import { startEmbeddedPostgres } from './embedded-postgres.ts'
import { makeFolders } from './make-folders.ts'

export interface Sandbox {
  settings: CompleteSettings
  /** What was replaced, a sentence each. */
  replaced: string[]
  close (): Promise<void>
}

interface Part<T> {
  value: T
  note: string
  close: () => Promise<void>
}

/** @throws {Error} when a part can't be started, or the signal's reason; what was started before is stopped again */
export async function openSandbox (settings: Settings & { sandbox: SandboxSettings }, signal: AbortSignal): Promise<Sandbox> {
  const { dir, replace, simulatorPort } = settings.sandbox
  const parts: Array<Part<unknown>> = []
  const made: Replacements = {}
  const close = () => closeAll(parts.splice(0).reverse())
  const keep = <T> (part: Part<T>): T => {
    parts.push(part)
    signal.throwIfAborted()
    return part.value
  }
  try {
    // PostgreSQL's account has to pass through when we are root; what is secret in here is readable by its owner only.
    await makeFolders(dir, 0o711)
    if (replace.database) made.databaseUrl = keep(await openDatabase(dir, signal))
    if (replace.tenant) made.tenant = keep(await openTenant(dir, simulatorPort))
    if (replace.keyring) made.keyringFile = keep(await openKeyringFile(dir))
    Object.assign(made, keep(await openKeys(dir, settings)))
    return { settings: completeSettings(settings, made), replaced: parts.map(part => part.note), close }
  } catch (error) {
    await close().catch(() => {}) // the reason is the first failure, not what came of it
    throw error
  }
}

/** Every part, also after one of them has failed to; the first failure is thrown when all are done. */
async function closeAll (parts: ReadonlyArray<Part<unknown>>): Promise<void> {
  const failures: unknown[] = []
  for (const part of parts) await part.close().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

async function openDatabase (dir: string, signal: AbortSignal): Promise<Part<string>> {
  const server = await startEmbeddedPostgres({ directory: join(dir, 'postgres'), signal })
  const notes = [`DATABASE_URL: PostgreSQL in ${server.directory}`, ...server.notes]
  return { value: server.connectionString(), note: notes.join('. '), close: () => server.stop() }
}

async function openTenant (dir: string, port: number): Promise<Part<EntraTenant>> {
  const path = join(dir, 'entra.json')
  const state = await readStateFile(path)
  let file: StateFile | undefined
  // What changes while it starts is in the first save; a simulator that does not start (its port is taken) saves nothing.
  const simulator = await startSimulator({ port, ...(state === null ? {} : { state }), onChange: () => file?.schedule() })
  const kept = file = createStateFile(path, () => simulator.snapshot())
  await kept.save()
  const { clientId, clientSecret } = simulator.broker
  return {
    value: {
      tenantId: simulator.tenantId,
      clientId,
      credential: { kind: 'secret', secret: clientSecret },
      authorityHost: simulator.url,
      graphBaseUrl: simulator.url
    },
    note: `AZURE_TENANT_ID: the Entra simulator at ${simulator.url}, tenant ${simulator.tenantId}`,
    async close () {
      await simulator.close()
      await kept.save()
    }
  }
}

async function openKeyringFile (dir: string): Promise<Part<string>> {
  const path = join(dir, 'keyring.json')
  await createKeyringFile(path)
  return { value: path, note: `ENCRYPTION_KEYRING_FILE: ${path}`, close: async () => {} }
}

interface Keys { konnectApiKeys: string[], adminApiKeys: string[], initialAccessTokens: string[] }

/** Made once and kept, so that a configured Konnect or script goes on working after a restart. */
async function openKeys (dir: string, { sandbox }: { sandbox: SandboxSettings }): Promise<Part<Partial<Keys>>> {
  const path = join(dir, 'keys.json')
  const keys = await readKeys(path) ?? await makeKeys(path)
  const { konnectKeys, adminKeys, initialAccessTokens } = sandbox.replace
  const used: Partial<Keys> = {
    ...(konnectKeys ? { konnectApiKeys: keys.konnectApiKeys } : {}),
    ...(adminKeys ? { adminApiKeys: keys.adminApiKeys } : {}),
    ...(initialAccessTokens ? { initialAccessTokens: keys.initialAccessTokens } : {})
  }
  return { value: used, note: `Keys: ${path}`, close: async () => {} }
}

async function readKeys (path: string): Promise<Keys | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Keys
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function makeKeys (path: string): Promise<Keys> {
  // Konnect's alphabet for its api_key: letters, digits, underscore.
  const key = (prefix: string) => `${prefix}_${randomBytes(20).toString('hex')}`
  const keys: Keys = { konnectApiKeys: [key('konnect')], adminApiKeys: [key('operator')], initialAccessTokens: [key('initial')] }
  await writeFile(path, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 })
  await chmod(path, 0o600)
  return keys
}
