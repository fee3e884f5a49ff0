// The migrations this release brings: one folder each, applied in the order of their names.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One migration of this release. */
export interface Migration {
  /** Its folder's name: `<UTC time>_<what it does>`. */
  name: string
  /** The whole `migration.sql`. */
  sql: string
  /** SHA-256 of the file in hex, as Prisma computes it. */
  checksum: string
}

/**
 * Reads the migrations under `directory`.
 *
 * @param directory default: `prisma/migrations` of this package, from the sources and from `dist/` alike
 * @throws {Error} when the directory or the `migration.sql` of a migration is missing
 */
export async function readMigrations (directory: string = packagedMigrations()): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries.filter(entry => entry.isDirectory()).map(entry => entry.name).sort()
  return await Promise.all(names.map(async name => {
    const file = await readFile(join(directory, name, 'migration.sql'))
    return { name, sql: file.toString('utf8'), checksum: sha256(file) }
  }))
}

/** Whether a recorded checksum is this migration's; as for Prisma, a checkout with other line ends is the same migration. */
export function hasChecksum (migration: Migration, recorded: string): boolean {
  const unix = migration.sql.replaceAll('\r\n', '\n')
  return [migration.checksum, sha256(unix), sha256(unix.replaceAll('\n', '\r\n'))].includes(recorded)
}

function sha256 (content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

/** The sources stand two folders below the package's root (src/store/), the built files three (dist/src/store/). */
function packagedMigrations (): string {
  const here = dirname(fileURLToPath(import.meta.url))
  const folders = ['../..', '../../..'].map(root => join(here, root, 'prisma', 'migrations'))
  const found = folders.find(folder => existsSync(folder))
  if (found === undefined) throw new Error(`The folder prisma/migrations is missing from the installation (looked for ${folders.join(' and ')}).`)
  return found
}
