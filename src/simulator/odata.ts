// OData as Graph speaks it: keys in parentheses, $select, paging. ($filter: odata-filter.ts)
import { GraphError, badRequest } from './graph-errors.ts'

export type ODataQuery = Record<string, string | string[] | undefined>

export interface ODataKey {
  property: string
  value: string
}

const keyInParentheses = /^(\/v1\.0\/(?:applications|servicePrincipals))(?:\(|%28)([^/?]*?)(?:\)|%29)(?=[/?]|$)/i
const credentialInParentheses = /^(\/v1\.0\/applications\/[^?]*?\/federatedIdentityCredentials)(?:\(|%28)([^/?]*?)(?:\)|%29)(?=[?]|$)/i

/** Makes a path segment of an alternate key, so that a router can find it: `/applications(appId='x')` to `/applications/appId='x'`. */
export const rewriteKeys = (url: string): string => url.replace(keyInParentheses, '$1/$2').replace(credentialInParentheses, '$1/$2')

/** Reads a key segment: `<id>`, `'<id>'` or `<property>='<value>'` with doubled quotes. */
export function parseKey (segment: string): ODataKey {
  const named = /^(\w+)='(.*)'$/s.exec(segment)
  if (named !== null) return { property: named[1] ?? '', value: (named[2] ?? '').replaceAll("''", "'") }
  return { property: 'id', value: segment.replace(/^'(.*)'$/s, '$1') }
}

/** The value of one query option, `undefined` when it is absent. Throws GraphError when it is given twice. */
export function option (query: ODataQuery, name: string): string | undefined {
  const value = query[name]
  if (Array.isArray(value)) throw badRequest(`Query option '${name}' was specified more than once, but it must be specified at most once.`)
  return value
}

/** Keeps what $select names. Throws GraphError for a name the type does not have. */
export function selector (select: string | undefined, type: 'application' | 'servicePrincipal'): (view: object) => object {
  if (select === undefined) return view => view
  const names = select.split(',').map(name => name.trim()).filter(name => name !== '')
  return view => {
    const members = new Map(Object.entries(view).map(([name, value]) => [name.toLowerCase(), [name, value] as const]))
    return Object.fromEntries(names.map(name => {
      const member = members.get(name.toLowerCase())
      if (member !== undefined) return member
      throw new GraphError(400, 'BadRequest',
        `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type 'microsoft.graph.${type}'.`)
    }))
  }
}

export const contextOf = (baseUrl: string, entitySet: string, select: string | undefined, isEntity: boolean): string =>
  `${baseUrl}/v1.0/$metadata#${entitySet}${select === undefined ? '' : `(${select.replaceAll(' ', '')})`}${isEntity ? '/$entity' : ''}`

const defaultPageSize = 100
const largestPageSize = 999

/** The page size of $top: 1 to 999. Throws GraphError otherwise. */
export function pageSize (top: string | undefined): number {
  if (top === undefined) return defaultPageSize
  const size = /^\d{1,5}$/.test(top) ? Number(top) : 0
  if (size < 1 || size > largestPageSize) throw badRequest('Invalid page size specified: it must be between 1 and 999 inclusive.')
  return size
}

/** Where the next page starts: after the object with this sequence number. The token is opaque to callers. */
export const skipToken = (sequence: number): string => Buffer.from(`s:${sequence}`).toString('base64url')

/** Reads a skip token. Throws GraphError when it is none of ours. */
export function parseSkipToken (token: string | undefined): number {
  if (token === undefined) return 0
  const sequence = /^s:(\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1]
  if (sequence === undefined) throw new GraphError(400, 'Directory_ExpiredPageToken', 'The specified page token value has expired and can no longer be included in your request.')
  return Number(sequence)
}
