// The broker, or the demonstration, as its users start it: in a process of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { programArguments } from '../support/programs.ts'

const programs = { main: 'src/main', demo: 'src/demo/main', cli: 'src/cli/main' }

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface MainProcess {
  child: ChildProcess
  /** Resolves to the output so far once it matches. Rejects when the process ends first. */
  output (pattern: RegExp): Promise<string>
  ended: Promise<Ended>
}

/** With nothing in the environment but what is given (and what a process needs to run at all). */
export function startMain (environment: Record<string, string>, program: keyof typeof programs = 'main', args: readonly string[] = []): MainProcess {
  const { PATH = '', HOME = '', TMPDIR } = process.env
  const child = spawn(process.execPath, [...programArguments(programs[program]), ...args], {
    cwd: resolve('.'),
    env: { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), ...environment },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => { stdout += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { stderr += chunk.toString() })
  const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, stdout, stderr }))
  return {
    child,
    ended,
    async output (pattern) {
      const seen = new Promise<string>(resolve => {
        const look = () => { if (pattern.test(stdout)) resolve(stdout) }
        child.stdout.on('data', look)
        look()
      })
      return await Promise.race([seen, ended.then(({ code, stderr }) => { throw new Error(`ended with ${code}: ${stdout}${stderr}`) })])
    }
  }
}
