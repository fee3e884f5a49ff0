// AuditBrowser over Prisma. Events know their provider by id only: they outlive it.
import type { AuditBrowser, AuditField, AuditFilter } from '../administration/audit-port.ts'
import type { Prisma } from './generated/client.ts'
import { behind, conditionOf, orderOf, type ListedColumn } from './list-conditions.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

type Where = Prisma.AuditEventWhereInput

const columns: Readonly<Record<AuditField, ListedColumn>> = {
  id: { path: ['id'] },
  actor: { path: ['actor'] },
  action: { path: ['action'] },
  outcome: { path: ['outcome'] },
  registrationId: { path: ['registrationId'], optional: true },
  provider: { path: ['providerId'], optional: true },
  requestId: { path: ['requestId'], optional: true },
  at: { path: ['at'] }
}

export function createAuditBrowser (prisma: PrismaClient): AuditBrowser {
  return {
    list: ({ filters, sort, after, skip, limit }, providerId) => guarded(async () => {
      const providers = await providerNames(prisma)
      const rows = await prisma.auditEvent.findMany({
        where: { AND: [...conditions(filters, providerId, providers), ...(after === null ? [] : [behind(after, sort)])] },
        orderBy: orderOf(sort),
        skip,
        take: limit,
        omit: { txid: true }
      })
      const seals = await prisma.auditSeal.findMany({ where: { eventId: { in: rows.map(row => row.id) } }, select: { eventId: true, seq: true } })
      const seqs = new Map(seals.map(seal => [seal.eventId, Number(seal.seq)]))
      return rows.map(({ providerId: provider, ...row }) =>
        ({ ...row, providerName: provider === null ? null : providers.get(provider) ?? provider, seq: seqs.get(row.id) ?? null }))
    }),

    count: (filters, providerId, limit) => guarded(async () =>
      await prisma.auditEvent.count({ where: { AND: conditions(filters, providerId, await providerNames(prisma)) }, take: limit }))
  }
}

async function providerNames (prisma: PrismaClient): Promise<ReadonlyMap<string, string>> {
  const rows = await prisma.provider.findMany({ select: { id: true, name: true } })
  return new Map(rows.map(({ id, name }) => [id, name]))
}

function conditions (filters: readonly AuditFilter[], providerId: string | null, providers: ReadonlyMap<string, string>): Where[] {
  return [providerId === null ? {} : { providerId }, ...filters.map(filter => conditionOf(byId(filter, providers), columns))]
}

/** A provider is asked for by its name. */
function byId (filter: AuditFilter, providers: ReadonlyMap<string, string>): AuditFilter {
  if (filter.field !== 'provider' || !('values' in filter)) return filter
  const { values } = filter
  return { ...filter, values: [...providers].filter(([, name]) => values.includes(name)).map(([id]) => id) }
}
