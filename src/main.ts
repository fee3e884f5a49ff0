// The process: settings, sandbox if there is one, broker, listen, end with grace.
import closeWithGrace from 'close-with-grace'
import { assemble, type Broker } from './assemble.ts'
import { limitHeapGrowth } from './heap-growth.ts'
import { createLogger } from './logger.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { completeSettings, type CompleteSettings } from './settings/complete-settings.ts'
import { readSettings, SettingsError, type SandboxSettings, type Settings } from './settings/settings.ts'

/** For what follows the last request: delivery marks, connections, the sandbox's PostgreSQL. */
const CLOSE_MARGIN_MS = 10_000

interface Parts {
  settings: CompleteSettings
  sandbox: Sandbox | null
  broker: Broker
}

limitHeapGrowth()
const settings = readOrExit()
const log = createLogger({ level: settings.logLevel })
for (const warning of settings.warnings) log.warn({}, warning)

const stopping = new AbortController()
let failed = false
const opening = open(stopping.signal)
const ending = closeWithGrace({
  // The requests at hand end, and a background run ends with the attempt it is in.
  delay: settings.limits.requestDeadlineMs + settings.limits.attemptTimeoutMs + CLOSE_MARGIN_MS,
  logger: false,
  onTimeout: delayMs => log.error({ delayMs }, 'Closing takes too long, exiting at once'),
  onSecondSignal: signal => log.warn({ signal }, 'Second signal, exiting at once'),
  onSecondError: error => log.fatal({ err: error }, 'Another error while closing, exiting at once')
}, async ({ signal, err }) => {
  if (err !== undefined) log.fatal({ err }, 'Unexpected error, closing')
  else if (!failed) log.info({ signal }, 'Closing')
  stopping.abort()
  const parts = await opening.catch(() => null)
  if (parts !== null) await close(parts)
  if (failed) throw new Error('The broker has not started') // makes the exit code 1
})

try {
  await listen(await opening)
} catch (error) {
  // Interrupted: the end is under way already.
  if (!stopping.signal.aborted) {
    log.fatal({}, `The broker can't start: ${error instanceof Error ? error.message : String(error)}`)
    log.debug({ err: error }, 'Where that came from')
    failed = true
    ending.close()
  }
}

async function open (signal: AbortSignal): Promise<Parts> {
  // An installation loads nothing of it.
  const sandbox = isSandbox(settings) ? await (await import('./sandbox/sandbox.ts')).openSandbox(settings, signal) : null
  try {
    const complete = sandbox?.settings ?? completeSettings(settings)
    return { settings: complete, sandbox, broker: await assemble(complete, log) }
  } catch (error) {
    await sandbox?.close()
    throw error
  }
}

async function listen ({ settings, sandbox, broker }: Parts): Promise<void> {
  // Copies: Fastify writes into what it is given, and the settings are frozen.
  const publicUrl = await broker.publicServer.listen({ ...settings.publicListener })
  const operationsUrl = await broker.operationsServer.listen({ ...settings.operationsListener })
  if (broker.gatewayServer !== null && settings.gatewayListener !== null) {
    const { host, port } = settings.gatewayListener
    await broker.gatewayServer.listen({ host, port })
  }
  await broker.started
  if (sandbox === null || stopping.signal.aborted) return
  const { welcome } = await import('./sandbox/welcome.ts')
  console.log(welcome(settings, sandbox.replaced, { publicUrl, operationsUrl }))
}

async function close ({ sandbox, broker }: Parts): Promise<void> {
  try {
    await broker.close()
  } finally {
    await sandbox?.close()
  }
}

function isSandbox (settings: Settings): settings is Settings & { sandbox: SandboxSettings } {
  return settings.sandbox !== null
}

function readOrExit (): Settings {
  try {
    return readSettings(process.env)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    console.error(error.message)
    process.exit(1)
  }
}
