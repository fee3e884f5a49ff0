// Use cases: make, list, change and revoke the keys and tokens with which others call.
import type { ListQuery, Page } from '../listing/query.ts'
import { readPage } from '../listing/read-page.ts'
import type { Caller } from '../registration/registration.ts'
import { checkBounds, checkChangeable, checkName, checkScopes, isMintedKind, kindRules } from './caller-rules.ts'
import type {
  CallerChanges, CallerField, CallerRegister, CallerSortField, CallerSummary, MintedKind, NewCaller
} from './callers-port.ts'
import { AdministrationError } from './errors.ts'
import type { Operator } from './operator.ts'

export interface WantedCaller extends Omit<NewCaller, 'digest' | 'scopes'> {
  /** Undefined: what callers of the kind usually have. */
  scopes: readonly string[] | undefined
}

/** What an administrator's own key allows; null: everything, as the command line. */
export type Administrator = Pick<Caller, 'providerId' | 'scopes'> | null

export type CallerQuery = ListQuery<CallerField, CallerSortField>

/** All throw StoreUnavailableError, and AdministrationError for what can't be done. */
export interface Callers {
  list (query: CallerQuery, administrator: Administrator): Promise<Page<CallerSummary>>
  show (id: string, administrator: Administrator): Promise<CallerSummary>
  /** The token is in this answer and nowhere else. */
  create (wanted: WantedCaller, by: Operator, administrator: Administrator): Promise<{ caller: CallerSummary, token: string }>
  change (id: string, changes: CallerChanges, by: Operator, administrator: Administrator): Promise<CallerSummary>
  /** For good. `wasRevoked`: before, by somebody else. */
  revoke (id: string, by: Operator, administrator: Administrator): Promise<{ caller: CallerSummary, wasRevoked: boolean }>
}

export interface CallersParts {
  register: CallerRegister
  mint: (kind: MintedKind) => { token: string, digest: Uint8Array }
  /** Name of a provider that the catalogue knows. */
  providerName: (id: string) => string | null
  /** Makes a change count on this replica at once. */
  apply: () => Promise<void>
}

export function createCallers ({ register, mint, providerName, apply }: CallersParts): Callers {
  // The change is committed: that it counts a second later is no failure, and the token of an answer would be lost.
  const applied = async () => { await apply().catch(() => undefined) }

  async function visible (id: string, administrator: Administrator): Promise<CallerSummary> {
    const caller = await register.find(id)
    if (caller === null || !isVisible(caller, administrator)) throw new AdministrationError('There is no such caller.', 'unknown')
    return caller
  }

  return {
    list: async (query, administrator) => {
      const visibility = { providerId: administrator?.providerId ?? null }
      return await readPage({
        list: rows => register.list(rows, visibility),
        count: (filters, limit) => register.count(filters, visibility, limit),
        sortValueOf: (caller, field) => caller[field]
      }, query)
    },

    show: visible,

    async create (wanted, by, administrator) {
      const { kind, scopes = kindRules[kind].defaultScopes } = wanted
      checkName(wanted.name)
      checkScopes(kind, scopes, scopes, administrator?.scopes ?? null)
      checkBounds(kind, wanted)
      checkProvider(wanted, administrator?.providerId == null ? null : providerName(administrator.providerId))
      const { token, digest } = mint(kind)
      const caller = await register.add(by, { ...wanted, scopes: [...new Set(scopes)], digest })
      await applied()
      return { caller, token }
    },

    async change (id, changes, by, administrator) {
      const before = await visible(id, administrator)
      checkChangeable(before)
      checkChanges(before, changes, administrator)
      const caller = await register.change(by, id, changes)
      if (caller === null) throw new AdministrationError(`${before.name} is revoked.`, 'conflict')
      await applied()
      return caller
    },

    async revoke (id, by, administrator) {
      const before = await visible(id, administrator)
      if (before.kind === 'anonymous') throw new AdministrationError('Open registration has no key to revoke: set REGISTRATION_MODE to token or disabled.', 'conflict')
      const revoked = await register.revoke(by, id)
      await applied()
      return { caller: revoked ?? before, wasRevoked: revoked === null }
    }
  }
}

function isVisible (caller: CallerSummary, administrator: Administrator): boolean {
  return administrator === null || administrator.providerId === null || administrator.providerId === caller.providerId
}

/** @param bound name of the only provider for which he may make callers; null: any, and none */
function checkProvider ({ kind, providerName }: WantedCaller, bound: string | null): void {
  if (providerName === null && kindRules[kind].needsProvider) {
    throw new AdministrationError(`A caller of the kind ${kind} belongs to a provider: name it.`, 'invalid', 'provider')
  }
  if (bound === null) return
  if (providerName === null) throw new AdministrationError(`You are bound to the provider ${bound}: name it.`, 'forbidden')
  if (providerName !== bound) throw new AdministrationError(`There is no provider ${providerName}.`, 'invalid', 'provider')
}

function checkChanges (before: CallerSummary, changes: CallerChanges, administrator: Administrator): void {
  const { kind, origin } = before
  if (!isMintedKind(kind)) throw new AdministrationError(`Callers of the kind ${kind} can't be changed.`, 'conflict')
  if (changes.name !== undefined) {
    if (origin === 'broker') throw new AdministrationError('The name says which Entra identity it is, and stays.', 'conflict')
    checkName(changes.name)
  }
  if (changes.scopes !== undefined) {
    checkScopes(kind, changes.scopes, changes.scopes.filter(scope => !before.scopes.includes(scope)), administrator?.scopes ?? null)
  }
  checkBounds(kind, changes)
}
