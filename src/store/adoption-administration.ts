// AdoptionPermits over Prisma: what operators say about adoption, each change with its audit.
import { v7 as uuidv7 } from 'uuid'
import type { AdoptionPermit, AdoptionPermits, PermitField } from '../administration/adoptions-port.ts'
import { AdministrationError } from '../administration/errors.ts'
import { audited } from './administration.ts'
import type { Prisma } from './generated/client.ts'
import { voidAnswersAbout } from './idempotency-store.ts'
import { behind, conditionOf, orderOf, type ListedColumn } from './list-conditions.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

const columns: Readonly<Record<PermitField, ListedColumn>> = {
  provider: { path: ['provider', 'name'] },
  clientId: { path: ['clientId'] },
  usedAt: { path: ['usedAt'], optional: true },
  createdAt: { path: ['createdAt'] }
}

const withProvider = { include: { provider: { select: { name: true, adoptionEnabled: true } } } } as const

type PermitRow = Prisma.AdoptionPermitGetPayload<typeof withProvider>

export function createAdoptionPermits (prisma: PrismaClient): AdoptionPermits {
  const within = (providerId: string | null) => providerId === null ? {} : { providerId }

  async function providerOf (name: string, providerId: string | null) {
    const provider = await prisma.provider.findFirst({ where: { name, deletedAt: null }, select: { id: true, name: true, adoptionEnabled: true } })
    return provider === null || (providerId !== null && provider.id !== providerId) ? null : provider
  }

  return {
    list: ({ filters, sort, after, skip, limit }, providerId) => guarded(async () => {
      const rows = await prisma.adoptionPermit.findMany({
        where: { AND: [within(providerId), ...filters.map(filter => conditionOf(filter, columns)), ...(after === null ? [] : [behind(after, sort)])] },
        orderBy: orderOf(sort),
        skip,
        take: limit,
        ...withProvider
      })
      return rows.map(toPermit)
    }),

    count: (filters, providerId, limit) => guarded(async () => await prisma.adoptionPermit.count({
      where: { AND: [within(providerId), ...filters.map(filter => conditionOf(filter, columns))] }, take: limit
    })),

    create: (wanted, providerId, by) => guarded(async () => {
      const provider = await providerOf(wanted.provider, providerId)
      if (provider === null) throw new AdministrationError(`There is no provider ${wanted.provider}.`, 'invalid', 'provider')
      const clientId = wanted.clientId.toLowerCase()
      await refuseUnfit(prisma, provider.id, clientId, within(providerId))
      const id = uuidv7()
      const [made] = await prisma.$transaction([
        prisma.adoptionPermit.createMany({ data: [{ id, providerId: provider.id, clientId, createdBy: by.actor }], skipDuplicates: true }),
        audited(prisma, by, 'adoption.permitted', provider.id, { permit: id, client_id: clientId })
      ])
      const row = await prisma.adoptionPermit.findUniqueOrThrow({ where: { providerId_clientId: { providerId: provider.id, clientId } }, ...withProvider })
      if (made.count === 0) throw permitted(clientId)
      return toPermit(row)
    }),

    remove: (id, providerId, by) => guarded(async () => {
      const row = await prisma.adoptionPermit.findFirst({ where: { id, ...within(providerId) } })
      if (row === null) throw new AdministrationError('There is no such permit.', 'unknown')
      await prisma.$transaction([
        prisma.adoptionPermit.deleteMany({ where: { id } }),
        voidAnswersAbout(prisma, id),
        audited(prisma, by, 'adoption.permit_withdrawn', row.providerId, { permit: id, client_id: row.clientId })
      ])
    }),

    showSetting: (name, providerId) => guarded(async () => {
      const provider = await providerOf(name, providerId)
      if (provider === null) throw unknownProvider(name)
      return { provider: provider.name, enabled: provider.adoptionEnabled }
    }),

    changeSetting: ({ provider: name, enabled }, providerId, by) => guarded(async () => {
      const provider = await providerOf(name, providerId)
      if (provider === null) throw unknownProvider(name)
      if (provider.adoptionEnabled !== enabled) {
        await prisma.$transaction([
          prisma.provider.update({ where: { id: provider.id }, data: { adoptionEnabled: enabled, updatedAt: new Date() } }),
          audited(prisma, by, enabled ? 'adoption.enabled' : 'adoption.disabled', provider.id, { provider: name })
        ])
      }
      return { provider: name, enabled }
    })
  }
}

/**
 * What would never be adopted is not permitted either. The look at first use decides; this one explains, as far as the operator sees.
 *
 * @param visible the provider the operator is bound to, if he is
 */
async function refuseUnfit (prisma: PrismaClient, providerId: string, clientId: string, visible: { providerId?: string }): Promise<void> {
  const own = await prisma.provider.count({ where: { initialClientId: { equals: clientId, mode: 'insensitive' }, ...(visible.providerId === undefined ? {} : { id: visible.providerId }) } }) +
    await prisma.providerCredential.count({ where: { clientId: { equals: clientId, mode: 'insensitive' }, state: { not: 'removed' }, ...visible } })
  if (own > 0) throw new AdministrationError('This is the application the broker proves itself with: it is never adopted.', 'invalid', 'client_id')
  if (await prisma.registration.count({ where: { clientId, ...visible } }) > 0) {
    throw new AdministrationError('There is, or was, a registration of this application already.', 'conflict')
  }
  if (await prisma.adoptionPermit.count({ where: { providerId, clientId } }) > 0) throw permitted(clientId)
}

function permitted (clientId: string): AdministrationError {
  return new AdministrationError(`There is a permit for ${clientId} already.`, 'conflict')
}

function unknownProvider (name: string): AdministrationError {
  return new AdministrationError(`There is no provider ${name}.`, 'unknown')
}

function toPermit ({ id, provider, clientId, createdBy, createdAt, usedAt }: PermitRow): AdoptionPermit {
  return { id, provider: provider.name, isEnabled: provider.adoptionEnabled, clientId, createdBy, createdAt, usedAt }
}
