// Values on their way into a Graph URL, and values read out of a Graph answer.
import { DirectoryError, type ApplicationIds } from '../registration/ports.ts'
import type { GraphAnswer } from './graph-client.ts'
import { member } from './json.ts'

const guidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
// Entra: grants and role assignments have ids in base64url.
const opaquePattern = /^[\w-]{1,200}$/

/** A GUID that may stand in a path. Throws DirectoryError `rejected`: nothing else gets near a URL. */
export function guid (text: string): string {
  if (guidPattern.test(text)) return text
  throw new DirectoryError('rejected', 'an id is not a GUID', { diagnostics: { reason: 'invalid_id' } })
}

/** An id that Graph made up and that may stand in a path. Throws DirectoryError `rejected`. */
export function opaqueId (id: unknown): string {
  if (typeof id === 'string' && opaquePattern.test(id)) return id
  throw new DirectoryError('rejected', 'an id is not one of Graph\'s', { diagnostics: { reason: 'invalid_id' } })
}

/** `(name='value')`. OData: a quote in a literal is doubled. */
export function alternateKey (name: string, value: string): string {
  return `(${name}=${literal(value)})`
}

/** `'value'`, safe in a path and in a query. */
export function literal (value: string): string {
  return `'${encodeURIComponent(value.replaceAll("'", "''"))}'`
}

/** `{id, appId}` of an application; throws when the answer holds none. */
export function applicationIds (answer: GraphAnswer): ApplicationIds {
  const ids = readIds(answer.body)
  if (ids === undefined) throw answer.unreadable()
  return ids
}

/** `{id, appId}` of an object, if it has both. */
export function readIds (body: unknown): ApplicationIds | undefined {
  const objectId = member(body, 'id')
  const clientId = member(body, 'appId')
  return isGuid(objectId) && isGuid(clientId) ? { objectId, clientId } : undefined
}

/** The `id` of an object; throws when the answer holds none. */
export function objectId (answer: GraphAnswer): string {
  const id = member(answer.body, 'id')
  if (!isGuid(id)) throw answer.unreadable()
  return id
}

export function isGuid (value: unknown): value is string {
  return typeof value === 'string' && guidPattern.test(value)
}
