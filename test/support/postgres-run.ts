// One PostgreSQL per test run. Everything that belongs to a run is found through the process id of the runner, the common
// parent of all test files: its state lies in a folder named after it.
import { spawn } from 'node:child_process'
import { lstat, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from '../../src/sandbox/postgres-leftover.ts'
import { programArguments } from './programs.ts'

/** What the server's process says of itself: where it is, or why it is not there. */
export type TestServer = { adminUrl: string, template: string, prefix: string } | { failure: string }

const prefix = `dcr-broker-test-${process.getuid?.() ?? 0}-`
const startTimeoutMs = 90_000

const folderOf = (runPid: number) => join(tmpdir(), `${prefix}${runPid}`)

/** Whether this path is one of this user's state folders. */
export function isStateFolder (path: string): boolean {
  const name = basename(path)
  return dirname(path) === tmpdir() && name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length))
}

/** The state folders of all runs of this user, the ones that were killed among them. */
export async function stateFolders (): Promise<Array<{ path: string, pid: number }>> {
  const paths = (await readdir(tmpdir())).map(name => join(tmpdir(), name)).filter(isStateFolder)
  return paths.map(path => ({ path, pid: Number(basename(path).slice(prefix.length)) }))
}

/** Starts the run's server in the background; who needs it waits in `findTestServer`. */
export async function startTestServer (runPid: number): Promise<void> {
  const folder = folderOf(runPid)
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { mode: 0o711 }) // PostgreSQL's account passes through it when we are root
  const log = await open(join(folder, 'server.log'), 'w')
  const server = spawn(process.execPath, [...programArguments('test/support/postgres-server'), String(runPid), folder], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd]
  })
  await log.close()
  server.unref()
  await writeFile(join(folder, 'server.pid'), String(server.pid))
}

/** Ends the run's server and waits until its data is gone. */
export async function stopTestServer (runPid: number): Promise<void> {
  const pid = await serverPid(folderOf(runPid))
  if (pid === undefined || !isAlive(pid)) return
  process.kill(pid, 'SIGTERM')
  const signal = AbortSignal.timeout(startTimeoutMs)
  while (isAlive(pid)) await delay(20, undefined, { signal })
}

let found: Promise<Exclude<TestServer, { failure: string }>> | undefined

/** Waits for the server of this run to be ready; starts it when nobody has (a test file started without the runner). */
export const findTestServer = () => (found ??= search())

async function search (): Promise<Exclude<TestServer, { failure: string }>> {
  const started = await exists(folderOf(process.ppid)) ? process.ppid : process.pid
  const folder = folderOf(started)
  if (!await exists(folder)) await startTestServer(started)
  const signal = AbortSignal.timeout(startTimeoutMs)
  for (;;) {
    const server = await readAnnouncement(folder)
    if (server === undefined) {
      await delay(20, undefined, { signal })
    } else if ('failure' in server) {
      throw new Error(`The PostgreSQL for the tests did not start: ${server.failure}`)
    } else {
      return server
    }
  }
}

async function readAnnouncement (folder: string): Promise<TestServer | undefined> {
  const pid = await serverPid(folder)
  const ended = pid !== undefined && !isAlive(pid)
  const announced = await readFile(join(folder, 'server.json'), 'utf8').catch(() => undefined)
  if (announced !== undefined) return JSON.parse(announced) as TestServer
  return ended ? { failure: await readFile(join(folder, 'server.log'), 'utf8').catch(() => 'it was stopped') } : undefined
}

async function serverPid (folder: string): Promise<number | undefined> {
  return Number(await readFile(join(folder, 'server.pid'), 'utf8').catch(() => '')) || undefined
}

async function exists (folder: string): Promise<boolean> {
  return await lstat(folder).then(stats => stats.isDirectory() && stats.uid === (process.getuid?.() ?? stats.uid), () => false)
}
