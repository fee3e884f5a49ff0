// The proxies whose word counts for where a request comes from.
import { isIP } from 'node:net'
import { splitList } from './key-lists.ts'
import type { EnvironmentValues } from './schema.ts'

/** What is wrong with the list. */
export function trustedProxyFaults ({ TRUSTED_PROXIES }: Pick<EnvironmentValues, 'TRUSTED_PROXIES'>): string[] {
  return splitList(TRUSTED_PROXIES).some(proxy => !isProxy(proxy))
    ? ['TRUSTED_PROXIES has an entry that is neither an address nor a network. Accepted: a comma list like 10.0.0.7, 10.1.0.0/16, 2001:db8::/32.']
    : []
}

/** A network of everybody would make every caller a proxy. */
function isProxy (text: string): boolean {
  const [address = '', prefix, ...more] = text.split('/')
  const version = isIP(address)
  // The name of a network interface means something on one machine only.
  if (version === 0 || address.includes('%') || more.length > 0) return false
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}
