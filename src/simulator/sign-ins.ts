// What a user's sign-in leaves behind: authorization codes and refresh tokens, kept by their digest as a real server would.
import { createHash, randomBytes } from 'node:crypto'
import type { Platform } from './redirect-uris.ts'

/** What a user agreed to, and for which client. */
export interface SignIn {
  /** The client's appId. */
  clientId: string
  /** The platform of the redirect URI that was used: it decides how the client redeems. */
  platform: Platform
  /** Requested scopes, space-separated, as the client wrote them. */
  scope: string
}

export interface CodeRecord extends SignIn {
  /** As in the request, with its port. */
  redirectUri: string
  challenge: { method: 'S256' | 'plain', value: string } | null
  nonce: string | null
  expiresAtMs: number
  isSpent: boolean
}

export interface RefreshRecord extends SignIn {
  expiresAtMs: number
}

export interface SignInsSnapshot {
  codes: Array<[string, CodeRecord]>
  refreshTokens: Array<[string, RefreshRecord]>
}

// Entra: a code lives ten minutes; a refresh token 90 days, for a single-page client 24 hours in all.
const codeLifeMs = 10 * 60_000
const refreshLifeMs = 90 * 24 * 3_600_000
const browserRefreshLifeMs = 24 * 3_600_000
/** What is spent or expired is told from an unknown one for so long. */
const memoryMs = 3_600_000

export class SignIns {
  readonly #codes = new Map<string, CodeRecord>()
  readonly #refreshTokens = new Map<string, RefreshRecord>()
  readonly #environment: { now: () => number, changed: () => void }

  constructor (environment: { now: () => number, changed: () => void }) {
    this.#environment = environment
  }

  /** Resolves the code. */
  addCode (details: Omit<CodeRecord, 'expiresAtMs' | 'isSpent'>): string {
    const now = this.#environment.now()
    forget(this.#codes, now - memoryMs)
    const code = `1.${randomBytes(48).toString('base64url')}`
    this.#codes.set(digestOf(code), { ...details, expiresAtMs: now + codeLifeMs, isSpent: false })
    this.#environment.changed()
    return code
  }

  codeRecord (code: string): CodeRecord | undefined { return this.#codes.get(digestOf(code)) }

  spend (record: CodeRecord): void {
    record.isSpent = true
    this.#environment.changed()
  }

  /** Resolves a refresh token. `endsAtMs`: what it follows ends then, and so does it. */
  addRefreshToken ({ clientId, platform, scope }: SignIn, endsAtMs?: number): string {
    const now = this.#environment.now()
    forget(this.#refreshTokens, now - memoryMs)
    const token = `1.${randomBytes(96).toString('base64url')}`
    const lifeMs = platform === 'spa' ? browserRefreshLifeMs : refreshLifeMs
    const expiresAtMs = platform === 'spa' && endsAtMs !== undefined ? endsAtMs : now + lifeMs
    this.#refreshTokens.set(digestOf(token), { clientId, platform, scope, expiresAtMs })
    this.#environment.changed()
    return token
  }

  refreshRecord (token: string): RefreshRecord | undefined { return this.#refreshTokens.get(digestOf(token)) }

  snapshot (): SignInsSnapshot {
    return { codes: [...this.#codes], refreshTokens: [...this.#refreshTokens] }
  }

  load ({ codes, refreshTokens }: SignInsSnapshot): void {
    for (const [digest, record] of codes) this.#codes.set(digest, { ...record })
    for (const [digest, record] of refreshTokens) this.#refreshTokens.set(digest, record)
  }
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** Removes what ended before `beforeMs`. */
function forget (records: Map<string, { expiresAtMs: number }>, beforeMs: number): void {
  for (const [digest, { expiresAtMs }] of records) {
    if (expiresAtMs < beforeMs) records.delete(digest)
  }
}
