// What a test has asked for and received: the callers' side of the promises, against which the invariants are checked.
import type { Answer } from '../support/broker.ts'

export interface LedgerCall {
  method: string
  path: string
  startedAtMs: number
  /** Null while it is under way. */
  endedAtMs: number | null
  /** Null: none has come, or the connection was cut. */
  answer: Answer | null
}

/** A secret that a caller holds. */
export interface DeliveredSecret {
  clientId: string
  secret: string
  /** Konnect's answers to an added secret name it. */
  secretId: string | null
  call: LedgerCall
}

export type Send<Rest extends unknown[] = unknown[]> = (method: string, path: string, ...rest: Rest) => Promise<Answer>

const CLIENT_ID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i

export class Ledger {
  readonly calls: LedgerCall[] = []
  readonly #changedInPortal = new Set<string>()

  /** The same sender; whatever it sends and gets is in the ledger. One for each replica is fine. */
  watch<Rest extends unknown[]> (send: Send<Rest>): Send<Rest> {
    return (method, path, ...rest) => this.record(method, path, () => send(method, path, ...rest))
  }

  /** For senders of another form, like POST /register. `path` should hold the client's id if there is one. */
  async record (method: string, path: string, send: () => Promise<Answer>): Promise<Answer> {
    const call: LedgerCall = { method, path, startedAtMs: performance.now(), endedAtMs: null, answer: null }
    this.calls.push(call)
    try {
      call.answer = await send()
      return call.answer
    } finally {
      call.endedAtMs = performance.now()
    }
  }

  /** Somebody changed or deleted this client beside the broker: its secrets and its application are nobody's promise any more. */
  noteChangeInPortal (clientId: string): void {
    this.#changedInPortal.add(clientId)
  }

  wasChangedInPortal (clientId: string): boolean {
    return this.#changedInPortal.has(clientId)
  }

  delivered (): DeliveredSecret[] {
    const secrets = new Map<string, DeliveredSecret>()
    for (const call of this.calls.filter(isSuccess)) {
      const { client_id: clientId, client_secret: secret, secret_id: secretId = null } = call.answer?.body ?? {}
      if (typeof clientId === 'string' && typeof secret === 'string') secrets.set(secret, { clientId, secret, secretId, call })
    }
    return [...secrets.values()]
  }

  /** Whether anybody has asked, since this call began, for something that may end the client's secrets. */
  mayHaveEnded ({ clientId, call }: DeliveredSecret): boolean {
    return this.wasChangedInPortal(clientId) || this.calls.some(other =>
      other !== call && clientIdOf(other) === clientId && isEnding(other) && (other.endedAtMs ?? Infinity) > call.startedAtMs)
  }

  /** Clients whose creation was answered with success. */
  created (): string[] {
    return this.calls.filter(call => call.answer?.status === 201 && CLIENT_ID.exec(call.path) === null)
      .map(clientIdOf).filter(clientId => clientId !== null)
  }

  /** Whether the end of this client was asked for, and whether a caller was told that it has happened. */
  ending (clientId: string): 'no' | 'asked' | 'answered' {
    const calls = this.calls.filter(call => call.method === 'DELETE' && !call.path.includes('/secrets/') && clientIdOf(call) === clientId)
    if (calls.length === 0) return 'no'
    return calls.some(isSuccess) ? 'answered' : 'asked'
  }
}

function isSuccess ({ answer }: LedgerCall): boolean {
  return answer !== null && answer.status >= 200 && answer.status < 300
}

function isEnding ({ method, path }: LedgerCall): boolean {
  return method === 'DELETE' || method === 'PUT' || path.endsWith('/new-secret')
}

function clientIdOf ({ path, answer }: LedgerCall): string | null {
  const named = answer?.body?.client_id
  return typeof named === 'string' ? named : CLIENT_ID.exec(path)?.[0] ?? null
}
