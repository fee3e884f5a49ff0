// From the start of the program until it says that it is ready: the broker, beside Fastify with Prisma connected and nothing else.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { build } from 'esbuild'
import { asAFewFiles } from '../../scripts/few-files.ts'
import { findFreePort } from '../../src/sandbox/free-port.ts'
import { compare, inTurns, type Side } from '../contest.ts'
import { untilReady } from '../until-ready.ts'
import type { Group } from './group.ts'

const folder = join(import.meta.dirname, '..')
const bareProgram = join(folder, 'results', 'bare-start.js')

export const start: Group = {
  name: 'start',
  async run ({ startBroker, database }, { starts }, tell) {
    const databaseUrl = await database.another('start')
    const ours: Side = {
      name: 'broker',
      async turn () {
        const broker = await startBroker({ databaseUrl })
        await broker.close()
        return { readyMs: broker.readyMs }
      }
    }
    const bare: Side = { name: 'Fastify, Prisma', turn: async () => ({ readyMs: await startBare(databaseUrl) }) }
    tell('warming up')
    await build({ ...asAFewFiles, entryPoints: [join(folder, 'peers', 'bare-start.ts')], outfile: bareProgram })
    // The first one makes what later ones find; the files of both are in the system's memory from here on.
    for (const { turn } of [ours, bare]) await turn()
    const measured = await inTurns([ours, bare], starts, tell)
    return {
      rows: [compare(measured, { name: 'start to ready / bare start', figure: 'readyMs', unit: 'ms', ours, peer: bare, target: { atMost: 1.3 } })]
    }
  }
}

async function startBare (databaseUrl: string): Promise<number> {
  const port = await findFreePort()
  const startedMs = performance.now()
  const child = spawn(process.execPath, [bareProgram], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', PORT: String(port), DATABASE_URL: databaseUrl },
    stdio: ['pipe', 'inherit', 'inherit']
  })
  const exited = once(child, 'exit')
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, child)
    return performance.now() - startedMs
  } finally {
    child.stdin.end()
    await exited
  }
}
