// The content of a keyring file, parsed and checked. Every fault is named by key id, never by material.
import { createSecretKey, type KeyObject } from 'node:crypto'
import { keyBytes } from './envelope.ts'

/**
 * `active` (one key only) wraps until another key is activated in the database; `decrypt` unwraps, and wraps once it is activated
 * there; `retired` does neither.
 */
export type KeyState = 'active' | 'decrypt' | 'retired'

export interface KeyEncryptionKey {
  key: KeyObject
  state: KeyState
}

/** A checked keyring. Key objects print nothing of their material. */
export interface KeyringDocument {
  active: string
  keys: ReadonlyMap<string, KeyEncryptionKey>
  peppers: { active: string, keys: ReadonlyMap<string, KeyObject> }
}

/** All faults of a keyring file at once; none shows material. */
export class KeyringError extends Error {
  readonly faults: readonly string[]

  constructor (faults: readonly string[]) {
    super(`The keyring can't be used: ${faults.join(' ')}`)
    this.name = 'KeyringError'
    this.faults = faults
  }
}

const states: readonly unknown[] = ['active', 'decrypt', 'retired'] satisfies KeyState[]
const idPattern = /^[A-Za-z0-9._-]{1,64}$/

/**
 * Reads `{active, keys: {kid: {k, state}}, peppers: {active, keys: {id: {k}}}}`, with each k 32 bytes in base64url.
 *
 * @throws {KeyringError} that names every fault
 */
export function parseKeyring (text: string): KeyringDocument {
  const root = parseJson(text)
  const faults: string[] = []
  const keys = readKeys(root, faults)
  const peppers = readPeppers(root, faults)
  if (faults.length === 0) checkDistinct(keys, peppers.keys, faults)
  if (faults.length > 0) throw new KeyringError(faults)
  return { active: String(root.active), keys, peppers }
}

/** Names of keys and peppers whose material differs between two keyrings: a name is never given to other material. */
export function reusedNames (before: KeyringDocument, after: KeyringDocument): string[] {
  const changed = [...after.keys].filter(([kid, { key }]) => before.keys.get(kid)?.key.equals(key) === false)
  const changedPeppers = [...after.peppers.keys].filter(([id, key]) => before.peppers.keys.get(id)?.equals(key) === false)
  return [...changed.map(([kid]) => `key ${kid}`), ...changedPeppers.map(([id]) => `pepper ${id}`)]
}

type Members = Readonly<Record<string, unknown>>

function isObject (value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson (text: string): Members {
  let root: unknown
  try {
    root = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which is key material.
    throw new KeyringError(['It is not JSON.'])
  }
  if (!isObject(root)) throw new KeyringError(['It is not a JSON object.'])
  return root
}

function readKeys (root: Members, faults: string[]): Map<string, KeyEncryptionKey> {
  const keys = new Map<string, KeyEncryptionKey>()
  for (const [kid, entry] of entriesOf(root.keys, 'keys', faults)) {
    const state = entry.state
    if (!isKeyState(state)) faults.push(`Key ${kid}: state is not one of ${states.join(', ')}.`)
    const key = readMaterial(entry.k, `Key ${kid}`, faults)
    if (key !== null && isKeyState(state)) keys.set(kid, { key, state })
  }
  if (typeof root.active !== 'string') faults.push('active does not name a key.')
  else if (entryOf(root.keys, root.active)?.state !== 'active') faults.push('The key named by active is not there or its state is not active.')
  const actives = [...keys].filter(([, { state }]) => state === 'active').map(([kid]) => kid)
  if (actives.length > 1) faults.push(`Only one key can be in state active, but ${actives.join(', ')} are.`)
  return keys
}

function readPeppers (root: Members, faults: string[]): KeyringDocument['peppers'] {
  const peppers = isObject(root.peppers) ? root.peppers : {}
  const keys = new Map<string, KeyObject>()
  for (const [id, entry] of entriesOf(peppers.keys, 'peppers.keys', faults)) {
    const key = readMaterial(entry.k, `Pepper ${id}`, faults)
    if (key !== null) keys.set(id, key)
  }
  const active = peppers.active
  if (typeof active !== 'string' || entryOf(peppers.keys, active) === undefined) faults.push('peppers.active does not name a pepper.')
  return { active: String(active), keys }
}

function entriesOf (value: unknown, where: string, faults: string[]): Array<[string, Members]> {
  if (!isObject(value) || Object.keys(value).length === 0) {
    faults.push(`${where} has no entry.`)
    return []
  }
  return Object.entries(value).flatMap(([id, entry], index): Array<[string, Members]> => {
    // An id that breaks the pattern may be material in the wrong place: only its position is told.
    if (!idPattern.test(id)) faults.push(`Entry ${index + 1} of ${where}: its id is not 1 to 64 letters, digits, dots, dashes or underscores.`)
    else if (!isObject(entry)) faults.push(`Entry ${id} of ${where} is not an object.`)
    else return [[id, entry]]
    return []
  })
}

function entryOf (value: unknown, id: string): Members | undefined {
  const entry = isObject(value) && Object.hasOwn(value, id) ? value[id] : undefined
  return isObject(entry) ? entry : undefined
}

function isKeyState (value: unknown): value is KeyState {
  return states.includes(value)
}

function readMaterial (value: unknown, owner: string, faults: string[]): KeyObject | null {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64url') : Buffer.alloc(0)
  if (bytes.length !== keyBytes || bytes.toString('base64url') !== value) {
    faults.push(`${owner}: k is not ${keyBytes} bytes in base64url (43 characters).`)
    return null
  }
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

function checkDistinct (keys: ReadonlyMap<string, KeyEncryptionKey>, peppers: ReadonlyMap<string, KeyObject>, faults: string[]): void {
  const all: Array<[string, KeyObject]> = [
    ...[...keys].map(([kid, { key }]): [string, KeyObject] => [`key ${kid}`, key]),
    ...[...peppers].map(([id, key]): [string, KeyObject] => [`pepper ${id}`, key])
  ]
  all.forEach(([name, key], index) => {
    const twin = all.slice(0, index).find(([, other]) => other.equals(key))
    if (twin !== undefined) faults.push(`${twin[0]} and ${name} have the same material.`)
  })
}
