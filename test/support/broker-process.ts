// The broker as a process of its own, that a test can kill, stop and start again on the same database and keyring.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { findFreePort } from './free-port.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { createKeyringFile } from '../../src/vault/keyring.ts'
import { KONNECT_KEY, OPERATOR_KEY } from './broker.ts'
import { entraEnvironment } from './entra-environment.ts'
import { programArguments } from './programs.ts'

const LINES_KEPT = 200

export interface BrokerProcess {
  /** Base of the public listener; changes with every start. */
  url: string
  /** Its folder, for what its preloaded modules are told. */
  folder: string
  isRunning (): boolean
  /** Resolves once it has started (`listening`: takes requests). Rejects with its last lines when it ends instead. */
  start (databaseUrl: string, until?: 'started' | 'listening'): Promise<void>
  /** SIGKILL: no handler runs, nothing is flushed. */
  kill (): Promise<void>
  /** SIGTERM. Resolves to the exit code and the milliseconds until then. */
  terminate (): Promise<{ code: number | null, tookMs: number }>
  /** SIGSTOP and SIGCONT: the process stands still and goes on, and can't know how long. */
  stop (): void
  goOn (): void
  /** The last lines of its log. */
  log (): string[]
  /** All it ever wrote, over all its starts. */
  wholeLog (): Promise<Buffer>
}

export interface BrokerProcessOptions {
  /** Added to what points it at the simulator. */
  environment: Record<string, string>
  /** Replicas share one; default: of its own. */
  keyringFile?: string
  /** Modules of the project that are loaded before it, named without their extension. */
  preload?: readonly string[]
}

/** A folder and a keyring in it, for the time of a test. */
export async function makeKeyring (t: Pick<Test, 'teardown'>): Promise<string> {
  const file = join(await makeFolder(t), 'keyring.json')
  await createKeyringFile(file)
  return file
}

/** Does not start it yet. */
export async function prepareBrokerProcess (t: Pick<Test, 'teardown'>, simulator: Simulator, options: BrokerProcessOptions): Promise<BrokerProcess> {
  const { environment, preload = [] } = options
  const folder = await makeFolder(t)
  const keyringFile = options.keyringFile ?? await makeKeyring(t)
  const logFile = join(folder, 'log')
  let child: ChildProcess | undefined
  let lines: string[] = []

  const isRunning = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null

  async function end (signal: NodeJS.Signals): Promise<number | null> {
    if (child === undefined || !isRunning()) return null
    const ended = once(child, 'exit')
    child.kill(signal)
    return (await ended)[0] as number | null
  }

  t.teardown(async () => { await end('SIGKILL') })
  const broker: BrokerProcess = {
    url: '',
    folder,
    isRunning,
    async start (databaseUrl, until = 'started') {
      const port = await findFreePort()
      broker.url = `http://127.0.0.1:${port}`
      const started = spawn(process.execPath, programArguments('src/main', preload), {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'],
          NODE_ENV: 'production', // never a sandbox: nothing that is missing is replaced
          PORT: String(port),
          HOST: '127.0.0.1',
          OPERATIONS_PORT: '0',
          PUBLIC_URL: broker.url,
          DATABASE_URL: databaseUrl,
          ENCRYPTION_KEYRING_FILE: keyringFile,
          ...entraEnvironment(simulator),
          RECONCILE_INTERVAL_MS: '0',
          // Campaigns show keys that were revoked, all from one address.
          AUTHENTICATION_FAILURES_PER_MINUTE: '0',
          KONNECT_API_KEYS: KONNECT_KEY,
          ADMIN_API_KEYS: OPERATOR_KEY,
          PROCESS_FOLDER: folder,
          ...environment
        }
      })
      child = started
      lines = []
      const file = createWriteStream(logFile, { flags: 'a' })
      for (const output of [started.stdout, started.stderr]) output.on('data', (chunk: Buffer) => { file.write(chunk) })
      started.stderr.pipe(process.stderr, { end: false })
      started.once('close', () => file.end())
      const awaited = new Set([`Server listening at ${broker.url}`, ...(until === 'started' ? ['"Started"'] : [])])
      await new Promise<void>((resolve, reject) => {
        createInterface({ input: started.stdout }).on('line', line => {
          lines = [...lines, line].slice(-LINES_KEPT)
          for (const text of awaited) if (line.includes(text)) awaited.delete(text)
          if (awaited.size === 0) resolve()
        })
        started.once('exit', code => reject(new Error(`The broker ended with ${code}:\n${lines.join('\n')}`)))
      })
    },
    async kill () { await end('SIGKILL') },
    async terminate () {
      const startedMs = performance.now()
      return { code: await end('SIGTERM'), tookMs: performance.now() - startedMs }
    },
    stop () { child?.kill('SIGSTOP') },
    goOn () { child?.kill('SIGCONT') },
    log: () => [...lines],
    wholeLog: async () => await readFile(logFile).catch(() => Buffer.alloc(0))
  }
  return broker
}

async function makeFolder (t: Pick<Test, 'teardown'>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-process-'))
  t.teardown(async () => { await rm(folder, { recursive: true, force: true }) })
  return folder
}
