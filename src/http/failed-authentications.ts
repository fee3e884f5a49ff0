// How often somebody may show what is no key: counted by where it comes from, in memory, for a minute. It decides about failures only:
// behind a proxy everybody has one address, and a good key is served whatever else comes from there.
import { isIP } from 'node:net'

const WINDOW_MS = 60_000
/** All sources together have so many times the allowance of one. Whoever has many addresses gains no more, and no more are kept. */
const SOURCES = 20

export interface FailedAuthentications {
  /** Null: within the allowance. Else the seconds until its source has another one. */
  count (address: string): number | null
}

export interface FailedAuthenticationsOptions {
  /** Of one source. */
  perMinute: number
  monotonicMs: () => number
  /** A source, or all of them together, has used its allowance up: told once for each and window. */
  onExceeded (source: string): void
}

export function createFailedAuthentications ({ perMinute, monotonicMs, onExceeded }: FailedAuthenticationsOptions): FailedAuthentications {
  const everybody = 'all sources'
  const failures = new Map<string, number>()
  const exceeded = new Set<string>()
  let endsAtMs = -Infinity

  function exceeds (name: string, most: number): boolean {
    if ((failures.get(name) ?? 0) < most) return false
    if (!exceeded.has(name)) onExceeded(name)
    exceeded.add(name)
    return true
  }

  return {
    count (address) {
      const nowMs = monotonicMs()
      if (nowMs >= endsAtMs) {
        failures.clear()
        exceeded.clear()
        endsAtMs = nowMs + WINDOW_MS
      }
      const source = networkOf(address)
      if (exceeds(source, perMinute) || exceeds(everybody, perMinute * SOURCES)) return Math.ceil((endsAtMs - nowMs) / 1_000)
      for (const name of [source, everybody]) failures.set(name, (failures.get(name) ?? 0) + 1)
      return null
    }
  }
}

/** Whoever has one IPv6 address usually has the 2^64 of its network. */
export function networkOf (address: string): string {
  const [bare = ''] = address.split('%')
  const mapped = /^::ffff:([\d.]+)$/i.exec(bare)?.[1]
  if (mapped !== undefined) return mapped
  if (isIP(bare) !== 6) return bare
  // As URLs write it: without an IPv4 address at the end, so that each group is one.
  const [before = '', after = ''] = new URL(`http://[${bare}]`).hostname.slice(1, -1).split('::')
  const [first, last] = [groupsOf(before), groupsOf(after)]
  const groups = [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last]
  return `${groups.slice(0, 4).join(':')}::/64`
}

function groupsOf (text: string): string[] {
  return text === '' ? [] : text.split(':')
}
