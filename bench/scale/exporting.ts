// What an export holds in memory, however long it is.
import { operator } from './operations.ts'
import type { Subject } from './subject.ts'

/** Pages between two looks at the heap. */
const LOOK_EVERY = 10
/** Pages that are read at most: 100,000 rows. */
const MOST_PAGES = 200

/** MiB above what was there, at most: what is garbage is collected before each look. */
export async function heapOfExport ({ reader }: Subject): Promise<number> {
  const collect = globalThis.gc
  if (collect === undefined) throw new Error('This needs --expose-gc')
  collect()
  const before = process.memoryUsage().heapUsed
  let most = 0
  let pages = 0
  for await (const page of reader.export([], operator)) {
    if (page.length === 0 || pages++ % LOOK_EVERY !== 0) continue
    if (pages > MOST_PAGES) break
    collect()
    most = Math.max(most, process.memoryUsage().heapUsed - before)
  }
  return most / 2 ** 20
}
