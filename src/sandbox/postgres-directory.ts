// Where the embedded PostgreSQL keeps its data: in the folder asked for, unless its account cannot reach that
// (a checkout in root's home, say); then in a folder under the system's temporary directory.
import { createHash } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { makeFolders } from './make-folders.ts'
import { canTraverse, type PostgresUser } from './postgres-user.ts'
import { privateTemporaryFolder } from './private-folder.ts'

/**
 * @param wanted absolute path, made when missing
 * @returns the folder to use, always the same one for the same wish, and a note when it is not the one asked for
 */
export async function chooseDirectory (wanted: string, user: PostgresUser | undefined): Promise<{ directory: string, notes: string[] }> {
  await makeFolders(wanted)
  const directory = await realpath(wanted)
  if (user === undefined || await canTraverse(directory, user)) return { directory, notes: [] }
  const name = createHash('sha256').update(directory).digest('hex').slice(0, 12)
  const replacement = await realpath(await privateTemporaryFolder(`dcr-broker-data-${name}`))
  return {
    directory: replacement,
    notes: [`PostgreSQL runs as "${user.name}", which cannot enter ${directory}; its data is kept in ${replacement}.`]
  }
}
