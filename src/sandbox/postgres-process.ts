// The PostgreSQL process: starting one of its programs, waiting for the server to be ready, and making sure it never outlives us.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { findFreePort } from './free-port.ts'
import type { PostgresUser } from './postgres-user.ts'

/** What to run, where, and as whom (our own account when `user` is undefined). */
export interface Launch {
  program: string
  args: string[]
  folder: string
  user: PostgresUser | undefined
  /** Takes what the program says, line by line. */
  log: (line: string) => void
  signal?: AbortSignal | undefined
}

interface Launched {
  child: ChildProcess
  /** Settles when the process and its output have ended. */
  ended: Promise<unknown[]>
  /** The last lines it said, for an error message. */
  tail: string[]
}

const portAttempts = 5

/**
 * Runs a program to its end.
 *
 * @throws {Error} with its last words when it fails
 */
export async function runToEnd (launch: Launch): Promise<void> {
  const { ended, tail } = start(launch, launch.signal)
  const [code] = await ended
  if (code !== 0) throw new Error(`${launch.program} failed:\n${tail.join('\n')}`)
}

/**
 * Starts the server on a free loopback port. Another program may take the port between our finding it and
 * PostgreSQL's binding it: then the next one is tried.
 *
 * @throws {Error} with the server's last words when it does not start
 */
export async function startServer (launch: Launch): Promise<{ port: number, stop: () => Promise<void> }> {
  for (let attempt = 1; ; attempt++) {
    const port = await findFreePort()
    let announce = () => {}
    const ready = new Promise<void>(resolve => { announce = resolve })
    const log = (line: string) => {
      launch.log(line)
      if (line.includes('database system is ready to accept connections')) announce()
    }
    const { child, ended, tail } = start({ ...launch, args: [...launch.args, '-p', String(port)], log })
    if (await isReady(child, ready, ended, launch.signal)) {
      endWithUs(child)
      return { port, stop: () => stop(child, ended) }
    }
    launch.signal?.throwIfAborted()
    const portTaken = tail.some(line => line.includes('could not bind'))
    if (!portTaken || attempt === portAttempts) throw new Error(`PostgreSQL did not start:\n${tail.join('\n')}`)
  }
}

function start ({ program, args, folder, user, log }: Launch, signal?: AbortSignal): Launched {
  const child = spawn(program, args, {
    cwd: folder,
    // Ours may hold PGDATA and the like, and secrets that are none of PostgreSQL's business.
    env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' },
    // A group of its own: a Ctrl-C at the terminal is for us, and we still need the database to end in good order.
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(user && { uid: user.uid, gid: user.gid }),
    ...(signal && { signal })
  })
  const tail: string[] = []
  createInterface({ input: child.stderr }).on('line', line => {
    tail.push(line)
    if (tail.length > 20) tail.shift()
    log(line)
  })
  return { child, ended: once(child, 'close'), tail }
}

/** Waits until the server takes connections (true) or has ended (false); an abort ends it. */
async function isReady (child: ChildProcess, ready: Promise<void>, ended: Promise<unknown>, signal?: AbortSignal): Promise<boolean> {
  const abort = () => { child.kill('SIGQUIT') }
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted) abort()
  try {
    return await Promise.race([ready.then(() => true), ended.then(() => false)])
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

/** A shell that waits for the end of its input, which comes when our process ends for whatever reason, even SIGKILL. */
function endWithUs (child: ChildProcess): void {
  const watch = spawn('/bin/sh', ['-c', 'read -r _; kill -INT "$0"', String(child.pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore']
  })
  watch.on('error', () => {}) // no shell, no watch: the next start stops what is left
  watch.unref()
  child.once('exit', () => watch.kill('SIGKILL'))
}

/** Fast shutdown: open transactions are rolled back, everything is written. If that takes too long, without the writing. */
async function stop (child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  child.kill('SIGINT')
  const impatience = setTimeout(() => child.kill('SIGQUIT'), 10_000)
  await ended
  clearTimeout(impatience)
}
