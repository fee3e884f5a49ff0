// The process: settings, sandbox if there is one, broker, listen, end with grace.
import closeWithGrace from 'close-with-grace'
import { assemble } from './assemble.ts'
import { createLogger } from './logger.ts'
import { openSandbox, type Sandbox } from './sandbox/sandbox.ts'
import { welcome } from './sandbox/welcome.ts'
import { completeSettings } from './settings/complete-settings.ts'
import { readSettings, SettingsError, type SandboxSettings, type Settings } from './settings/settings.ts'

/** Longer than any request may take, so that the ones at hand end. */
const CLOSE_DELAY_MS = 15_000

const settings = readOrExit()
const log = createLogger({ level: settings.logLevel })
for (const warning of settings.warnings) log.warn({}, warning)

const sandbox = isSandbox(settings) ? await openSandbox(settings) : null
const complete = sandbox?.settings ?? completeSettings(settings)
const broker = await assemble(complete, log)

closeWithGrace({ delay: CLOSE_DELAY_MS, logger: false }, async ({ signal, err }) => {
  if (err !== undefined) log.fatal({ err }, 'Unexpected error, closing')
  else log.info({ signal }, 'Closing')
  await broker.close()
  await sandbox?.close()
})

await listen(sandbox)

async function listen (sandbox: Sandbox | null): Promise<void> {
  // Copies: Fastify writes into what it is given, and the settings are frozen.
  const publicUrl = await broker.publicServer.listen({ ...complete.publicListener })
  const operationsUrl = await broker.operationsServer.listen({ ...complete.operationsListener })
  try {
    await broker.started
  } catch (error) {
    log.fatal({ err: error }, 'The broker can\'t start')
    await broker.close()
    await sandbox?.close()
    process.exit(1)
  }
  if (sandbox !== null) console.log(welcome(complete, sandbox.replaced, { publicUrl, operationsUrl }))
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
