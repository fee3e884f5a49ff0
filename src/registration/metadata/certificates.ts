// Certificates inside JSON Web Keys (x5c). Entra knows no bare key: it finds the certificate of an assertion by its thumbprint.
import { X509Certificate, createPublicKey, type KeyObject } from 'node:crypto'
import type { Certificate, Json, KeySet } from '../registration.ts'
import { displayTextOf } from './client-name.ts'

const MIN_RSA_BITS = 2_048
/** Entra: more than this is no friendly name. */
const MAX_DISPLAY_NAME = 90

type Jwk = Readonly<Record<string, Json>>

/** Keys for encryption are kept in the document and mean nothing to Entra. */
export function signingKeysOf ({ keys }: KeySet): Jwk[] {
  return keys.filter(key => key.use !== 'enc')
}

/** Why Entra can't take assertions signed with this key, as the end of a sentence; null when it can. */
export function certificateRefusalOf (jwk: Jwk, now: Date): string | null {
  if (jwk.kty !== 'RSA') return 'is no RSA key; Entra ID takes RSA certificates only'
  if (jwk.x5c === undefined) return 'is a bare key; give its certificate in x5c, for Entra ID takes certificates only'
  const key = publicKeyOf(jwk)
  if (key === null) return 'is no valid RSA key'
  if ((key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) return `has less than ${MIN_RSA_BITS} bits`
  const certificate = certificateOf(jwk)
  if (certificate === null) return 'has an x5c whose first entry is no X.509 certificate in base64 DER'
  if (!certificate.publicKey.equals(key)) return 'has a certificate of another key: n and e must be those of the first certificate in x5c'
  const [startsAt, endsAt] = validityOf(certificate)
  if (Number.isNaN(startsAt.getTime()) || Number.isNaN(endsAt.getTime())) return 'has a certificate without a readable validity'
  return endsAt <= now ? 'has an expired certificate' : null
}

/** What goes to Entra, each certificate once. */
export function certificatesOf (keySet: KeySet): Certificate[] {
  const certificates = new Map<string, Certificate>()
  for (const jwk of signingKeysOf(keySet)) {
    const certificate = certificateOf(jwk)
    if (certificate === null) continue
    const [startsAt, endsAt] = validityOf(certificate)
    const der = certificate.raw.toString('base64')
    if (certificates.has(der)) continue
    const thumbprint = certificate.fingerprint256.replaceAll(':', '')
    const displayName = (typeof jwk.kid === 'string' && displayTextOf(jwk.kid, MAX_DISPLAY_NAME)) || thumbprint
    certificates.set(der, { displayName, der, startsAt: startsAt.toISOString(), endsAt: endsAt.toISOString() })
  }
  return [...certificates.values()]
}

function publicKeyOf ({ n, e }: Jwk): KeyObject | null {
  if (typeof n !== 'string' || typeof e !== 'string') return null
  try {
    return createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' })
  } catch {
    return null
  }
}

function certificateOf ({ x5c }: Jwk): X509Certificate | null {
  const text = Array.isArray(x5c) ? x5c[0] : undefined
  if (typeof text !== 'string') return null
  const der = Buffer.from(text, 'base64')
  try {
    const certificate = new X509Certificate(der)
    // The constructor reads PEM too, and ignores what follows the certificate; x5c is DER and nothing else (RFC 7517 §4.7).
    return certificate.raw.equals(der) && certificate.publicKey.asymmetricKeyType === 'rsa' ? certificate : null
  } catch {
    return null
  }
}

function validityOf ({ validFrom, validTo }: X509Certificate): [startsAt: Date, endsAt: Date] {
  return [new Date(validFrom), new Date(validTo)]
}
