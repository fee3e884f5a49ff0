// PostgreSQL refuses to run as root. This file finds the account it runs under instead,
// and tells whether that account can reach a folder.
import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** An account by number, in the form `child_process.spawn` takes it. */
export interface PostgresUser {
  name: string
  uid: number
  gid: number
}

/**
 * The account PostgreSQL has to run under, or `undefined` when it can run under our own.
 * For root that is `postgres` if the system has it, else `nobody`; no account is ever created.
 *
 * @throws {Error} for root on a system that has neither
 */
export async function findPostgresUser (): Promise<PostgresUser | undefined> {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const user = await lookUp(name)
    if (user !== undefined) return user
  }
  throw new Error('PostgreSQL refuses to run as root, and this system has neither a user "postgres" nor "nobody" to run it as. ' +
    'Start the broker as an ordinary user, or set DATABASE_URL.')
}

async function lookUp (name: string): Promise<PostgresUser | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async flag => Number((await run('id', [flag, name])).stdout)))
    return uid ? { name, uid, gid: gid ?? uid } : undefined
  } catch {
    return undefined
  }
}

/** Whether `user` may pass through `folder` and every folder above it, by their mode bits. */
export async function canTraverse (folder: string, user: PostgresUser): Promise<boolean> {
  const { mode, uid, gid } = await stat(folder)
  const bit = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001
  if ((mode & bit) === 0) return false
  const parent = dirname(folder)
  return parent === folder || await canTraverse(parent, user)
}
