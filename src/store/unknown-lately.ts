// What was looked for a moment ago and is not there: whoever shows one wrong key again and again costs no statement each time.
// A key that has just been made is not among them: nobody can have shown it before.

/** As long as any decision about a caller may be old. */
const REMEMBERED_MS = 1_000
/** Some megabytes at most; the oldest go first. */
const MOST_REMEMBERED = 10_000

export interface UnknownLately {
  has (name: string): boolean
  add (name: string): void
}

export function createUnknownLately (monotonicMs: () => number): UnknownLately {
  const untilMs = new Map<string, number>()
  return {
    has (name) {
      const until = untilMs.get(name)
      if (until === undefined) return false
      if (monotonicMs() < until) return true
      untilMs.delete(name)
      return false
    },
    add (name) {
      const [oldest] = untilMs.keys()
      if (oldest !== undefined && untilMs.size >= MOST_REMEMBERED) untilMs.delete(oldest)
      untilMs.set(name, monotonicMs() + REMEMBERED_MS)
    }
  }
}
