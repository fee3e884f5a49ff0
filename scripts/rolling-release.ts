// A release as its operators have it: checked out, installed, built, and run as processes of its own.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { findFreePort } from '../src/sandbox/free-port.ts'

const run = promisify(execFile)
const LINES_KEPT = 50

export interface Release {
  name: string
  folder: string
}

/** A running broker of a release. */
export interface Replica {
  release: Release
  /** Base of the public listener. */
  url: string
  /** SIGTERM. Resolves when it has ended; throws when its exit code is another than 0. */
  stop (): Promise<void>
}

/** This working copy, built. */
export async function buildThis (): Promise<Release> {
  await run('npm', ['run', 'build'])
  return { name: 'this release', folder: resolve('.') }
}

/** What git knows under `ref`, in a temporary folder of its own, with the packages that it was locked to. */
export async function buildOther (ref: string): Promise<Release> {
  const folder = await mkdtemp(join(tmpdir(), 'dcr-rolling-'))
  const archive = join(folder, 'release.tar')
  await run('git', ['archive', '--format=tar', `--output=${archive}`, ref])
  await run('tar', ['-xf', archive, '-C', folder])
  const locks = await Promise.all(['.', folder].map(async root => await readFile(join(root, 'package-lock.json'), 'utf8')))
  if (locks[0] === locks[1]) await symlink(resolve('node_modules'), join(folder, 'node_modules'))
  else await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: folder })
  await run('npm', ['run', 'build'], { cwd: folder })
  return { name: ref, folder }
}

/** Runs the release's command line. Throws what it said when it fails. */
export async function runCommand ({ folder }: Release, args: string[], environment: Record<string, string>): Promise<void> {
  await run(process.execPath, [join(folder, 'dist/src/cli/main.js'), ...args], { cwd: folder, env: { PATH: process.env.PATH, ...environment } })
}

/** Resolves once it has started. */
export async function startReplica (release: Release, environment: Record<string, string>): Promise<Replica> {
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(process.execPath, [join(release.folder, 'dist/src/main.js')], {
    cwd: release.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH, NODE_ENV: 'production', HOST: '127.0.0.1', PORT: String(port), OPERATIONS_PORT: '0', ...environment }
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const lines: string[] = []
  const ended = once(child, 'exit') as Promise<[code: number | null]>
  await Promise.race([hasStarted(child, lines), ended.then(([code]) => { throw new Error(`${release.name} ended with ${code}:\n${lines.join('\n')}`) })])
  return {
    release,
    url,
    async stop () {
      child.kill('SIGTERM')
      const [code] = await ended
      if (code !== 0) throw new Error(`${release.name} ended with ${code}:\n${lines.join('\n')}`)
    }
  }
}

/** Goes on reading: a pipe that nobody empties would stop the broker. */
async function hasStarted ({ stdout }: ChildProcess, lines: string[]): Promise<void> {
  await new Promise<void>(resolve => {
    if (stdout === null) throw new Error('The output is not piped')
    createInterface({ input: stdout }).on('line', line => {
      lines.push(line)
      if (lines.length > LINES_KEPT) lines.shift()
      if (line.includes('"Started"')) resolve()
    })
  })
}
