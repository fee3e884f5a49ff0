// Providers, strategies and callers, read once and kept: they decide every request, so no request waits for them.
import { StoreUnavailableError, type Catalogue } from '../registration/ports.ts'
import type { AuthStrategy, Caller, CallerKind, Provider } from '../registration/registration.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export interface StoredCatalogue extends Catalogue {
  providers (): readonly Provider[]
  /** Reads everything (again). Until the first time every question is answered by StoreUnavailableError. */
  load (): Promise<void>
}

interface Content {
  installationId: string
  providers: Map<string, Provider>
  strategies: Map<string, AuthStrategy>
  strategiesOfKonnect: Map<string, AuthStrategy>
  defaults: Map<string, AuthStrategy>
  callers: Map<string, Caller>
}

export function createCatalogue (prisma: PrismaClient): StoredCatalogue {
  let loaded: Content | null = null

  function content (): Content {
    if (loaded === null) throw new StoreUnavailableError('The catalogue has not been read yet')
    return loaded
  }

  return {
    installationId: () => content().installationId,
    providers: () => [...content().providers.values()],
    provider: id => content().providers.get(id) ?? null,
    strategy: id => content().strategies.get(id) ?? null,
    strategyOfKonnect: (providerId, konnectId) => content().strategiesOfKonnect.get(konnectKey(providerId, konnectId)) ?? null,
    defaultStrategy (providerId) {
      const strategy = content().defaults.get(providerId)
      if (strategy === undefined) throw new Error(`Provider ${providerId} has no default strategy`)
      return strategy
    },
    caller: id => content().callers.get(id) ?? null,
    async load () { loaded = await guarded(() => read(prisma)) }
  }
}

async function read (prisma: PrismaClient): Promise<Content> {
  const [installation, providers, strategies, callers] = await Promise.all([
    prisma.installation.findFirstOrThrow(),
    prisma.provider.findMany(),
    prisma.authStrategy.findMany(),
    prisma.caller.findMany({ where: { revokedAt: null } })
  ])
  const known = strategies.map((row): AuthStrategy => ({
    id: row.id,
    providerId: row.providerId,
    name: row.name,
    konnectAuthStrategyId: row.konnectAuthStrategyId,
    isDefault: row.isDefault,
    tokenVersion: row.tokenVersion === 2 ? 2 : 1
  }))
  return {
    installationId: installation.id,
    providers: byId(providers.map((row): Provider => ({
      id: row.id, name: row.name, tenantId: row.tenantId, issuer: row.issuer, origin: row.origin === 'environment' ? 'environment' : 'database'
    }))),
    strategies: byId(known),
    strategiesOfKonnect: new Map(known.flatMap(strategy =>
      strategy.konnectAuthStrategyId === null ? [] : [[konnectKey(strategy.providerId, strategy.konnectAuthStrategyId), strategy] as const])),
    defaults: new Map(known.filter(strategy => strategy.isDefault).map(strategy => [strategy.providerId, strategy])),
    callers: byId(callers.map((row): Caller => ({
      id: row.id, kind: row.kind as CallerKind, name: row.name, providerId: row.providerId, scopes: row.scopes
    })))
  }
}

function byId<T extends { id: string }> (values: T[]): Map<string, T> {
  return new Map(values.map(value => [value.id, value]))
}

function konnectKey (providerId: string, konnectId: string): string {
  return JSON.stringify([providerId, konnectId])
}
