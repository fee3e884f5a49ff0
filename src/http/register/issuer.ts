// One issuer per provider: the string that metadata and management addresses begin with.
import type { Provider } from '../../registration/registration.ts'

/** The provider that is served without /t/<name>. */
export const DEFAULT_PROVIDER = 'default'

/** Knows providers by name. Throws StoreUnavailableError until the database has been read. */
export interface Providers {
  named (name: string): Provider | null
}

/** RFC 8414 §2: compared as a string, so there is one form, without a slash at the end. */
export function issuerOf (publicUrl: string, providerName: string): string {
  const base = publicUrl.endsWith('/') ? publicUrl.slice(0, -1) : publicUrl
  return providerName === DEFAULT_PROVIDER ? base : `${base}/t/${encodeURIComponent(providerName)}`
}

/** The provider whose issuer has this path; null when it is no issuer's. The name may be one that nobody has. */
export function providerOfIssuerPath (path: string, publicUrl: string): string | null {
  const base = withoutSlashes(new URL(publicUrl).pathname)
  const given = withoutSlashes(path)
  if (given === base) return DEFAULT_PROVIDER
  const rest = base !== '' && given.startsWith(`${base}/`) ? given.slice(base.length + 1) : given
  const name = /^t\/([^/]+)$/.exec(rest)?.[1]
  // One issuer per provider: the default one has no second name.
  return name === undefined || name === DEFAULT_PROVIDER ? null : name
}

// One at each end: an issuer's path has no more.
function withoutSlashes (path: string): string {
  return path.slice(path.startsWith('/') ? 1 : 0, path.length > 1 && path.endsWith('/') ? -1 : undefined)
}
