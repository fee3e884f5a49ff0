// What makes a request ambiguous, and so a means to smuggle another one past a proxy. Node's parser refuses most: two lengths, a length
// beside a coding, bare line feeds, folded headers. The rest is refused here, before anything is looked at.
import type { IncomingMessage } from 'node:http'
import { RequestRefusal } from './refusals.ts'

/** A name or address and a port (RFC 9112 §3.2, RFC 3986 §3.2.2); nothing that would need decoding. */
const HOST = /^(\[[0-9a-f:.]+\]|[\w.~-]+)(:\d{0,5})?$/i

/** Node keeps the first of several, another reader may keep the last. */
const ONCE = ['authorization', 'content-type'] as const

/** Null: the request says one thing only. @param mostHeaders Node drops silently what is beyond some 1,000 */
export function ambiguityOf ({ httpVersion, headers, rawHeaders }: IncomingMessage, mostHeaders: number): RequestRefusal | null {
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return new RequestRefusal(400)
  if (rawHeaders.length / 2 > mostHeaders) return new RequestRefusal(431)
  const times = timesOf(rawHeaders)
  if (times.host === 0 && httpVersion === '1.1') return new RequestRefusal(400, 'The request has no Host.')
  if (times.host > 1 || (headers.host !== undefined && !HOST.test(headers.host))) return new RequestRefusal(400, 'The Host of the request is not valid.')
  const several = ONCE.find(once => times[once] > 1)
  if (several !== undefined) return new RequestRefusal(400, `The request has more than one ${several}.`)
  const { 'transfer-encoding': coding } = headers
  // RFC 9112 §6.1: HTTP/1.0 has no codings, and another one than chunked leaves open where the body ends.
  if (coding !== undefined && (httpVersion === '1.0' || coding.trim().toLowerCase() !== 'chunked')) return new RequestRefusal(400)
  return null
}

interface Times { host: number, authorization: number, 'content-type': number }

/** How often each of them is there. Of every request: without a list on the way. */
function timesOf (rawHeaders: readonly string[]): Times {
  const times: Times = { host: 0, authorization: 0, 'content-type': 0 }
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase()
    if (name === 'host' || name === 'authorization' || name === 'content-type') times[name] += 1
  }
  return times
}
