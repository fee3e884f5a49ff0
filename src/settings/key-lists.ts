// Comma lists of keys and tokens, and what makes a key acceptable. Keys are never shown: a fault names their position.
import type { EnvironmentValues } from './schema.ts'

export type ListName = 'KONNECT_API_KEYS' | 'ADMIN_API_KEYS' | 'GATEWAY_API_KEYS' | 'INITIAL_ACCESS_TOKENS'

const accepted: Record<ListName, { pattern: RegExp, words: string }> = {
  // Konnect's own form accepts nothing else.
  KONNECT_API_KEYS: { pattern: /^[A-Za-z0-9_]{12,256}$/, words: '12 to 256 letters, digits and underscores' },
  // RFC 6750 §2.1: what can stand behind "Bearer".
  ADMIN_API_KEYS: { pattern: /^(?=.{12,256}$)[A-Za-z0-9\-._~+/]+=*$/, words: '12 to 256 characters of a bearer token (RFC 6750)' },
  GATEWAY_API_KEYS: { pattern: /^(?=.{12,256}$)[A-Za-z0-9\-._~+/]+=*$/, words: '12 to 256 characters of a bearer token (RFC 6750)' },
  INITIAL_ACCESS_TOKENS: { pattern: /^(?=.{12,256}$)[A-Za-z0-9\-._~+/]+=*$/, words: '12 to 256 characters of a bearer token (RFC 6750)' }
}

/** Whether it could stand in this list: of what can't nobody needs to look for a match. */
export function canBeKeyOf (name: ListName, presented: string): boolean {
  return accepted[name].pattern.test(presented)
}

/** The entries of a comma list, trimmed; blank ones are left out. */
export function splitList (text: string | undefined): string[] {
  return (text ?? '').split(',').map(entry => entry.trim()).filter(entry => entry !== '')
}

/** What is wrong with the key lists: bad characters or length, and keys that stand in more than one place. */
export function keyListFaults (values: EnvironmentValues): string[] {
  const faults: string[] = []
  const placeOf = new Map<string, string>()
  for (const name of Object.keys(accepted) as ListName[]) {
    const { pattern, words } = accepted[name]
    const entries = splitList(values[name])
    if (values[name] !== undefined && entries.length === 0) faults.push(`${name} holds no key. Accepted: a comma list, each ${words}.`)
    entries.forEach((key, index) => {
      const place = `${name} entry ${index + 1}`
      const twin = placeOf.get(key)
      if (!pattern.test(key)) faults.push(`${place} is not acceptable. Accepted: ${words}.`)
      if (twin !== undefined) faults.push(`${place} is the same as ${twin}. Accepted: every key once.`)
      else placeOf.set(key, place)
    })
  }
  return faults
}
