// Use cases: auth strategies. Each says how registrations that name it are translated, and is judged before it is kept.
import type { ListQuery, Page } from '../listing/query.ts'
import { readPage } from '../listing/read-page.ts'
import { AdministrationError, InvalidValuesError } from './errors.ts'
import { konnectStrategyOf, type KonnectStrategy } from './konnect-strategy.ts'
import type { Operator } from './operator.ts'
import { judgeStrategy } from './strategy-consistency.ts'
import { changedContent, contentOf, type StrategyChangeDocument, type StrategyDocument } from './strategy-document.ts'
import type { Strategy, StrategyContent, StrategyField, StrategyProvider, StrategySortField, StrategyStore } from './strategies-port.ts'

export type StrategyQuery = ListQuery<StrategyField, StrategySortField>

/** With sentences about what is doubtful in it. */
export interface JudgedStrategy {
  strategy: Strategy
  warnings: string[]
}

/** `scope`: the provider beyond which an operator sees nothing; null: he sees all. All throw StoreUnavailableError. */
export interface Strategies {
  /** A numbered page must end within MAX_NUMBERED_ROW. */
  list (query: StrategyQuery, scope: string | null): Promise<Page<Strategy>>
  /** @throws AdministrationError unknown */
  show (id: string, scope: string | null): Promise<JudgedStrategy>
  /** @throws InvalidValuesError for what can't work; AdministrationError invalid for an unknown provider, conflict for a name or Konnect id in use */
  create (by: Operator, document: StrategyDocument, scope: string | null): Promise<JudgedStrategy>
  /** @throws as `create`; AdministrationError unknown, conflict for one of the environment */
  replace (by: Operator, id: string, document: StrategyDocument, scope: string | null): Promise<JudgedStrategy>
  /** @throws as `replace` */
  change (by: Operator, id: string, change: StrategyChangeDocument, scope: string | null): Promise<JudgedStrategy>
  /** @throws AdministrationError unknown, conflict while registrations have it, for the default and for one of the environment */
  remove (by: Operator, id: string, scope: string | null): Promise<void>
  /** @throws AdministrationError unknown */
  forKonnect (id: string, dcrProviderId: string | null, scope: string | null): Promise<KonnectStrategy>
}

/** Of providers: the one that stands for the environment's tenant. */
const DEFAULT_PROVIDER = 'default'

/** @param changed after each commit: lets this process see the change at once */
export function createStrategies (store: StrategyStore, changed: () => Promise<void>): Strategies {
  async function change (by: Operator, id: string, scope: string | null, decide: (current: Strategy) => StrategyContent): Promise<JudgedStrategy> {
    const strategy = await store.change(by, id, scope, current => {
      assertOurs(current)
      const content = decide(current)
      if (current.isDefault && !content.isDefault) {
        throw new AdministrationError('Every provider has a default strategy: make another one the default, and this one no longer is.', 'invalid', 'is_default')
      }
      return acceptable(content, current.provider)
    })
    if (strategy === null) throw unknownStrategy()
    await changed()
    return judged(strategy)
  }

  async function show (id: string, scope: string | null): Promise<Strategy> {
    return await store.show(id, scope) ?? unknown()
  }

  return {
    list: async (query, scope) => await readPage({
      list: rows => store.list(rows, scope),
      count: (filters, limit) => store.count(filters, scope, limit),
      sortValueOf: (strategy, field) => strategy[field]
    }, query),

    show: async (id, scope) => judged(await show(id, scope)),

    async create (by, document, scope) {
      const provider = await providerFor(store, document.dcr_provider_id ?? null, scope)
      const strategy = await store.create(by, provider.id, acceptable(contentOf(document), provider))
      await changed()
      return judged(strategy)
    },

    replace: async (by, id, document, scope) => await change(by, id, scope, current => {
      assertSameProvider(current, document.dcr_provider_id)
      return contentOf(document, current.isDefault)
    }),

    change: async (by, id, document, scope) => await change(by, id, scope, current => {
      assertSameProvider(current, document.dcr_provider_id)
      return changedContent(current, document)
    }),

    async remove (by, id, scope) {
      if (!await store.remove(by, id, scope, assertRemovable)) throw unknownStrategy()
      await changed()
    },

    forKonnect: async (id, dcrProviderId, scope) => konnectStrategyOf(await show(id, scope), dcrProviderId)
  }
}

/** What is there may have faults all the same: the default strategy of a provider with a v2 issuer can't name an API. */
export function judged (strategy: Strategy): JudgedStrategy {
  const { faults, warnings } = judgeStrategy(strategy, strategy.provider)
  return { strategy, warnings: [...faults.map(({ reason }) => reason), ...warnings] }
}

function acceptable (content: StrategyContent, provider: StrategyProvider): StrategyContent {
  const { faults } = judgeStrategy(content, provider)
  if (faults.length > 0) throw new InvalidValuesError(faults)
  return content
}

async function providerFor (store: StrategyStore, id: string | null, scope: string | null): Promise<StrategyProvider> {
  const wanted = id ?? scope
  const isHis = scope === null || wanted?.toLowerCase() === scope
  const provider = isHis ? await store.provider(wanted === null ? { name: DEFAULT_PROVIDER } : { id: wanted }) : null
  if (provider === null) throw new AdministrationError('There is no such DCR provider.', 'invalid', 'dcr_provider_id')
  return provider
}

function assertSameProvider ({ provider }: Strategy, wanted: string | null | undefined): void {
  if (wanted === undefined || wanted?.toLowerCase() === provider.id) return
  throw new AdministrationError(`A strategy stays with its provider, ${provider.id}: its clients are in that tenant. Make another one for the other provider.`, 'invalid', 'dcr_provider_id')
}

// What a provider that is no longer the environment's has left behind is the operator's.
function assertOurs ({ name, origin, provider }: Strategy): void {
  if (origin !== 'environment' || provider.origin !== 'environment') return
  throw new AdministrationError(`The strategy ${name} is defined by AZURE_TENANT_ID and can't be changed here. Make another one with is_default true to take its place.`, 'conflict')
}

function assertRemovable (strategy: Strategy): void {
  assertOurs(strategy)
  const { name, isDefault, registrations } = strategy
  if (isDefault) throw new AdministrationError(`The strategy ${name} is the default of its provider: make another one the default first.`, 'conflict')
  if (registrations > 0) {
    throw new AdministrationError(`[${registrations}] registrations have the strategy ${name}: delete them first. GET /v2/registrations lists them.`, 'conflict')
  }
}

function unknownStrategy (): AdministrationError {
  return new AdministrationError('There is no such strategy.', 'unknown')
}

function unknown (): never {
  throw unknownStrategy()
}
