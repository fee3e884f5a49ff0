// Providers, strategies and callers, read once and kept: they decide every request, so no request waits for them.
import { StoreUnavailableError, type Catalogue } from '../registration/ports.ts'
import { DEFAULT_POLICY_NAME, OPEN_POLICY_NAME, defaultRules, type Policy } from '../registration/policy.ts'
import type { AuthStrategy, Caller, CallerKind, ScopeMapping } from '../registration/registration.ts'
import type { GatewayCatalogue, GatewayStrategy } from '../gateway/port.ts'
import { readCatalogue, readCatalogueState, type CatalogueRows, type StoredProvider } from './catalogue-statements.ts'
import { toGatewayStrategy } from './gateway-strategy.ts'
import type { RunStatement } from './statements.ts'
import { guarded } from './store-errors.ts'

export type { StoredProvider } from './catalogue-statements.ts'

export interface StoredCatalogue extends Catalogue, GatewayCatalogue {
  /** Those that are not deleted, the oldest first. */
  providers (): readonly StoredProvider[]
  providerNamed (name: string): StoredProvider | null
  /** Whether `policy` can answer. */
  knowsPolicy (id: string | null): boolean
  /** The living caller whose minted key has this digest. Only kinds whose keys are shown with every request; others are looked up. */
  callerOfKey (kind: CallerKind, digest: Uint8Array): Caller | null
  /** Reads everything (again). Until the first time every question is answered by StoreUnavailableError. */
  load (): Promise<void>
  /** The same, if anything is different from the last time: one statement that reads little, for a loop. */
  refresh (): Promise<void>
}

interface Content {
  installationId: string
  providers: Map<string, StoredProvider>
  strategies: Map<string, AuthStrategy>
  gatewayStrategies: Map<string, GatewayStrategy>
  gatewayStrategiesOf: Map<string, GatewayStrategy[]>
  strategiesOfKonnect: Map<string, AuthStrategy>
  defaults: Map<string, AuthStrategy>
  callers: Map<string, Caller>
  /** By kind and digest. */
  keys: Map<string, Caller>
  anonymous: Map<string, Caller>
  policies: Map<string, Policy>
  policiesByName: Map<string, Policy>
  scopes: Map<string, Map<string, ScopeMapping>>
}

const noScopes: ReadonlyMap<string, ScopeMapping> = new Map()

/** `onLoaded` is called whenever the content has been read, before whoever asked for it goes on. */
export function createCatalogue (run: RunStatement, options: { onLoaded?: () => void } = {}): StoredCatalogue {
  let loaded: Content | null = null
  let state: string | null = null
  let begun = 0
  let newest = 0

  // Of two readings that overlap the one that began later counts, whichever ends first: what was revoked stays revoked.
  async function load (): Promise<void> {
    const turn = ++begun
    const rows = await readCatalogue(run)
    if (turn < newest) return
    newest = turn
    loaded = contentOf(rows)
    state = rows.state
    options.onLoaded?.()
  }

  function content (): Content {
    if (loaded === null) throw new StoreUnavailableError('The catalogue has not been read yet')
    return loaded
  }

  return {
    installationId: () => content().installationId,
    providers: () => [...content().providers.values()],
    provider: id => content().providers.get(id) ?? null,
    providerNamed: name => [...content().providers.values()].find(provider => provider.name === name) ?? null,
    providerName: id => content().providers.get(id)?.name ?? null,
    gatewayStrategies: providerId => content().gatewayStrategiesOf.get(providerId) ?? [],
    gatewayStrategy: id => content().gatewayStrategies.get(id) ?? null,
    strategy: id => content().strategies.get(id) ?? null,
    strategyOfKonnect: (providerId, konnectId) => content().strategiesOfKonnect.get(konnectKey(providerId, konnectId)) ?? null,
    defaultStrategy (providerId) {
      const strategy = content().defaults.get(providerId)
      if (strategy === undefined) throw new Error(`Provider ${providerId} has no default strategy`)
      return strategy
    },
    caller: id => content().callers.get(id) ?? null,
    anonymousCaller (providerId) {
      const caller = content().anonymous.get(providerId)
      if (caller === undefined) throw new Error(`Provider ${providerId} has no caller for open registration`)
      return caller
    },
    knowsPolicy: id => id === null || content().policies.has(id),
    policy (id) {
      if (id === null) return defaultPolicy(content())
      const policy = content().policies.get(id)
      // Made a moment ago: another policy in its place might allow what this one forbids.
      if (policy === undefined) throw new StoreUnavailableError('The policy has not been read yet')
      return policy
    },
    openPolicy: () => content().policiesByName.get(OPEN_POLICY_NAME) ?? defaultPolicy(content()),
    scopes: providerId => content().scopes.get(providerId) ?? noScopes,
    callerOfKey: (kind, digest) => content().keys.get(keyOf(kind, Buffer.from(digest).toString('hex'))) ?? null,
    load: async () => await guarded(load),
    refresh: async () => await guarded(async () => {
      if (await readCatalogueState(run) !== state) await load()
    })
  }
}

