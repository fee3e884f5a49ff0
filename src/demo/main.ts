// `npm run demo`: a sandbox of its own on free ports, the whole story, exit code 1 if any step fails or the story is not told to its end.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import closeWithGrace from 'close-with-grace'
import { assemble, type Broker } from '../assemble.ts'
import { createLogger } from '../logger.ts'
import { openSandbox, type Sandbox } from '../sandbox/sandbox.ts'
import { readSettings, type SandboxSettings, type Settings } from '../settings/settings.ts'
import { konnectAt } from './konnect.ts'
import { standardStory, type StandardStage } from './standard-story.ts'
import { story, type Chapter, type DirectoryObject, type Stage } from './story.ts'

const CLOSE_DELAY_MS = 20_000

const stopping = new AbortController()
let isGood = false
const opening = open(stopping.signal)
const ending = closeWithGrace({ delay: CLOSE_DELAY_MS, logger: false }, async ({ err }) => {
  stopping.abort()
  if (err !== undefined) console.error(err)
  await (await opening.catch(() => null))?.close()
  if (!isGood) throw new Error('Interrupted, or a step failed') // makes the exit code 1
})
// `npm run demo | head`: nobody listens any more. Nothing is said from here on, but what was started is stopped.
process.stdout.on('error', end)

try {
  const { broker, sandbox } = await opening
  const publicUrl = await broker.publicServer.listen({ host: '127.0.0.1', port: 0 })
  const operationsUrl = await broker.operationsServer.listen({ host: '127.0.0.1', port: 0 })
  await broker.started
  console.log('The DCR Broker, its database and an Entra simulator are running.\n')
  const stage = stageAt(sandbox, publicUrl, operationsUrl)
  const failures = await tell([...story(stage), ...standardStory(standardStageAt(stage, sandbox, publicUrl))])
  if (!stopping.signal.aborted) {
    isGood = failures === 0
    console.log(isGood ? '\nEverything worked.' : `\n${failures} steps failed.`)
  }
} catch (error) {
  if (!stopping.signal.aborted) console.error(error)
}
end()

function end (): void {
  if (!stopping.signal.aborted) ending.close()
}

interface Theatre {
  sandbox: Sandbox
  broker: Broker
  close: () => Promise<void>
}

async function open (signal: AbortSignal): Promise<Theatre> {
  const dir = await mkdtemp(join(tmpdir(), 'dcr-demo-'))
  const closers = [() => rm(dir, { recursive: true, force: true })]
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    // As root PostgreSQL runs under another account, which has to pass through.
    await chmod(dir, 0o711)
    // Nothing of the surroundings: the demo never touches a database or tenant that happens to be configured.
    const settings = readSettings({ PORT: '0', OPERATIONS_PORT: '0', SIMULATOR_PORT: '0', SANDBOX_DIR: dir, LOG_LEVEL: process.env.DEMO_LOG_LEVEL ?? 'error' })
    const sandbox = await openSandbox(settings as Settings & { sandbox: SandboxSettings }, signal)
    closers.push(() => sandbox.close())
    const broker = await assemble(sandbox.settings, createLogger({ level: settings.logLevel }))
    closers.push(() => broker.close())
    return { sandbox, broker, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Resolves to the number of steps that failed. Stops between two steps when the demonstration is interrupted. */
async function tell (chapters: readonly Chapter[]): Promise<number> {
  let failed = 0
  for (const chapter of chapters) {
    const startedAt = performance.now()
    try {
      const told = await chapter.run()
      console.log(`  ok    ${chapter.title}\n          ${told} (${Math.round(performance.now() - startedAt)} ms)`)
    } catch (error) {
      failed += 1
      if (!stopping.signal.aborted) console.log(`  FAIL  ${chapter.title}\n          ${error instanceof Error ? error.message : String(error)}`)
    }
    if (stopping.signal.aborted) break
  }
  return failed
}

function stageAt ({ settings }: Sandbox, publicUrl: string, operationsUrl: string): Stage {
  const { tenant } = settings.entra
  const { konnectApiKeys: [konnectKey = ''], adminApiKeys: [operatorKey = ''] } = settings.callers
  return {
    konnect: konnectAt(`${publicUrl}/konnect`, konnectKey),
    tenant,
    async directory () {
      const response = await fetch(`${tenant.graphBaseUrl}/_simulator/state`)
      return await response.json() as { applications: DirectoryObject[], deletedItems: DirectoryObject[] }
    },
    async operations (path) {
      const response = await fetch(`${operationsUrl}${path}`, { headers: { authorization: `Bearer ${operatorKey}` } })
      return { status: response.status, body: await response.json() }
    }
  }
}

function standardStageAt ({ tenant, directory }: Stage, { settings }: Sandbox, publicUrl: string): StandardStage {
  const { initialAccessTokens: [initialAccessToken = ''] } = settings.callers
  // The sandbox calls itself localhost (docs/settings.md, PUBLIC_URL).
  return { tenant, directory, issuer: `http://localhost:${new URL(publicUrl).port}`, initialAccessToken }
}
