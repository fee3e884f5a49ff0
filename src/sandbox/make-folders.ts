// A folder and those above it. Node's own recursive mkdir tries for ever where no folder can be made (under /proc, say).
import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Makes what is missing of `path`; what is there stays as it is.
 *
 * @throws {Error} of the system when a folder can't be made
 */
export async function makeFolders (path: string, mode = 0o777): Promise<void> {
  if (await stat(path).then(() => true, () => false)) return
  await makeFolders(dirname(path), mode)
  await mkdir(path, mode).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}
