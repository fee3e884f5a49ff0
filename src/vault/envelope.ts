// Envelope encryption as pure functions: a data key of its own for each secret, wrapped under a key-encryption key.
// The format, version 1: ciphertext = iv(12) | tag(16) | ct; wrapped key = iv(12) | tag(16) | 32 bytes.
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto'
import { VaultError, type Sealed, type SealedPlace } from '../registration/ports.ts'

export const envelopeVersion = 1
export const keyBytes = 32
const ivBytes = 12
const tagBytes = 16
const overheadBytes = ivBytes + tagBytes
const wrappedKeyBytes = overheadBytes + keyBytes

/** A key-encryption key under its name. */
export interface NamedKey {
  kid: string
  key: KeyObject
}

/** Where data keys and initialization vectors come from; another source than chance is for the test vectors only. */
export type RandomBytes = (size: number) => Uint8Array

/**
 * Encrypts `plaintext` for one place.
 *
 * @throws {VaultError} for text with lone surrogates, which UTF-8 can't carry
 */
export function sealEnvelope (plaintext: string, place: SealedPlace, wrapping: NamedKey, random: RandomBytes = randomBytes): Sealed {
  const data = Buffer.from(plaintext, 'utf8')
  if (data.toString('utf8') !== plaintext) throw new VaultError('The text to seal is not well-formed Unicode.')
  const dataKey = random(keyBytes)
  const ciphertext = encrypt(dataKey, data, dataContext(place), random)
  const wrappedKey = encrypt(wrapping.key, dataKey, wrapContext(wrapping.kid, place), random)
  dataKey.fill(0)
  return { version: envelopeVersion, kid: wrapping.kid, wrappedKey, ciphertext }
}

/**
 * Decrypts what `sealEnvelope` made for the same place.
 *
 * @param wrapping the key named by `sealed.kid`
 * @throws {VaultError} when anything was altered, moved, relabelled or cut
 */
export function openEnvelope (sealed: Sealed, place: SealedPlace, wrapping: NamedKey): string {
  if (sealed.ciphertext.length < overheadBytes) throw new VaultError('The ciphertext is too short.')
  const dataKey = unwrapDataKey(sealed, place, wrapping)
  try {
    return decrypt(dataKey, sealed.ciphertext, dataContext(place), 'ciphertext').toString('utf8')
  } finally {
    dataKey.fill(0)
  }
}

/**
 * Wraps the data key under another key-encryption key; the ciphertext stays as it is.
 *
 * @throws {VaultError} when the envelope does not open under `from`
 */
export function rewrapEnvelope (
  sealed: Sealed, place: SealedPlace, from: NamedKey, to: NamedKey, random: RandomBytes = randomBytes
): Sealed {
  const dataKey = unwrapDataKey(sealed, place, from)
  const wrappedKey = encrypt(to.key, dataKey, wrapContext(to.kid, place), random)
  dataKey.fill(0)
  return { version: envelopeVersion, kid: to.kid, wrappedKey, ciphertext: sealed.ciphertext }
}

/** Joins texts so that no two lists of texts give the same bytes: each is preceded by its length (4 bytes, big-endian). */
export function lengthPrefixed (...parts: string[]): Buffer {
  const joined = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + 4 + Buffer.byteLength(part, 'utf8'), 0))
  parts.reduce((at, part) => {
    const length = joined.write(part, at + 4, 'utf8')
    return joined.writeUInt32BE(length, at) + length
  }, 0)
  return joined
}

// The key's name is bound to the wrapped key only: a rewrap must not touch the ciphertext.
const dataContext = ({ table, rowId, column }: SealedPlace) => lengthPrefixed('dcr/data/v1', table, rowId, column)
const wrapContext = (kid: string, { table, rowId, column }: SealedPlace) => lengthPrefixed('dcr/wrap/v1', kid, table, rowId, column)

function unwrapDataKey (sealed: Sealed, place: SealedPlace, wrapping: NamedKey): Buffer {
  if (sealed.version !== envelopeVersion) throw new VaultError(`Unknown envelope version ${sealed.version}.`)
  if (sealed.wrappedKey.length !== wrappedKeyBytes) throw new VaultError('The wrapped key has a wrong length.')
  return decrypt(wrapping.key, sealed.wrappedKey, wrapContext(sealed.kid, place), 'wrapped key')
}

function encrypt (key: KeyObject | Uint8Array, data: Uint8Array, context: Buffer, random: RandomBytes): Buffer {
  const iv = random(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: tagBytes })
  cipher.setAAD(context)
  const encrypted = Buffer.concat([cipher.update(data), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), encrypted])
}

function decrypt (key: KeyObject | Uint8Array, box: Uint8Array, context: Buffer, what: string): Buffer {
  // Without authTagLength Node accepts tags cut down to 4 bytes.
  const decipher = createDecipheriv('aes-256-gcm', key, box.subarray(0, ivBytes), { authTagLength: tagBytes })
  decipher.setAAD(context)
  decipher.setAuthTag(box.subarray(ivBytes, overheadBytes))
  try {
    return Buffer.concat([decipher.update(box.subarray(overheadBytes)), decipher.final()])
  } catch (cause) {
    throw new VaultError(`The ${what} does not open: it was altered, or belongs to another key or place.`, { cause })
  }
}
