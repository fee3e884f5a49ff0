// The broker under test: the compiled program in a process of its own, configured as an installation and not as a sandbox.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { findFreePort } from '../src/sandbox/free-port.ts'
import { cpuTimeMs, residentBytes } from './process-figures.ts'
import { untilReady } from './until-ready.ts'

const LINES_KEPT = 3

export const KONNECT_KEY = 'konnect_key_of_the_benchmark'
export const INITIAL_ACCESS_TOKEN = 'initial_access_token_of_the_benchmark'

export interface BrokerOptions {
  /** The compiled `main.js`. */
  program: string
  databaseUrl: string
  upstreamUrl: string
  keyringFile: string
  /** Settings on top of ours. */
  environment: Record<string, string>
  /** Node's own, `--cpu-prof` for one. */
  nodeArguments?: string[]
}

export interface BrokerProcess {
  /** Base of the public listener. */
  url: string
  /** From its start until it said that it was ready. */
  readyMs: number
  /** Base of the operations listener. */
  operationsUrl: string
  /** How many lines it has logged since it was ready, and the last of them. */
  readonly log: { readonly count: number, readonly tail: readonly string[] }
  /** CPU time it has used so far, all threads; null where the system does not tell (anything but Linux). */
  cpuMs (): Promise<number | null>
  /** Memory of it that is in RAM now; null where the system does not tell (anything but Linux). */
  residentBytes (): Promise<number | null>
  /** Ends it with grace, as an orchestrator would. */
  close (): Promise<void>
}

/** @throws {Error} with its last words when it does not become ready */
export async function startBroker (options: BrokerOptions): Promise<BrokerProcess> {
  const [port, operationsPort] = [await findFreePort(), await findFreePort()]
  const startedMs = performance.now()
  const child = spawn(process.execPath, [...options.nodeArguments ?? [], options.program], {
    // Nothing of the surroundings: what is set here is all the broker knows.
    env: { PATH: process.env['PATH'], ...environmentOf(options, port, operationsPort) },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const exited = once(child, 'exit')
  // However this process ends, the broker does not outlive it.
  const kill = (): void => { child.kill('SIGKILL') }
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const log = collectLines(child)
  try {
    await untilReady(`http://127.0.0.1:${operationsPort}/readyz`, child)
  } catch (error) {
    kill()
    await exited
    throw new Error(`The broker did not become ready:\n${log.tail.join('\n')}`, { cause: error })
  }
  const readyMs = performance.now() - startedMs
  // That it was not ready at once is no news.
  Object.assign(log, { count: 0, tail: [] })
  return {
    url: `http://127.0.0.1:${port}`,
    readyMs,
    operationsUrl: `http://127.0.0.1:${operationsPort}`,
    log,
    cpuMs: () => cpuTimeMs(child.pid as number),
    residentBytes: () => residentBytes(child.pid as number),
    async close () {
      child.kill('SIGTERM')
      await exited
    }
  }
}

function environmentOf ({ databaseUrl, upstreamUrl, keyringFile, environment }: BrokerOptions, port: number, operationsPort: number): Record<string, string> {
  return {
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: String(port),
    OPERATIONS_PORT: String(operationsPort),
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    DATABASE_URL: databaseUrl,
    ENCRYPTION_KEYRING_FILE: keyringFile,
    AZURE_TENANT_ID: '00000000-0000-4000-8000-000000000001',
    AZURE_CLIENT_ID: '00000000-0000-4000-8000-000000000002',
    AZURE_CLIENT_SECRET: 'secret_of_the_benchmark',
    AZURE_AUTHORITY_HOST: upstreamUrl,
    GRAPH_BASE_URL: upstreamUrl,
    KONNECT_API_KEYS: KONNECT_KEY,
    INITIAL_ACCESS_TOKENS: INITIAL_ACCESS_TOKEN,
    ...environment
  }
}

function collectLines (child: ChildProcess): { count: number, tail: string[] } {
  const log = { count: 0, tail: [] as string[] }
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue
    createInterface({ input: stream }).on('line', line => {
      log.count += 1
      log.tail.push(line)
      if (log.tail.length > LINES_KEPT) log.tail.shift()
    })
  }
  return log
}
