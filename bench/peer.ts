// A peer: a program of bench/peers in a process of its own. It says its port on stdout and ends when its stdin does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { cpuTimeMs, perRequest } from './process-figures.ts'
import type { Figures } from './contest.ts'

const LINES_KEPT = 8

export interface Peer {
  url: string
  cpuMs (): Promise<number | null>
  close (): Promise<void>
}

/** @param environment what it has to know @throws {Error} when it ends before it listens */
export async function startPeer (name: string, environment: Record<string, string> = {}): Promise<Peer> {
  const { lines, ended, cpuMs, close } = spawnPeer(name, environment)
  const url = await new Promise<string>((resolve, reject) => {
    // What else it says is of no use here, but has to be read.
    lines.on('line', line => {
      const port = /^listening on (\d+)$/.exec(line)?.[1]
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`)
    })
    lines.once('close', () => reject(ended()))
  })
  return { url, cpuMs, close }
}

export interface Worker {
  /** Works as hard as it can. */
  work (concurrency: number, durationMs: number): Promise<Figures>
  close (): Promise<void>
}

/** A peer that serves nobody and makes its own load: told how long, it answers with what it has done. */
export async function startWorker (name: string, environment: Record<string, string>): Promise<Worker> {
  const { child, lines, ended, cpuMs, close } = spawnPeer(name, environment)
  const answers = lines[Symbol.asyncIterator]()
  return {
    async work (concurrency, durationMs) {
      const before = await cpuMs()
      child.stdin.write(`${concurrency} ${durationMs}\n`)
      const { value, done } = await answers.next()
      if (done === true) throw ended()
      const { requests, elapsedMs } = JSON.parse(value) as { requests: number, elapsedMs: number }
      return { requests, perSecond: requests / elapsedMs * 1000, ...perRequest(before, await cpuMs(), requests) }
    },
    close
  }
}

function spawnPeer (name: string, environment: Record<string, string>) {
  const program = fileURLToPath(new URL(`peers/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--import=tsx', program], {
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ...environment },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  const exited = once(child, 'exit')
  const complaints: string[] = []
  createInterface({ input: child.stderr }).on('line', line => {
    complaints.push(line)
    if (complaints.length > LINES_KEPT) complaints.shift()
  })
  return {
    child,
    ended: () => new Error(`The peer ${name} has ended:\n${complaints.join('\n')}`),
    lines: createInterface({ input: child.stdout }),
    cpuMs: async () => await cpuTimeMs(child.pid as number),
    async close () {
      child.stdin.end()
      await exited
    }
  }
}
