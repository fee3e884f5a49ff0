// JWK Sets as clients send them, good and bad. The keys are made when the test starts.
import { createPublicKey, generateKeyPairSync, X509Certificate, type JsonWebKey } from 'node:crypto'
import { selfSigned } from '../../simulator/self-signed.ts'

export interface KeySet {
  keys: Array<Record<string, unknown>>
}

const first = selfSigned('first')
const second = selfSigned('second')

const publicKey = (certificate: string): JsonWebKey => createPublicKey(certificate).export({ format: 'jwk' })
const x5c = (certificate: string): string[] => [new X509Certificate(certificate).raw.toString('base64')]

const certified = { ...publicKey(first.certificate), kid: 'first', use: 'sig', x5c: x5c(first.certificate) }

/** What Entra can hold: the key comes with its certificate. */
export const certifiedKeys: KeySet[] = [
  { keys: [certified] },
  { keys: [certified, { ...publicKey(second.certificate), x5c: x5c(second.certificate) }] }
]

/** Valid JWK Sets, of which no certificate follows. */
export const keysWithoutCertificate: KeySet[] = [
  { keys: [] },
  { keys: [{ ...publicKey(first.certificate), kid: 'bare' }] },
  { keys: [{ ...publicKey(first.certificate), x5c: x5c(second.certificate) }] },
  { keys: [generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) as Record<string, unknown>] }
]

/** What nobody may send to a server (RFC 7591 §2: public keys), or no JWK Set at all. */
export const refusedKeys: unknown[] = [
  { keys: [{ ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }), x5c: x5c(first.certificate) }] },
  { keys: [{ kty: 'oct', k: 'c2VjcmV0' }] },
  { keys: 'none' },
  { keys: [42] },
  'https://keys.example.com/',
  42,
  []
]
