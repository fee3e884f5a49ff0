// Addresses in settings: which host they name, whether that is this machine, and whether plain http is allowed.
import { BlockList, isIP } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** True for localhost, 127.0.0.0/8, ::1 (also in brackets or mapped) and a socket path. */
export function isLoopbackHost (host: string): boolean {
  if (host.startsWith('/') || host.toLowerCase() === 'localhost') return true
  const address = host.replace(/^\[(.*)\]$/, '$1')
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** The host of an http(s) URL; null when it is none. */
export function urlHost (text: string): string | null {
  const url = parse(text)
  return url !== null && /^https?:$/.test(url.protocol) ? url.hostname : null
}

/** The host a PostgreSQL connection string connects to; null when it is no such string or names none (pg would then look at PGHOST). */
export function databaseHost (text: string): string | null {
  const url = parse(text)
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) return null
  // pg lets the last ?host= win over the authority, where a socket's path may stand percent-encoded.
  const host = url.searchParams.getAll('host').at(-1) ?? url.hostname.replaceAll(/%2f/gi, '/')
  return host === '' ? null : host
}

/**
 * What is wrong with a base URL: null when it is https, or http for loopback, without user, query and fragment.
 */
export function baseUrlFault (name: string, text: string): string | null {
  const url = parse(text)
  const accepted = 'https://host[:port][/path]; http only for loopback'
  if (url === null || !/^https?:$/.test(url.protocol)) return `${name} is not an http(s) URL. Accepted: ${accepted}.`
  if (url.username !== '' || url.password !== '' || /[?#]/.test(text)) {
    return `${name} must not have a user, a query or a fragment. Accepted: ${accepted}.`
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) return `${name} uses http for a host that is not loopback. Accepted: ${accepted}.`
  return null
}

/** The URL in its canonical form without a trailing slash. */
export function withoutTrailingSlash (text: string): string {
  return new URL(text).href.replace(/\/+$/, '')
}

function parse (text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null
}
