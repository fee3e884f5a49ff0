// The embedded PostgreSQL of a sandbox folder, looked at from outside.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlive } from '../../src/sandbox/postgres-leftover.ts'

/** The process id of the PostgreSQL somewhere below this folder; null while there is none. */
export async function postgresBelow (folder: string): Promise<number | null> {
  const files = await readdir(folder, { recursive: true }).catch(() => [])
  const file = files.find(name => name.endsWith('postmaster.pid'))
  if (file === undefined) return null
  const pid = Number((await readFile(join(folder, file), 'utf8').catch(() => '')).split('\n')[0])
  return pid > 1 && isAlive(pid) ? pid : null
}
