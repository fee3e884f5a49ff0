// StrategyStore over Prisma. The strategies of one provider change one after another, so that names are unique and one is the default.
import { v7 as uuidv7 } from 'uuid'
import { AdministrationError } from '../administration/errors.ts'
import type { Strategy, StrategyContent, StrategyField, StrategyProvider, StrategyStore } from '../administration/strategies-port.ts'
import type { Filter } from '../listing/query.ts'
import { canonicalJson } from '../registration/metadata/canonical-json.ts'
import type { Json } from '../registration/registration.ts'
import { audited } from './administration.ts'
import type { Prisma } from './generated/client.ts'
import type { AuthStrategyModel } from './generated/models.ts'
import { voidAnswersAbout } from './idempotency-store.ts'
import { behind, conditionOf, orderOf, type ListedColumn } from './list-conditions.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

type Transaction = Prisma.TransactionClient
type Where = Prisma.AuthStrategyWhereInput

const columns: Readonly<Record<Exclude<StrategyField, 'strategyType'>, ListedColumn>> = {
  id: { path: ['id'] },
  name: { path: ['name'] },
  displayName: { path: ['displayName'], optional: true },
  providerId: { path: ['providerId'] },
  providerName: { path: ['provider', 'name'] },
  providerType: { path: ['provider', 'providerType'] },
  konnectAuthStrategyId: { path: ['konnectAuthStrategyId'], optional: true },
  createdAt: { path: ['createdAt'] },
  updatedAt: { path: ['updatedAt'] }
}

const gone = ['deleting', 'deleted', 'undoing', 'undone']
const providerColumns = { id: true, name: true, displayName: true, providerType: true, tenantId: true, issuer: true, origin: true } as const
const whole = {
  include: { provider: { select: providerColumns }, _count: { select: { registrations: { where: { state: { notIn: gone } } } } } }
} as const satisfies Prisma.AuthStrategyDefaultArgs

export function createStrategyStore (prisma: PrismaClient): StrategyStore {
  return {
    list: ({ filters, sort, after, skip, limit }, scope) => guarded(async () => {
      const where = { AND: [...conditions(filters, scope), ...(after === null ? [] : [behind(after, sort)])] }
      return (await prisma.authStrategy.findMany({ where, orderBy: orderOf(sort), skip, take: limit, ...whole })).map(toStrategy)
    }),

    count: (filters, scope, limit) => guarded(async () => await prisma.authStrategy.count({ where: { AND: conditions(filters, scope) }, take: limit })),

    show: (id, scope) => guarded(async () => await find(prisma, id, scope)),

    provider: wanted => guarded(async () => {
      const row = await prisma.provider.findFirst({ where: { ...wanted, deletedAt: null }, select: providerColumns })
      return row === null ? null : toProvider(row)
    }),

    create: (by, providerId, content) => guarded(async () => await prisma.$transaction(async transaction => {
      await lock(transaction, providerId)
      const id = uuidv7()
      const before = await makeRoom(transaction, providerId, id, content)
      const row = await transaction.authStrategy.create({ data: { id, providerId, origin: 'database', ...dataOf(content) }, ...whole })
      await audited(transaction, by, 'strategy.created', providerId, { strategy: id, name: content.name, ...before })
      return toStrategy(row)
    })),

    change: (by, id, scope, decide) => guarded(async () => await prisma.$transaction(async transaction => {
      const current = await take(transaction, id, scope)
      if (current === null) return null
      const content = decide(current)
      const before = await makeRoom(transaction, current.provider.id, id, content)
      await voidAnswersAbout(transaction, id)
      const row = await transaction.authStrategy.update({ where: { id }, data: { ...dataOf(content), updatedAt: new Date() }, ...whole })
      await audited(transaction, by, 'strategy.changed', current.provider.id, { strategy: id, name: content.name, changed: differences(current, content), ...before })
      return toStrategy(row)
    })),

    remove: (by, id, scope, judge) => guarded(async () => await prisma.$transaction(async transaction => {
      const current = await take(transaction, id, scope)
      if (current === null) return false
      judge(current)
      await takeAway(transaction, id)
      await voidAnswersAbout(transaction, id)
      await audited(transaction, by, 'strategy.deleted', current.provider.id, {
        strategy: id, name: current.name, konnect_auth_strategy_id: current.konnectAuthStrategyId
      })
      return true
    }))
  }
}

