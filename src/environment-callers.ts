// The keys of the environment: digests for the database, and recognition of who presents one.
import { timingSafeEqual } from 'node:crypto'
import type { Catalogue } from './registration/ports.ts'
import type { Caller, CallerKind } from './registration/registration.ts'
import { canBeKeyOf, type ListName } from './settings/key-lists.ts'
import type { CallerSettings } from './settings/settings.ts'
import type { EnvironmentCaller } from './store/bootstrap.ts'
import type { EnvelopeVault } from './vault/envelope-vault.ts'

/** Callers of other kinds the environment does not define. */
const LISTS: Partial<Record<CallerKind, ListName>> = {
  konnect: 'KONNECT_API_KEYS', operator: 'ADMIN_API_KEYS', gateway: 'GATEWAY_API_KEYS', initial_access_token: 'INITIAL_ACCESS_TOKENS'
}

/** The callers that the environment defines, in a fixed order. Names show no part of a key. */
export function environmentCallers (settings: CallerSettings, vault: EnvelopeVault): EnvironmentCaller[] {
  const digestsOf = (kind: CallerKind, key: string) => vault.pepperIds().map(pepperId => vault.hashKey(keyOfKind(kind, key), pepperId))
  return [
    ...settings.konnectApiKeys.map((key, index): EnvironmentCaller => ({
      kind: 'konnect', name: `KONNECT_API_KEYS[${index}]`, scopes: ['register', 'read', 'rotate', 'delete'], boundToProvider: true, digests: digestsOf('konnect', key)
    })),
    ...settings.adminApiKeys.map((key, index): EnvironmentCaller => ({
      kind: 'operator', name: `ADMIN_API_KEYS[${index}]`, scopes: ['register', 'read', 'rotate', 'delete', 'admin', 'audit'], boundToProvider: false, digests: digestsOf('operator', key)
    })),
    ...settings.gatewayApiKeys.map((key, index): EnvironmentCaller => ({
      kind: 'gateway', name: `GATEWAY_API_KEYS[${index}]`, scopes: ['introspect'], boundToProvider: false, digests: digestsOf('gateway', key)
    })),
    ...settings.initialAccessTokens.map((token, index): EnvironmentCaller => ({
      kind: 'initial_access_token',
      name: `INITIAL_ACCESS_TOKENS[${index}]`,
      scopes: ['register'],
      boundToProvider: true,
      digests: digestsOf('initial_access_token', token)
    }))
  ]
}

// A key is another caller in another list: moved from one to the other it is neither mistaken for its older self nor revoked with it.
function keyOfKind (kind: CallerKind, key: string): string {
  return `${kind}:${key}`
}

/** Null: no such key of this kind, or it is revoked. Takes the same time either way for whatever has the form of a key. */
export type RecogniseEnvironmentCaller = (kind: CallerKind, presentedKey: string) => Caller | null

interface KnownKey { digest: Uint8Array, callerId: string }

/** Compares HMACs, all of them and in constant time: neither the bytes of a key nor its place in the list shows in the time taken. */
export function createRecogniser (
  callers: readonly EnvironmentCaller[], callerIds: ReadonlyArray<string | null>, vault: EnvelopeVault, catalogue: Catalogue
): RecogniseEnvironmentCaller {
  const known = new Map<string, KnownKey[]>()
  for (const [index, caller] of callers.entries()) {
    const callerId = callerIds[index] ?? null
    if (callerId === null) continue
    for (const { pepperId, digest } of caller.digests) {
      known.set(pepperId, [...known.get(pepperId) ?? [], { digest, callerId }])
    }
  }
  return (kind, presentedKey) => {
    const list = LISTS[kind]
    // Hashing what can't be a key would be a service to attackers.
    if (list === undefined || !canBeKeyOf(list, presentedKey)) return null
    let callerId: string | null = null
    for (const [pepperId, keys] of known) {
      const { digest } = vault.hashKey(keyOfKind(kind, presentedKey), pepperId)
      for (const key of keys) {
        if (timingSafeEqual(key.digest, digest)) callerId = key.callerId
      }
    }
    return callerId === null ? null : catalogue.caller(callerId)
  }
}