function contentOf ({ installationId, providers, strategies, callers, policies, scopes }: CatalogueRows): Content {
  if (installationId === null) throw new Error('The database has no installation')
  const knownCallers = callers.map(({ keyDigest: _, ...caller }) => caller)
  const knownPolicies = policies.map(({ id, name, rules }): Policy => ({ id, name, rules: { ...defaultRules, ...rules } }))
  const livingProviders = new Set(providers.map(({ id }) => id))
  const forGateways = strategies.filter(({ providerId }) => livingProviders.has(providerId)).map(toGatewayStrategy)
  return {
    installationId,
    providers: byId(providers),
    strategies: byId<AuthStrategy>(strategies),
    gatewayStrategies: byId(forGateways),
    gatewayStrategiesOf: new Map(providers.map(({ id }) => [id, forGateways.filter(({ providerId }) => providerId === id)])),
    strategiesOfKonnect: new Map(strategies.flatMap(strategy =>
      strategy.konnectAuthStrategyId === null ? [] : [[konnectKey(strategy.providerId, strategy.konnectAuthStrategyId), strategy] as const])),
    defaults: new Map(strategies.filter(strategy => strategy.isDefault).map(strategy => [strategy.providerId, strategy])),
    callers: byId(knownCallers),
    keys: new Map(callers.flatMap(({ keyDigest, ...caller }) => keyDigest === null ? [] : [[keyOf(caller.kind, keyDigest), caller] as const])),
    anonymous: new Map(knownCallers.flatMap(caller => caller.kind === 'anonymous' && caller.providerId !== null ? [[caller.providerId, caller] as const] : [])),
    policies: byId(knownPolicies),
    policiesByName: new Map(knownPolicies.map(policy => [policy.name, policy])),
    scopes: scopesByProvider(scopes)
  }
}

function defaultPolicy ({ policiesByName }: Content): Policy {
  const policy = policiesByName.get(DEFAULT_POLICY_NAME)
  if (policy === undefined) throw new Error('There is no policy `default`')
  return policy
}

function scopesByProvider (rows: CatalogueRows['scopes']): Map<string, Map<string, ScopeMapping>> {
  const scopes = new Map<string, Map<string, ScopeMapping>>()
  for (const { providerId, ...scope } of rows) {
    const known = scopes.get(providerId) ?? new Map<string, ScopeMapping>()
    scopes.set(providerId, known.set(scope.name, scope))
  }
  return scopes
}

function byId<T extends { id: string }> (values: T[]): Map<string, T> {
  return new Map(values.map(value => [value.id, value]))
}

function keyOf (kind: CallerKind, digest: string): string {
  return `${kind}:${digest}`
}

function konnectKey (providerId: string, konnectId: string): string {
  return JSON.stringify([providerId, konnectId])
}
