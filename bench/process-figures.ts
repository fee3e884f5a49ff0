// CPU time and memory of another process, as Linux counts them.
import { readFile } from 'node:fs/promises'

/** Linux counts in hundredths of a second. */
const TICK_MS = 10

/** Milliseconds used so far by all threads; null where the system does not tell (anything but Linux). */
export async function cpuTimeMs (pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (text === null) return null
  // After the name, which may hold anything in its brackets; fields 14 and 15 of the whole are user and system time (proc(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS
}

/** As a figure of a turn; left out where the system does not tell. */
export function perRequest (beforeMs: number | null, afterMs: number | null, requests: number): { cpuMs?: number } {
  return beforeMs === null || afterMs === null ? {} : { cpuMs: (afterMs - beforeMs) / requests }
}

/** Resident memory; null where the system does not tell. */
export async function residentBytes (pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]
  return kibibytes === undefined ? null : Number(kibibytes) * 1024
}
