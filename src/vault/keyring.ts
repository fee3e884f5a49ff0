// The keyring file in use: read at start, looked at again every 10 s, replaced only by a file that is good.
import { createHash, randomBytes } from 'node:crypto'
import { link, mkdir, open, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { keyBytes } from './envelope.ts'
import { KeyringError, parseKeyring, reusedNames, type KeyringDocument, type KeyState } from './keyring-document.ts'

const rereadMs = 10_000
const maxFileBytes = 1024 * 1024

export interface Keyring {
  current (): KeyringDocument
  /** What is wrong with the file as it is now, while an older content stays in use; null when all is well. */
  fault (): string | null
  /** Looks at the file now. Never throws: a bad file is logged and the content in use stays. */
  reread (): Promise<'unchanged' | 'replaced' | 'refused'>
  close (): void
}

export interface KeyringLog {
  info (details: object, message: string): void
  error (details: object, message: string): void
}

/**
 * Opens a keyring file and keeps an eye on it until `close()`.
 *
 * @param options.everyMs how often the file is looked at again, default 10,000
 * @throws {KeyringError} when the file can't be read, is readable by others or has faults
 */
export async function openKeyring (path: string, log: KeyringLog, options: { everyMs?: number } = {}): Promise<Keyring> {
  let inUse = await load(path)
  let fault: string | null = null

  const reread: Keyring['reread'] = async () => {
    try {
      const found = await load(path)
      if (found.digest === inUse.digest && fault === null) return 'unchanged'
      const reused = reusedNames(inUse.document, found.document)
      if (reused.length > 0) throw new KeyringError([`Other material under a name in use: ${reused.join(', ')}.`])
      const outcome = found.digest === inUse.digest ? 'unchanged' : 'replaced'
      const { active, keys, peppers } = found.document
      log.info({ kids: [...keys.keys()], activeKid: active, activePepper: peppers.active }, 'keyring read again')
      inUse = found
      fault = null
      return outcome
    } catch (error) {
      const message = error instanceof KeyringError ? error.message : 'The keyring can\'t be used.'
      // Said once for each fault, not every 10 s.
      if (message !== fault) log.error({ path, fault: message }, 'keyring file refused, the one read before stays in use')
      fault = message
      return 'refused'
    }
  }

  const timer = setInterval(reread, options.everyMs ?? rereadMs).unref()
  return { current: () => inUse.document, fault: () => fault, reread, close: () => clearInterval(timer) }
}

/** A keyring that never changes. */
export function fixedKeyring (document: KeyringDocument): Keyring {
  return { current: () => document, fault: () => null, reread: async () => 'unchanged', close: () => {} }
}

/**
 * Makes a keyring file with one fresh key and one fresh pepper, mode 0600, complete or not at all. A file that is there is left alone.
 * Its folder is made when missing, but no folder above that.
 *
 * @returns whether a file was made
 * @throws {Error} of the system, with `code` and `syscall`, when there can be no such file
 */
export async function createKeyringFile (path: string): Promise<boolean> {
  const kid = freshName('k')
  const pepperId = freshName('p')
  return await writeNewFile(path, {
    active: kid,
    keys: { [kid]: { k: freshMaterial(), state: 'active' } },
    peppers: { active: pepperId, keys: { [pepperId]: { k: freshMaterial() } } }
  })
}

/**
 * Makes a file with everything of another keyring file and one fresh key, which waits to be activated in the database. Mode 0600,
 * complete or not at all; a file that is there is left alone.
 *
 * @returns the name of the fresh key; null: there is a file of this name
 * @throws {KeyringError} when the other file can't be used
 * @throws {Error} of the system, with `code` and `syscall`, when there can be no such file
 */
export async function extendKeyringFile (from: string, path: string): Promise<string | null> {
  const text = await readKeyringText(from)
  parseKeyring(text)
  const before = JSON.parse(text) as { keys: object }
  const kid = freshName('k')
  const content = { ...before, keys: { ...before.keys, [kid]: { k: freshMaterial(), state: 'decrypt' satisfies KeyState } } }
  return await writeNewFile(path, content) ? kid : null
}

const freshMaterial = (): string => randomBytes(keyBytes).toString('base64url')
const freshName = (prefix: string): string => `${prefix}${randomBytes(4).toString('hex')}`

async function writeNewFile (path: string, content: object): Promise<boolean> {
  await makeFolder(dirname(path))
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const handle = await open(draft, 'wx', 0o600)
  try {
    try {
      await handle.writeFile(`${JSON.stringify(content, null, 2)}\n`)
      await handle.sync()
    } finally {
      await handle.close()
    }
    // link() fails when the name is taken, where rename() would replace a keyring that seals somebody's secrets.
    await link(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

// Not recursive: where no folder can be made (under /proc, say) Node's recursive mkdir tries for ever.
async function makeFolder (path: string): Promise<void> {
  await mkdir(path).catch(error => {
    if (codeOf(error) !== 'EEXIST') throw error
  })
}

async function load (path: string): Promise<{ document: KeyringDocument, digest: string }> {
  const text = await readKeyringText(path)
  return { document: parseKeyring(text), digest: createHash('sha256').update(text).digest('base64') }
}

async function readKeyringText (path: string): Promise<string> {
  // Symbolic links are followed: Kubernetes mounts secrets behind two of them. The file that was opened is the one that is checked.
  const handle = await open(path, 'r').catch(error => {
    throw new KeyringError([`The file can't be opened (${codeOf(error)}).`])
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new KeyringError(['It is not a file.'])
    if (stats.size > maxFileBytes) throw new KeyringError(['The file is larger than 1 MiB.'])
    if (process.platform !== 'win32' && (stats.mode & 0o006) !== 0) {
      throw new KeyringError([`Others can read or write the file (mode ${(stats.mode & 0o777).toString(8)}); take that away: chmod o-rwx.`])
    }
    return await handle.readFile('utf8').catch(error => {
      throw new KeyringError([`The file can't be read (${codeOf(error)}).`])
    })
  } finally {
    await handle.close()
  }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
