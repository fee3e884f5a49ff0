// Key sets (jwks): public keys by value. Nothing a caller names is ever fetched.
import type { Json, KeySet } from '../registration.ts'
import { certificateRefusalOf, signingKeysOf } from './certificates.ts'
import { isObject, refusal } from './refusals.ts'
import type { RequestedMetadata } from './requested-metadata.ts'

const MAX_KEYS = 10
const MAX_CHAIN = 5
const MAX_TEXT = 2_048
const MAX_CERTIFICATE_TEXT = 8_192

/** RFC 7517 §9.3, RFC 7518 §6: with one of these a key is private or symmetric. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
/** What is kept of a key; RFC 7517 §4: other members are ignored. x5u is left out: nobody should be told to fetch it. */
const TEXT_MEMBERS: ReadonlySet<string> = new Set(['kty', 'use', 'alg', 'kid', 'x5t', 'x5t#S256', 'n', 'e', 'crv', 'x', 'y'])
const NEEDED: Readonly<Record<string, readonly string[]>> = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'] }
/** Base64url numbers and points. */
const ENCODED = ['n', 'e', 'x', 'y']

/**
 * The public keys of a client. Where it signs assertions with them (private_key_jwt), each needs a certificate that Entra takes.
 * @throws RegistrationError invalid_client_metadata
 */
export function acceptKeySet ({ jwks, jwksUri }: RequestedMetadata, tokenEndpointAuthMethod: string, now: Date): KeySet | null {
  // RFC 7591 §2: never both.
  if (jwks !== null && jwksUri !== null) throw refusal('jwks and jwks_uri exclude each other. Give the keys by value in jwks, each with its certificate in x5c.')
  if (jwksUri !== null) throw refusal('jwks_uri is not supported: the broker fetches nothing. Give the keys by value in jwks, each with its certificate in x5c.')
  if (jwks === null) return null
  if (!isObject(jwks) || !Array.isArray(jwks.keys)) throw refusal('jwks must be a JWK Set: an object with a list of keys.')
  if (jwks.keys.length > MAX_KEYS) throw refusal(`jwks has ${jwks.keys.length} keys; at most ${MAX_KEYS} are accepted.`)
  const keySet = { keys: jwks.keys.flatMap(acceptKey) }
  if (tokenEndpointAuthMethod !== 'private_key_jwt') return keySet
  for (const key of signingKeysOf(keySet)) {
    const reason = certificateRefusalOf(key, now)
    if (reason !== null) throw refusal(`jwks.keys[${keySet.keys.findIndex(one => one === key)}] ${reason}.`)
  }
  return keySet
}

function acceptKey (key: Json, index: number): Array<Record<string, Json>> {
  const place = `jwks.keys[${index}]`
  if (!isObject(key)) throw refusal(`${place} must be a JSON object.`)
  const secret = PRIVATE_MEMBERS.find(name => Object.hasOwn(key, name))
  if (secret !== undefined) throw refusal(`${place} has the member ${secret} of a private or symmetric key. Give public keys only, and replace this one: it is known now.`)
  if (typeof key.kty !== 'string' || key.kty === '') throw refusal(`${place} must say in kty what kind of key it is.`)
  const needed = Object.hasOwn(NEEDED, key.kty) ? NEEDED[key.kty] : undefined
  // RFC 7517 §5: keys of a kind that is not understood are ignored.
  if (needed === undefined) return []
  const kept = Object.fromEntries(Object.entries(key).flatMap(([name, value]) => keptMember(place, name, value)))
  const missing = needed.find(name => kept[name] === undefined)
  if (missing !== undefined) throw refusal(`${place} lacks the member ${missing}.`)
  return [kept]
}

function keptMember (place: string, name: string, value: Json): Array<[name: string, value: Json]> {
  if (TEXT_MEMBERS.has(name)) {
    if (!isText(value, MAX_TEXT) || (ENCODED.includes(name) && !/^[\w-]+$/.test(value))) {
      throw refusal(`${place} has a ${name} that is no ${ENCODED.includes(name) ? 'base64url' : 'printable'} text of at most ${MAX_TEXT} characters.`)
    }
    return [[name, value]]
  }
  if (name === 'key_ops') {
    if (!Array.isArray(value) || value.length > MAX_KEYS || !value.every(word => isText(word, MAX_TEXT))) throw refusal(`${place} has key_ops that are no list of words.`)
    return [[name, value]]
  }
  if (name !== 'x5c') return []
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_CHAIN || !value.every(isCertificateText)) {
    throw refusal(`${place} has an x5c that is no list of 1 to ${MAX_CHAIN} certificates in base64 (not base64url) of at most ${MAX_CERTIFICATE_TEXT} characters each.`)
  }
  return [[name, value]]
}

function isCertificateText (value: Json): boolean {
  return isText(value, MAX_CERTIFICATE_TEXT) && /^[A-Za-z0-9+/]+={0,2}$/.test(value)
}

function isText (value: Json, mostCharacters: number): value is string {
  return typeof value === 'string' && value.length <= mostCharacters && /^[\x20-\x7e]+$/.test(value)
}
