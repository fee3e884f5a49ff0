// The journal of requests: what tests assert on ("one addPassword only", "no secret in any request"). It holds no secret itself.

export interface JournalEntry {
  sequence: number
  /** ISO-8601, on the simulator's clock. */
  at: string
  method: string
  /** As sent, with the query. */
  path: string
  /** Null while unanswered, and when the connection was closed without an answer. */
  status: number | null
  clientRequestId: string | null
  requestId: string
  /** The rule that spoilt it. */
  faultId: number | null
  body: unknown
}

export interface JournalQuery {
  method?: string
  /** Regular expression over the path. */
  path?: string
}

export interface Journal {
  /** False: nothing is written, for load runs. */
  enabled: boolean
  open (entry: Omit<JournalEntry, 'sequence' | 'status' | 'faultId' | 'body'>): JournalEntry | null
  entries (query?: JournalQuery): JournalEntry[]
  clear (): void
}

const secretMembers = new Set(['client_secret', 'client_assertion', 'assertion', 'password', 'code', 'code_verifier', 'refresh_token', 'secretText', 'key'])

/** A copy without the values that are secrets. */
export function withoutSecrets (body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withoutSecrets)
  if (typeof body !== 'object' || body === null) return body
  return Object.fromEntries(Object.entries(body).map(([name, value]) =>
    [name, secretMembers.has(name) && value !== null ? '[removed]' : withoutSecrets(value)]))
}

/** Keeps the newest `capacity` entries. */
export function createJournal (capacity = 10_000): Journal {
  let kept: JournalEntry[] = []
  let sequence = 0
  return {
    enabled: true,
    open (entry) {
      if (!this.enabled) return null
      const opened: JournalEntry = { sequence: ++sequence, ...entry, status: null, faultId: null, body: null }
      kept.push(opened)
      if (kept.length >= capacity * 2) kept = kept.slice(-capacity)
      return opened
    },
    entries ({ method, path } = {}) {
      const pattern = new RegExp(path ?? '')
      return kept.slice(-capacity)
        .filter(entry => (method === undefined || entry.method === method.toUpperCase()) && pattern.test(entry.path))
        .map(entry => ({ ...entry }))
    },
    clear () {
      kept = []
    }
  }
}
