// Keeps a snapshot in a file that only its owner can read; replaced as a whole, so that a crash leaves the old one or the new one.
import { readFile, rename, writeFile } from 'node:fs/promises'
import type { SimulatorSnapshot } from './snapshot.ts'

const quietMs = 250

/** The snapshot in the file; null when there is no file. Throws SyntaxError when it is damaged. */
export async function readStateFile (path: string): Promise<SimulatorSnapshot | null> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as SimulatorSnapshot
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

export interface StateFile {
  /** Saves soon, once for many calls. */
  schedule (): void
  /** Saves now; resolves when the file is written. */
  save (): Promise<void>
}

export function createStateFile (path: string, snapshot: () => SimulatorSnapshot): StateFile {
  let timer: NodeJS.Timeout | null = null
  let writing = Promise.resolve()
  const save = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer)
    timer = null
    // One write after the other: they share the temporary file.
    writing = writing.catch(() => {}).then(() => write(path, snapshot()))
    return writing
  }
  return {
    save,
    schedule () {
      timer ??= setTimeout(() => {
        save().catch((error: unknown) => console.error('The simulator could not save its state.', error))
      }, quietMs).unref()
    }
  }
}

async function write (path: string, snapshot: SimulatorSnapshot): Promise<void> {
  const temporary = `${path}.new`
  await writeFile(temporary, JSON.stringify(snapshot), { mode: 0o600 })
  await rename(temporary, path)
}
