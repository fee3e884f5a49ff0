// Keyrings made for one test: fresh material under chosen names.
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { parseKeyring, type KeyState } from '../../src/vault/keyring-document.ts'
import { fixedKeyring, type Keyring } from '../../src/vault/keyring.ts'

export interface KeyringFile {
  active: string
  keys: Record<string, { k: string, state: KeyState }>
  peppers: { active: string, keys: Record<string, { k: string }> }
}

export const freshKey = () => randomBytes(32).toString('base64url')

/** A file's content with the given keys; the first active one wraps. */
export function keyringFile (states: Record<string, KeyState> = { k1: 'active' }, pepperIds: string[] = ['p1']): KeyringFile {
  const active = Object.keys(states).find(kid => states[kid] === 'active') ?? 'none'
  return {
    active,
    keys: Object.fromEntries(Object.entries(states).map(([kid, state]) => [kid, { k: freshKey(), state }])),
    peppers: { active: pepperIds[0] ?? 'none', keys: Object.fromEntries(pepperIds.map(id => [id, { k: freshKey() }])) }
  }
}

export function keyringOf (content: KeyringFile): Keyring {
  return fixedKeyring(parseKeyring(JSON.stringify(content)))
}

export async function writeKeyring (path: string, content: KeyringFile): Promise<void> {
  await writeFile(path, JSON.stringify(content), { mode: 0o600 })
}
