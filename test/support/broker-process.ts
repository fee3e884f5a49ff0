// The broker as a process of its own, that a test can kill and start again on the same database and keyring.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { findFreePort } from '../../src/sandbox/free-port.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { KONNECT_KEY, OPERATOR_KEY } from './broker.ts'
import { programArguments } from './programs.ts'

const LINES_KEPT = 200

export interface BrokerProcess {
  /** Base of the public listener; changes with every start. */
  url: string
  isRunning (): boolean
  /** Resolves once it has started. Rejects with its last lines when it ends instead. */
  start (databaseUrl: string): Promise<void>
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill (): Promise<void>
  /** The last lines of its log. */
  log (): string[]
}

/** Does not start it yet. `environment` is added to what points it at the simulator. */
export async function prepareBrokerProcess (t: Pick<Test, 'teardown'>, simulator: Simulator, environment: Record<string, string>): Promise<BrokerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-crash-'))
  const keyringFile = join(folder, 'keyring.json')
  await createKeyringFile(keyringFile)
  let child: ChildProcess | undefined
  let lines: string[] = []

  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null

  async function kill (): Promise<void> {
    if (child === undefined || !isRunning()) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  t.teardown(async () => {
    await kill()
    await rm(folder, { recursive: true, force: true })
  })
  const broker: BrokerProcess = {
    url: '',
    isRunning,
    async start (databaseUrl) {
      const port = await findFreePort()
      broker.url = `http://127.0.0.1:${port}`
      const started = spawn(process.execPath, programArguments('src/main'), {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: {
          PATH: process.env['PATH'],
          NODE_ENV: 'production', // never a sandbox: nothing that is missing is replaced
          PORT: String(port),
          HOST: '127.0.0.1',
          OPERATIONS_PORT: '0',
          PUBLIC_URL: broker.url,
          DATABASE_URL: databaseUrl,
          ENCRYPTION_KEYRING_FILE: keyringFile,
          AZURE_TENANT_ID: simulator.tenantId,
          AZURE_CLIENT_ID: simulator.broker.clientId,
          AZURE_CLIENT_SECRET: simulator.broker.clientSecret,
          AZURE_AUTHORITY_HOST: simulator.url,
          GRAPH_BASE_URL: simulator.url,
          GRAPH_WRITES_PER_SECOND: '0',
          KONNECT_API_KEYS: KONNECT_KEY,
          ADMIN_API_KEYS: OPERATOR_KEY,
          ...environment
        }
      })
      child = started
      lines = []
      const awaited = new Set(['"Started"', `Server listening at ${broker.url}`])
      await new Promise<void>((resolve, reject) => {
        createInterface({ input: started.stdout }).on('line', line => {
          lines = [...lines, line].slice(-LINES_KEPT)
          for (const text of awaited) if (line.includes(text)) awaited.delete(text)
          if (awaited.size === 0) resolve()
        })
        started.once('exit', code => reject(new Error(`The broker ended with ${code}:\n${lines.join('\n')}`)))
      })
    },
    kill,
    log: () => [...lines]
  }
  return broker
}
