// The scope catalogue as operators write and read it.
import { v7 as uuidv7 } from 'uuid'
import type { ScopeMapping } from '../registration/registration.ts'
import type { Operator } from '../administration/operator.ts'
import { audited, providerNamed } from './administration.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export interface ListedScope extends ScopeMapping {
  providerName: string
}

/**
 * Creates or replaces what a scope means at a provider. Clients that are registered keep what they have.
 *
 * @throws AdministrationError for an unknown provider; StoreUnavailableError
 */
export async function putScope (prisma: PrismaClient, by: Operator, providerName: string, { name, ...meaning }: ScopeMapping): Promise<'created' | 'replaced'> {
  return await guarded(async () => {
    const { id: providerId } = await providerNamed(prisma, providerName)
    const where = { providerId_name: { providerId, name } }
    const before = await prisma.scopeMapping.findUnique({ where, select: { id: true } })
    await prisma.$transaction([
      prisma.scopeMapping.upsert({ where, create: { id: uuidv7(), providerId, name, ...meaning }, update: meaning }),
      audited(prisma, by, before === null ? 'scope.created' : 'scope.replaced', providerId, { name, ...meaning })
    ])
    return before === null ? 'created' : 'replaced'
  })
}

/** By provider and name. Null: of all providers. @throws AdministrationError for an unknown provider; StoreUnavailableError */
export async function listScopes (prisma: PrismaClient, providerName: string | null): Promise<ListedScope[]> {
  return await guarded(async () => {
    const rows = await prisma.scopeMapping.findMany({
      where: providerName === null ? {} : { providerId: (await providerNamed(prisma, providerName)).id },
      include: { provider: { select: { name: true } } },
      orderBy: [{ provider: { name: 'asc' } }, { name: 'asc' }]
    })
    return rows.map(({ name, resourceAppId, permissionId, type, granted, provider }) =>
      ({ name, resourceAppId, permissionId, type: type === 'Role' ? 'Role' : 'Scope', granted, providerName: provider.name }))
  })
}

/** False: there was none. @throws AdministrationError for an unknown provider; StoreUnavailableError */
export async function removeScope (prisma: PrismaClient, by: Operator, providerName: string, name: string): Promise<boolean> {
  return await guarded(async () => {
    const { id: providerId } = await providerNamed(prisma, providerName)
    if (await prisma.scopeMapping.count({ where: { providerId, name } }) === 0) return false
    await prisma.$transaction([
      prisma.scopeMapping.deleteMany({ where: { providerId, name } }),
      audited(prisma, by, 'scope.removed', providerId, { name })
    ])
    return true
  })
}
