// One compiled test file as a process of its own, and what it printed.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

export interface TestFileOptions {
  /** A compiled copy of the project. */
  root: string
  /** Compiled, relative to `root`. */
  file: string
  /** A file that takes longer is ended, with the programs it has started. */
  longestMs: number
  environment?: Record<string, string>
  stderr: 'inherit' | 'kept'
  signal: AbortSignal
}

export interface TestFileRun {
  /** TAP, and with `stderr: 'kept'` also what was written there. */
  output: string
  /** null: it was ended by a signal. */
  exitCode: number | null
  isOverdue: boolean
}

/** Without the module hooks of tap's own runner: they take more than half of a process's start, and every program that a test starts inherits them. */
export async function runTestFile ({ root, file, longestMs, environment, stderr, signal }: TestFileOptions): Promise<TestFileRun> {
  signal.throwIfAborted()
  const child = spawn(process.execPath, ['--enable-source-maps', ...nodeArguments(root), file], {
    cwd: root,
    env: { ...process.env, TAP_TIMEOUT: String(longestMs / 1_000), TAP_BAIL: '0', ...environment },
    stdio: ['ignore', 'pipe', stderr === 'kept' ? 'pipe' : 'inherit'],
    detached: true // a group, with the programs that the test starts
  })
  let output = ''
  const keep = (text: string): void => { output += text }
  child.stdout?.setEncoding('utf8').on('data', keep)
  child.stderr?.setEncoding('utf8').on('data', keep)
  // Whatever is left of the group: a program that outlives its test would keep the output open, and the run waiting for its end.
  const stop = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {} // Nobody is left.
  }
  child.once('exit', stop)
  let isOverdue = false
  const timer = setTimeout(() => { isOverdue = true; stop() }, longestMs + graceMs)
  signal.addEventListener('abort', stop)
  try {
    const [exitCode] = await once(child, 'close') as [number | null]
    signal.throwIfAborted()
    return { output, exitCode, isOverdue }
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}

/** Within it tap ends the file itself, and names what is still open. */
const graceMs = 5_000

/** As for a file that is run by `npx tap`. */
function nodeArguments (root: string): string[] {
  return (parse(readFileSync(join(root, '.taprc'), 'utf8')) as { 'node-arg': string[] })['node-arg']
}
