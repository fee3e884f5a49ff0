// What an Authorization header shows: a client's, or a gateway's.
import type { SecretReading, ShownCredential } from '../../gateway/gateway.ts'
import { BEARER } from '../bearer.ts'

const BASIC = /^Basic +([A-Za-z0-9+/\-_]+={0,2})$/i

export function readCredential (authorization: string | undefined): ShownCredential {
  if (authorization === undefined || authorization === '') return { kind: 'nothing_shown' }
  const token = BEARER.exec(authorization)?.[1]
  if (token !== undefined) return { kind: 'token', token }
  const asShown = readBasic(authorization)
  if (asShown === null) return { kind: 'malformed' }
  const decoded = formDecoded(asShown)
  return { kind: 'secret', readings: decoded === null ? [asShown] : [asShown, decoded] }
}

/** As it stands there (RFC 7617). Null: it is none. */
export function readBasic (authorization: string): SecretReading | null {
  const encoded = BASIC.exec(authorization)?.[1]
  if (encoded === undefined) return null
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? null : { clientId: text.slice(0, colon), secret: text.slice(colon + 1) }
}

/** RFC 6749 §2.3.1 wants id and secret form-encoded within Basic; RFC 7617, and whoever writes a header by hand, does not. Null: it makes no difference. */
function formDecoded ({ clientId, secret }: SecretReading): SecretReading | null {
  if (!/[%+]/.test(clientId + secret)) return null
  try {
    return { clientId: decodeForm(clientId), secret: decodeForm(secret) }
  } catch {
    return null
  }
}

function decodeForm (text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
