// Use cases: policies. A change makes a version; who says which version he has seen changes nothing that came after it.
import type { ListQuery, Page } from '../listing/query.ts'
import { readPage } from '../listing/read-page.ts'
import { DEFAULT_POLICY_NAME } from '../registration/policy.ts'
import { AdministrationError, InvalidValuesError, StaleVersionError } from './errors.ts'
import type { Operator } from './operator.ts'
import type { GivenRules, PolicyChange, PolicyField, PolicySortField, PolicyStore, PolicyVersion, StoredPolicy } from './policies-port.ts'

export type PolicyQuery = ListQuery<PolicyField, PolicySortField>

/** `expected`: the version the operator has seen; null: he does not say. `scope`: the provider of whose callers and registrations he learns; null: of all. All throw StoreUnavailableError. */
export interface Policies {
  /** A numbered page must end within MAX_NUMBERED_ROW. */
  list (query: PolicyQuery, scope: string | null): Promise<Page<StoredPolicy>>
  /** @throws AdministrationError unknown */
  show (id: string, scope: string | null): Promise<StoredPolicy>
  /** @throws AdministrationError unknown */
  named (name: string): Promise<StoredPolicy>
  /** @throws InvalidValuesError for the name; AdministrationError conflict when it is taken */
  create (by: Operator, name: string, given: GivenRules): Promise<StoredPolicy>
  /** All rules; those left out become the release's. @throws AdministrationError unknown; StaleVersionError */
  replace (by: Operator, id: string, given: GivenRules, expected: number | null): Promise<StoredPolicy>
  /** Rules that are left out stay. @throws as `replace` */
  change (by: Operator, id: string, given: GivenRules, expected: number | null): Promise<StoredPolicy>
  /** Puts the rules of an older version back, as a new one. @throws as `replace` */
  rollBack (by: Operator, id: string, version: number, expected: number | null): Promise<StoredPolicy>
  /** @throws AdministrationError unknown, conflict for `default` and while callers or registrations have it; StaleVersionError */
  remove (by: Operator, id: string, expected: number | null): Promise<void>
  /** The newest first, at most 1,000. @throws AdministrationError unknown */
  versions (id: string): Promise<PolicyVersion[]>
  /** @throws AdministrationError unknown */
  version (id: string, version: number): Promise<PolicyVersion>
}

export const POLICY_NAME = '^[a-z0-9][a-z0-9._-]{0,62}$'
const MOST_VERSIONS = 1_000

/** @param changed after each commit: lets this process see the change at once */
export function createPolicies (store: PolicyStore, changed: () => Promise<void>): Policies {
  async function write (
    by: Operator, id: string, expected: number | null, change: PolicyChange, decide: (current: StoredPolicy) => GivenRules
  ): Promise<StoredPolicy> {
    const policy = await store.change(by, id, change, current => {
      assertSeen(current, expected)
      return decide(current)
    })
    if (policy === null) throw unknown('policy')
    await changed()
    return policy
  }

  async function found (wanted: { id: string } | { name: string }, scope: string | null = null): Promise<StoredPolicy> {
    const policy = await store.find(wanted, scope)
    if (policy === null) throw unknown('policy')
    return policy
  }

  async function version (id: string, number: number): Promise<PolicyVersion> {
    const kept = await store.version(id, number)
    if (kept === null) throw unknown('version of a policy')
    return kept
  }

  return {
    list: async (query, scope) => await readPage({
      list: rows => store.list(rows, scope), count: (filters, limit) => store.count(filters, limit), sortValueOf: (policy, field) => policy[field]
    }, query),
    show: async (id, scope) => await found({ id }, scope),
    named: async name => await found({ name }),

    async create (by, name, given) {
      if (!new RegExp(POLICY_NAME).test(name)) {
        throw new InvalidValuesError([{ field: 'name', reason: 'The name is not acceptable. Accepted: 1 to 63 lower-case letters, digits, dots, dashes and underscores.' }])
      }
      const policy = await store.create(by, name, given)
      if (policy === null) throw new AdministrationError(`There is a policy of the name [${name}] already.`, 'conflict')
      await changed()
      return policy
    },

    replace: async (by, id, given, expected) => await write(by, id, expected, { action: 'policy.replaced' }, () => given),
    change: async (by, id, given, expected) => await write(by, id, expected, { action: 'policy.changed' }, current => ({ ...current.given, ...given })),

    async rollBack (by, id, number, expected) {
      await found({ id })
      const { given } = await version(id, number)
      return await write(by, id, expected, { action: 'policy.rolled_back', detail: { to: number } }, () => given)
    },

    async remove (by, id, expected) {
      const removed = await store.remove(by, id, current => {
        assertSeen(current, expected)
        assertUnused(current)
      })
      if (!removed) throw unknown('policy')
      await changed()
    },

    async versions (id) {
      await found({ id })
      return await store.versions(id, MOST_VERSIONS)
    },

    version
  }
}

function assertSeen ({ name, version }: StoredPolicy, expected: number | null): void {
  if (expected !== null && expected !== version) throw new StaleVersionError(`The policy ${name} is at version [${version}], not [${expected}]: read it again.`)
}

function assertUnused ({ name, callers, registrations }: StoredPolicy): void {
  if (name === DEFAULT_POLICY_NAME) throw new AdministrationError('The policy default is of everybody who has no other: it can be changed, not deleted.', 'conflict')
  if (callers > 0) throw new AdministrationError(`[${callers}] callers are bound to the policy ${name}: bind them to another one or revoke them first.`, 'conflict')
  if (registrations > 0) throw new AdministrationError(`[${registrations}] registrations are under the policy ${name}: it goes when they have ended.`, 'conflict')
}

function unknown (what: string): AdministrationError {
  return new AdministrationError(`There is no such ${what}.`, 'unknown')
}
