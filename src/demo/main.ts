// `npm run demo`: a sandbox of its own on free ports, the whole story, exit code 1 if any step fails.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assemble } from '../assemble.ts'
import { createLogger } from '../logger.ts'
import { openSandbox } from '../sandbox/sandbox.ts'
import { readSettings, type SandboxSettings, type Settings } from '../settings/settings.ts'
import { konnectAt } from './konnect.ts'
import { story, type DirectoryObject, type Stage } from './story.ts'

const dir = await mkdtemp(join(tmpdir(), 'dcr-demo-'))
// As root PostgreSQL runs under another account, which has to pass through.
await chmod(dir, 0o711)
// Nothing of the surroundings: the demo never touches a database or tenant that happens to be configured.
const settings = readSettings({ PORT: '0', OPERATIONS_PORT: '0', SIMULATOR_PORT: '0', SANDBOX_DIR: dir, LOG_LEVEL: process.env.DEMO_LOG_LEVEL ?? 'error' })
const sandbox = await openSandbox(settings as Settings & { sandbox: SandboxSettings })
const broker = await assemble(sandbox.settings, createLogger({ level: settings.logLevel }))
let failures = 0
try {
  const publicUrl = await broker.publicServer.listen({ host: '127.0.0.1', port: 0 })
  const operationsUrl = await broker.operationsServer.listen({ host: '127.0.0.1', port: 0 })
  await broker.started
  console.log('The DCR Broker, its database and an Entra simulator are running.\n')
  failures = await tell(stageAt(publicUrl, operationsUrl))
} finally {
  await broker.close()
  await sandbox.close()
  await rm(dir, { recursive: true, force: true })
}
console.log(failures === 0 ? '\nEverything worked.' : `\n${failures} steps failed.`)
process.exitCode = failures === 0 ? 0 : 1

async function tell (stage: Stage): Promise<number> {
  let failed = 0
  for (const chapter of story(stage)) {
    const startedAt = performance.now()
    try {
      const told = await chapter.run()
      console.log(`  ok    ${chapter.title}\n          ${told} (${Math.round(performance.now() - startedAt)} ms)`)
    } catch (error) {
      failed += 1
      console.log(`  FAIL  ${chapter.title}\n          ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return failed
}

function stageAt (publicUrl: string, operationsUrl: string): Stage {
  const { tenant } = sandbox.settings.entra
  const { konnectApiKeys: [konnectKey = ''], adminApiKeys: [operatorKey = ''] } = sandbox.settings.callers
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
