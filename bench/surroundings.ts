// What every case stands on: PostgreSQL, the stub of Entra, a keyring, and brokers over them; all of it gone afterwards.
import { once } from 'node:events'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createKeyringFile } from '../src/vault/keyring.ts'
import { startBroker, type BrokerProcess } from './broker.ts'
import { startDatabase, type BenchDatabase } from './database.ts'
import { startUpstream, type Upstream } from './upstream.ts'

const program = resolve(import.meta.dirname, '..', 'dist', 'src', 'main.js')

export interface BrokerDifferences {
  /** Another database than the common one. */
  databaseUrl?: string
  environment?: Record<string, string>
  nodeArguments?: string[]
}

export interface Surroundings {
  database: BenchDatabase
  upstream: Upstream
  startBroker (differences?: BrokerDifferences): Promise<BrokerProcess>
}

/** @param common what all brokers are started with, unless a case says otherwise */
export async function withSurroundings<T> (
  common: Required<Pick<BrokerDifferences, 'environment' | 'nodeArguments'>>, work: (surroundings: Surroundings) => Promise<T>
): Promise<T> {
  const closers: Array<() => Promise<void>> = []
  const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]).then(() => { throw new Error('Interrupted') })
  interrupted.catch(() => {})
  try {
    const folder = await mkdtemp(join(tmpdir(), 'dcr-bench-'))
    closers.push(() => rm(folder, { recursive: true, force: true }))
    // PostgreSQL may run under another account than ours and has to pass through.
    await chmod(folder, 0o711)
    const keyringFile = join(folder, 'keyring.json')
    await createKeyringFile(keyringFile)
    const database = await startDatabase(join(folder, 'postgres'))
    closers.push(database.close)
    const upstream = await startUpstream()
    closers.push(upstream.close)
    return await Promise.race([interrupted, work({
      database,
      upstream,
      startBroker: async ({ databaseUrl = database.url, environment = {}, nodeArguments = [] } = {}) => tellingItsLast(await startBroker({
        program,
        databaseUrl,
        keyringFile,
        upstreamUrl: upstream.url,
        environment: { ...common.environment, ...environment },
        nodeArguments: [...common.nodeArguments, ...nodeArguments]
      }))
    })])
  } finally {
    for (const close of closers.reverse()) await close()
  }
}

// A warning is no part of any case: whoever reads the figures has to know of it.
function tellingItsLast (broker: BrokerProcess): BrokerProcess {
  return {
    ...broker,
    async close () {
      await broker.close()
      const { count, tail } = broker.log
      if (count > 0) console.error(`A broker has logged ${count} lines, the last of them:\n${tail.join('\n')}`)
    }
  }
}

interface Closable { close (): Promise<void> }

/** Closes them all when the work is done, the last one first, however it ended. */
export async function using<T> (work: (keep: <C extends Closable>(opening: Promise<C>) => Promise<C>) => Promise<T>): Promise<T> {
  const open: Closable[] = []
  try {
    return await work(async opening => {
      const closable = await opening
      open.push(closable)
      return closable
    })
  } finally {
    for (const closable of open.reverse()) await closable.close()
  }
}
