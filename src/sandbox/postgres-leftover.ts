// Deals with a PostgreSQL that still runs in our data folder although the process that started it is gone.
import { readFile, readlink, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Stops the PostgreSQL that a broker which was killed has left running in `dataFolder`. A `postmaster.pid` whose process is
 * dead, or is by now some other program, is left to PostgreSQL, which replaces it.
 *
 * @param ownerPid the process that started it, as recorded at that time
 * @returns the id of the process that was stopped, or `undefined` when none was running
 * @throws {Error} when the process that started it is alive and still its parent: the folder is in use
 */
export async function stopLeftoverPostgres (
  dataFolder: string, ownerPid: number | undefined, signal?: AbortSignal
): Promise<number | undefined> {
  const pid = Number((await readFile(join(dataFolder, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0])
  if (!Number.isInteger(pid) || pid <= 1 || !await worksIn(pid, dataFolder)) return undefined
  if (ownerPid !== undefined && isAlive(ownerPid) && await isParent(ownerPid, pid)) {
    throw new Error(`The embedded database in ${dataFolder} is in use by the running process ${ownerPid}. Stop it, or choose another SANDBOX_DIR.`)
  }
  kill(pid, 'SIGINT') // PostgreSQL's fast shutdown: open transactions are rolled back
  for (let waitedMs = 0; await worksIn(pid, dataFolder); waitedMs += 50) {
    if (waitedMs === 10_000) kill(pid, 'SIGQUIT')
    if (waitedMs >= 15_000) throw new Error(`A PostgreSQL left running in ${dataFolder} (process ${pid}) does not stop.`)
    await delay(50, undefined, signal && { signal })
  }
  return pid
}

function kill (pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Whether a process of this number exists; one that we may not signal counts. */
export function isAlive (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** PostgreSQL's working directory is its data folder. Without /proc (macOS) the number in `postmaster.pid` is trusted, as `pg_ctl` does. */
async function worksIn (pid: number, dataFolder: string): Promise<boolean> {
  if (process.platform !== 'linux') return isAlive(pid)
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return folder === await realpath(dataFolder)
}

/** Without /proc a living owner is taken for the parent: rather refuse than stop somebody's database. */
async function isParent (ownerPid: number, pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => undefined)
  return status === undefined || Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]) === ownerPid
}
