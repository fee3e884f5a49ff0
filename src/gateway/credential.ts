// What an Authorization header shows.
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i
const BASIC = /^Basic +([A-Za-z0-9+/\-_]+={0,2})$/i

export interface SecretReading {
  clientId: string
  secret: string
}

export type ShownCredential =
  | { kind: 'nothing_shown' }
  | { kind: 'malformed' }
  | { kind: 'token', token: string }
  /** In the order in which they are tried. */
  | { kind: 'secret', readings: SecretReading[] }

export function readCredential (authorization: string | undefined): ShownCredential {
  if (authorization === undefined || authorization === '') return { kind: 'nothing_shown' }
  const token = BEARER.exec(authorization)?.[1]
  if (token !== undefined) return { kind: 'token', token }
  const encoded = BASIC.exec(authorization)?.[1]
  if (encoded === undefined) return { kind: 'malformed' }
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return { kind: 'malformed' }
  const asShown = { clientId: text.slice(0, colon), secret: text.slice(colon + 1) }
  const decoded = formDecoded(asShown)
  return { kind: 'secret', readings: decoded === null ? [asShown] : [asShown, decoded] }
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
