// What a caller of each kind may be, and what of it an operator may give.
import { AdministrationError } from './errors.ts'
import type { CallerSummary, MintedKind, Scope } from './callers-port.ts'

interface KindRules {
  scopes: readonly Scope[]
  /** Of a new one, when nothing is said. */
  defaultScopes: readonly Scope[]
  needsProvider: boolean
  /** Its registrations are bound by a policy and a quota. */
  hasPolicy: boolean
}

export const kindRules: Record<MintedKind, KindRules> = {
  konnect: { scopes: ['register', 'read', 'rotate', 'delete'], defaultScopes: ['register', 'read', 'rotate', 'delete'], needsProvider: true, hasPolicy: false },
  service: { scopes: ['register', 'read', 'rotate', 'delete'], defaultScopes: ['register', 'read'], needsProvider: true, hasPolicy: true },
  operator: { scopes: ['register', 'read', 'rotate', 'delete', 'admin', 'audit'], defaultScopes: ['read'], needsProvider: false, hasPolicy: false },
  gateway: { scopes: ['introspect'], defaultScopes: ['introspect'], needsProvider: false, hasPolicy: false },
  initial_access_token: { scopes: ['register', 'read'], defaultScopes: ['register'], needsProvider: true, hasPolicy: true }
}

export const mintedKinds = Object.keys(kindRules) as MintedKind[]

/** Kinds that the broker itself makes a row for, and whose keys come from elsewhere. */
export function isMintedKind (kind: string): kind is MintedKind {
  return mintedKinds.some(each => each === kind)
}

/** Callers of Entra are called so. */
const RESERVED_NAME = /^entra:/i

const settingOf: Partial<Record<CallerSummary['kind'], string>> = {
  konnect: 'KONNECT_API_KEYS', operator: 'ADMIN_API_KEYS', gateway: 'GATEWAY_API_KEYS', initial_access_token: 'INITIAL_ACCESS_TOKENS'
}

export function isName (name: string): boolean {
  return /^[^\p{C}]{1,120}$/u.test(name) && name === name.trim()
}

/** @throws AdministrationError invalid */
export function checkName (name: string): void {
  if (!isName(name)) {
    throw new AdministrationError('The name must be 1 to 120 printable characters, without spaces at its ends.', 'invalid', 'name')
  }
  if (RESERVED_NAME.test(name)) throw new AdministrationError('Names that begin with entra: are those of callers with Entra tokens.', 'invalid', 'name')
}

/**
 * @param given what is added to what the caller has already
 * @param own scopes of the operator who gives; null: all
 * @throws AdministrationError invalid for a scope that the kind does not know, forbidden for one that the operator does not have
 */
export function checkScopes (kind: MintedKind, wanted: readonly string[], given: readonly string[], own: readonly string[] | null): void {
  const { scopes } = kindRules[kind]
  const unknown = wanted.filter(scope => !scopes.some(each => each === scope))
  if (unknown.length > 0) throw new AdministrationError(`A caller of the kind ${kind} can't have the scope ${unknown.join(', ')}. Accepted: ${scopes.join(', ')}.`, 'invalid', 'scopes')
  // Keys that register, and those of gateways, are what callers are made for: only another operator gets no more than one has.
  const beyond = own === null ? [] : given.filter(scope => !own.includes(scope) && (scope !== 'register' || kind === 'operator') && kind !== 'gateway')
  if (beyond.length > 0) throw new AdministrationError(`You can't give the scope ${beyond.join(', ')}: you don't have it yourself.`, 'forbidden')
}

/** @throws AdministrationError conflict for what can't be changed over the API or the CLI */
export function checkChangeable ({ kind, origin, name, revokedAt }: CallerSummary): void {
  if (kind === 'anonymous') throw new AdministrationError('Open registration is bound by the policy `open`, and ended by REGISTRATION_MODE.', 'conflict')
  if (origin === 'environment') {
    throw new AdministrationError(`${name} is defined by the setting ${settingOf[kind] ?? 'of its name'}: change it there. It can only be revoked here.`, 'conflict')
  }
  if (revokedAt !== null) throw new AdministrationError(`${name} is revoked.`, 'conflict')
}

/** @throws AdministrationError invalid for a policy or a quota of a kind that has none */
export function checkBounds (kind: MintedKind, bounds: { policyName?: string | null, maxRegistrations?: number | null }): void {
  if (kindRules[kind].hasPolicy) return
  const field = (bounds.policyName ?? null) !== null ? 'policy' : (bounds.maxRegistrations ?? null) !== null ? 'max_registrations' : null
  if (field !== null) throw new AdministrationError(`Only callers of POST /register have ${field}: services and initial access tokens.`, 'invalid', field)
}