async function lock (transaction: Transaction, providerId: string): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`dcr-broker:strategies:${providerId}`}, 0))`
}

/** The strategy as it is once nobody else changes it, or registers with it. */
async function take (transaction: Transaction, id: string, scope: string | null): Promise<Strategy | null> {
  const seen = await transaction.authStrategy.findFirst({ where: { id, ...living(scope) }, select: { providerId: true } })
  if (seen === null) return null
  await lock(transaction, seen.providerId)
  // A registration that is being made holds its key.
  await transaction.$executeRaw`SELECT FROM auth_strategy WHERE id = ${id}::uuid FOR UPDATE`
  return await find(transaction, id, scope)
}

async function find (client: Pick<PrismaClient, 'authStrategy'>, id: string, scope: string | null): Promise<Strategy | null> {
  const row = await client.authStrategy.findFirst({ where: { id, ...living(scope) }, ...whole })
  return row === null ? null : toStrategy(row)
}

/** Refuses what another strategy of the provider has, and takes the default from the one that is it. Resolves to what the audit should know of that. */
async function makeRoom (transaction: Transaction, providerId: string, id: string, { name, konnectAuthStrategyId, isDefault }: StrategyContent) {
  const others = await transaction.authStrategy.findMany({
    where: {
      providerId, deletedAt: null, NOT: { id }, OR: [{ name }, { isDefault: true }, ...(konnectAuthStrategyId === null ? [] : [{ konnectAuthStrategyId }])]
    }
  })
  const namesake = others.find(other => other.name === name)
  if (namesake !== undefined) throw new AdministrationError(`The provider has a strategy of the name [${name}] already: [${namesake.id}].`, 'conflict')
  const linked = others.find(other => konnectAuthStrategyId !== null && other.konnectAuthStrategyId === konnectAuthStrategyId)
  if (linked !== undefined) {
    throw new AdministrationError(`The Konnect strategy [${konnectAuthStrategyId}] is linked with the strategy [${linked.name}] already: [${linked.id}].`, 'conflict')
  }
  const before = others.find(other => other.isDefault)
  if (!isDefault || before === undefined) return {}
  await transaction.authStrategy.update({ where: { id: before.id }, data: { isDefault: false, updatedAt: new Date() } })
  return { default_before: before.id }
}

/** The row stays for the registrations it had; what is unique about it is free again. */
async function takeAway (transaction: Transaction, id: string): Promise<void> {
  if (await transaction.registration.count({ where: { strategyId: id }, take: 1 }) === 0) await transaction.authStrategy.delete({ where: { id } })
  else await transaction.authStrategy.update({ where: { id }, data: { deletedAt: new Date(), konnectAuthStrategyId: null } })
}

function living (scope: string | null): Where {
  return { deletedAt: null, ...(scope === null ? {} : { providerId: scope }) }
}

function conditions (filters: ReadonlyArray<Filter<StrategyField>>, scope: string | null): Where[] {
  return [living(scope), ...filters.map(filter => filter.field === 'strategyType' ? typeCondition(filter) : conditionOf(filter, columns))]
}

/** There is one type, so nothing stores it. */
function typeCondition (filter: Filter): Where {
  const names = 'values' in filter && filter.values.includes('openid_connect')
  return names === (filter.operator === 'in') ? {} : { id: { in: [] } }
}

function dataOf ({ extraConfig, ...content }: StrategyContent) {
  return { ...content, extraConfig: extraConfig as Prisma.InputJsonObject }
}

function differences (current: StrategyContent, content: StrategyContent): string[] {
  const members = Object.keys(content) as Array<keyof StrategyContent>
  return members.filter(member => canonicalJson(content[member]) !== canonicalJson(current[member]))
}

type Row = AuthStrategyModel & { provider: Omit<StrategyProvider, 'origin'> & { origin: string }, _count: { registrations: number } }

function toStrategy ({ provider, _count: { registrations }, ...row }: Row): Strategy {
  const { providerId: _, deletedAt: __, ...strategy } = row
  return {
    ...strategy,
    origin: originOf(row),
    extraConfig: row.extraConfig as Record<string, Json>,
    labels: row.labels as Record<string, string>,
    tokenVersion: row.tokenVersion === 2 ? 2 : 1,
    provider: toProvider(provider),
    registrations
  }
}

function toProvider (row: Row['provider']): StrategyProvider {
  return { ...row, origin: originOf(row) }
}

function originOf ({ origin }: { origin: string }): 'environment' | 'database' {
  return origin === 'environment' ? 'environment' : 'database'
}
