// Looking up what is probably nothing: bounded, so that inventing keys costs whoever does it, and not the database.

/** So many at once, and as many in a second. */
const MOST_A_SECOND = 20
const MOST_REMEMBERED = 1_000

export interface BoundedLookups {
  /** What `look` finds; null without looking when this digest was in vain before, or when too much was looked up just now. */
  find<Found> (digest: Uint8Array, look: () => Promise<Found | null>): Promise<Found | null>
}

/** Keys are random: one that was shown before it was made is never made later, and a digest that was in vain stays so. */
export function createBoundedLookups (monotonicMs: () => number): BoundedLookups {
  const inVain = new Set<string>()
  let allowance = MOST_A_SECOND
  let countedAtMs = monotonicMs()

  function isAllowed (): boolean {
    const nowMs = monotonicMs()
    allowance = Math.min(MOST_A_SECOND, allowance + (nowMs - countedAtMs) / 1_000 * MOST_A_SECOND)
    countedAtMs = nowMs
    if (allowance < 1) return false
    allowance--
    return true
  }

  return {
    async find (digest, look) {
      const name = Buffer.from(digest).toString('base64')
      if (inVain.has(name) || !isAllowed()) return null
      const found = await look()
      if (found === null) {
        // The oldest goes first: a set keeps the order.
        for (const oldest of inVain) {
          if (inVain.size < MOST_REMEMBERED) break
          inVain.delete(oldest)
        }
        inVain.add(name)
      }
      return found
    }
  }
}
