// A folder of ours with a fixed name under the system's temporary directory, where anybody may make folders:
// one that somebody else made under our name is refused, since programs are started from here.
import { chmod, lstat, mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Makes `<temporary directory>/<name>` (mode 0755: PostgreSQL's account must be able to enter it) or takes the one that is there.
 *
 * @returns the folder's path
 * @throws {Error} when the path exists and is a link, is not ours, or can be written to by others
 */
export async function privateTemporaryFolder (name: string): Promise<string> {
  const folder = join(tmpdir(), name)
  await mkdir(folder).then(() => chmod(folder, 0o755), (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const { mode, uid } = await lstat(folder).then(stats => stats.isDirectory() ? stats : { mode: 0o777, uid: -1 })
  if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o022) !== 0)) {
    throw new Error(`${folder} exists and is not a private folder of this user; remove it and start again.`)
  }
  return folder
}
