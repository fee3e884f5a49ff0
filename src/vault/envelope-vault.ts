// The Vault over a keyring: seals under the active key, opens under any key that the file has not retired, and makes the digests by
// which secrets are recognised. Which key is active the database says, once one was activated there; until then the file does.
import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'
import { VaultError, type Sealed, type SealedPlace, type Vault, type Verifier } from '../registration/ports.ts'
import { lengthPrefixed, openEnvelope, rewrapEnvelope, sealEnvelope, type NamedKey } from './envelope.ts'
import type { Keyring } from './keyring.ts'
import { digestOfToken, mintToken } from './tokens.ts'

const checkValueBytes = 8

/** What the database says about the keys of the installation. */
export interface KeyStates {
  /** Null: none was activated yet, and the file's `active` counts. */
  active: string | null
  /** Nothing is sealed under these any more; they still open, for as long as the file has them. */
  retired: readonly string[]
  /** The file has other bytes under these than the database knows: what they seal nobody else can open. */
  foreign: readonly string[]
}

/** What the database remembers of a key-encryption key. */
export interface KnownKey {
  kid: string
  checkValue: Uint8Array
}

export interface CheckResult {
  /** Kids whose bytes in the file are not those the database knows. */
  wrong: string[]
  /** Kids the database refers to that are not in the file. */
  missing: string[]
}

export interface EnvelopeVault extends Vault {
  /** Under the active pepper, or under the one that made an older verifier. Throws VaultError for an unknown pepper. */
  verifierOf (clientId: string, secret: string, pepperId?: string): Verifier
  /** Digest of a configured key or token, under the active or the given pepper. Throws VaultError for an unknown pepper. */
  hashKey (value: string, pepperId?: string): Verifier
  /** For the audit alone: its keys are derived from the pepper, so that no digest of another kind is a MAC. Throws VaultError for an unknown pepper. */
  auditMac (purpose: 'event' | 'checkpoint', parts: readonly string[], pepperId?: string): Verifier
  /** Ids of all peppers, the active one first: a digest made under any of them may be in the database. */
  pepperIds (): string[]
  /** From now on. The database's word counts for every replica, whatever each one's file says. */
  follow (states: KeyStates): void
  /** What new values are sealed under. Throws VaultError when there is no such key. */
  activeKid (): string
  /** Whether values under this key can be opened here: it is in the file, and the file has not retired it. */
  canUse (kid: string): boolean
  /** Ids of all keys in the file, retired ones too. */
  kids (): string[]
  /** The same value under the active key; the ciphertext stays byte for byte. Throws VaultError when it does not open. */
  rewrap (sealed: Sealed, place: SealedPlace): Promise<Sealed>
  /** 8 bytes that tell keys apart and reveal nothing of them. Throws VaultError for an unknown kid. */
  checkValueOf (kid: string): Uint8Array
  verifyCheckValues (known: readonly KnownKey[]): CheckResult
}

/** Envelope encryption and digests by the keyring's current content, and by what the database last said. */
export function createEnvelopeVault (keyring: Keyring): EnvelopeVault {
  const keyOf = (kid: string): KeyObject => {
    const entry = keyring.current().keys.get(kid)
    if (entry === undefined) throw new VaultError(`Key ${kid} is not in the keyring.`)
    return entry.key
  }
  const openingKey = (kid: string): NamedKey => {
    if (keyring.current().keys.get(kid)?.state === 'retired') throw new VaultError(`Key ${kid} is retired.`)
    return { kid, key: keyOf(kid) }
  }
  let states: KeyStates = { active: null, retired: [], foreign: [] }
  const canUse = (kid: string): boolean => (keyring.current().keys.get(kid)?.state ?? 'retired') !== 'retired'
  // A file that lacks the active key goes on with its own: readiness says so, and no request fails for it. Never one whose
  // retirement is a promise that nothing is sealed under it.
  const activeKid = (): string => {
    if (states.active !== null && canUse(states.active) && !states.foreign.includes(states.active)) return states.active
    const { active } = keyring.current()
    if (states.foreign.includes(active)) throw new VaultError(`Key ${active} has other bytes than the database knows.`)
    if (states.retired.includes(active)) throw new VaultError(`Key ${active} is retired, and the active one (${states.active ?? 'none'}) is not in the keyring.`)
    return active
  }
  const activeKey = (): NamedKey => openingKey(activeKid())
  const pepperOf = (pepperId: string | undefined): { id: string, pepper: KeyObject } => {
    const { active, keys } = keyring.current().peppers
    const id = pepperId ?? active
    const pepper = keys.get(id)
    if (pepper === undefined) throw new VaultError(`Pepper ${id} is not in the keyring.`)
    return { id, pepper }
  }
  const digest = (pepperId: string | undefined, ...parts: string[]): Verifier => {
    const { id, pepper } = pepperOf(pepperId)
    return { pepperId: id, digest: hmac(pepper, lengthPrefixed(...parts)) }
  }
  // Every event needs it: derived once for each pepper of a keyring that was read.
  const auditKeys = { event: new WeakMap<KeyObject, Buffer>(), checkpoint: new WeakMap<KeyObject, Buffer>() }
  const auditKey = (pepper: KeyObject, purpose: 'event' | 'checkpoint'): Buffer => {
    const key = auditKeys[purpose].get(pepper) ?? hmac(pepper, lengthPrefixed('dcr/audit/v1', purpose))
    auditKeys[purpose].set(pepper, key)
    return key
  }
  const checkValueOf = (kid: string) => hmac(keyOf(kid), Buffer.from('dcr/kcv/v1')).subarray(0, checkValueBytes)

  return {
    seal: async (plaintext, place) => sealEnvelope(plaintext, place, activeKey()),
    open: async (sealed, place) => openEnvelope(sealed, place, openingKey(sealed.kid)),
    rewrap: async (sealed, place) => rewrapEnvelope(sealed, place, openingKey(sealed.kid), activeKey()),
    mintToken: prefix => mintToken(prefix),
    digestOf: digestOfToken,
    isSecretOf: (clientId, secret, verifier) => sameBytes(digest(verifier.pepperId, 'dcr/verifier/v1', clientId, secret).digest, verifier.digest),
    // The label keeps the two kinds of digest apart under one pepper.
    verifierOf: (clientId, secret, pepperId) => digest(pepperId, 'dcr/verifier/v1', clientId, secret),
    hashKey: (value, pepperId) => digest(pepperId, 'dcr/key/v1', value),
    auditMac (purpose, parts, pepperId) {
      const { id, pepper } = pepperOf(pepperId)
      return { pepperId: id, digest: hmac(auditKey(pepper, purpose), lengthPrefixed(...parts)) }
    },
    pepperIds () {
      const { active, keys } = keyring.current().peppers
      return [active, ...[...keys.keys()].filter(id => id !== active)]
    },
    follow (said) { states = said },
    activeKid,
    canUse,
    kids: () => [...keyring.current().keys.keys()],
    checkValueOf,
    verifyCheckValues (known) {
      const { keys } = keyring.current()
      const present = known.filter(({ kid }) => keys.has(kid))
      return {
        wrong: present.filter(({ kid, checkValue }) => !sameBytes(checkValueOf(kid), checkValue)).map(({ kid }) => kid),
        missing: known.filter(({ kid }) => !keys.has(kid)).map(({ kid }) => kid)
      }
    }
  }
}

function hmac (key: KeyObject | Uint8Array, data: Buffer): Buffer {
  return createHmac('sha256', key).update(data).digest()
}

function sameBytes (a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
