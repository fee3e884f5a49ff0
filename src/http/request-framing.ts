// What makes a request ambiguous, and so a means to smuggle another one past a proxy. Node's parser refuses most: two lengths, a length
// beside a coding, bare line feeds, folded headers. The rest is refused here, before anything is looked at.
import type { IncomingMessage } from 'node:http'
import { RequestRefusal } from './refusals.ts'

/** A name or address and a port (RFC 9112 §3.2, RFC 3986 §3.2.2); nothing that would need decoding. */
const HOST = /^(\[[0-9a-f:.]+\]|[\w.~-]+)(:\d{0,5})?$/i

/** Node keeps the first of several, another reader may keep the last. */
const ONCE = ['authorization', 'content-type']

/** Null: the request says one thing only. @param mostHeaders Node drops silently what is beyond some 1,000 */
export function ambiguityOf ({ httpVersion, headers, rawHeaders }: IncomingMessage, mostHeaders: number): RequestRefusal | null {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return new RequestRefusal(400)
  if (rawHeaders.length / 2 > mostHeaders) return new RequestRefusal(431)
  const names = rawHeaders.filter((_, index) => index % 2 === 0).map(name => name.toLowerCase())
  const hosts = names.filter(name => name === 'host').length
  if (hosts === 0 && httpVersion === '1.1') return new RequestRefusal(400, 'The request has no Host.')
  if (hosts > 1 || (headers.host !== undefined && !HOST.test(headers.host))) return new RequestRefusal(400, 'The Host of the request is not valid.')
  const several = ONCE.find(once => names.indexOf(once) !== names.lastIndexOf(once))
  if (several !== undefined) return new RequestRefusal(400, `The request has more than one ${several}.`)
  const { 'transfer-encoding': coding } = headers
  // RFC 9112 §6.1: HTTP/1.0 has no codings, and another one than chunked leaves open where the body ends.
  if (coding !== undefined && (httpVersion === '1.0' || coding.trim().toLowerCase() !== 'chunked')) return new RequestRefusal(400)
  return null
}
