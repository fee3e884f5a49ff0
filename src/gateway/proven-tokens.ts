// Tokens whose signature was found good a moment ago, by digest: the same token comes with every request of its client, and proving it costs more
// than everything else. What is kept says nothing of the client: whether it is still registered is asked each time.
import type { Claims } from './port.ts'

/** A key that Entra withdraws is not trusted longer than this for what was proved before. */
const KEPT_MS = 60_000
/** Some kilobytes each. */
const MOST_KEPT = 5_000

/** What each provider that the token says it is of makes of it by its own keys: nobody vouches for the tokens of another's clients. */
export type ProvenToken = ReadonlyArray<{ providerId: string, claims: Claims }>

export interface ProvenTokens {
  /** Undefined: not known. */
  find (digest: string): ProvenToken | undefined
  keep (digest: string, token: ProvenToken): void
}

export function createProvenTokens ({ now, monotonicMs }: { now: () => Date, monotonicMs: () => number }): ProvenTokens {
  const kept = new Map<string, { token: ProvenToken, untilMs: number }>()
  return {
    find (digest) {
      const known = kept.get(digest)
      if (known === undefined) return undefined
      if (monotonicMs() < known.untilMs && known.token.every(({ claims }) => isInTime(claims, now()))) return known.token
      kept.delete(digest)
      return undefined
    },
    keep (digest, token) {
      const [oldest] = kept.keys()
      if (oldest !== undefined && kept.size >= MOST_KEPT) kept.delete(oldest)
      kept.set(digest, { token, untilMs: monotonicMs() + KEPT_MS })
    }
  }
}

function isInTime ({ exp }: Claims, now: Date): boolean {
  return typeof exp === 'number' && exp * 1_000 > now.getTime()
}
