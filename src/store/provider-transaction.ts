// One change of a provider: its row locked first, its audit event written with it.
import { AdministrationError } from '../administration/errors.ts'
import type { Prisma } from './generated/client.ts'
import type { ProviderModel } from './generated/models.ts'
import { voidAnswersAbout } from './idempotency-store.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/** A deletion and a move exclude registrations too, whose rows refer to the provider; other changes let them through. */
export type ProviderLock = 'change' | 'exclusive'

/** @throws AdministrationError unknown when there is no such provider, conflict for a name that is taken; StoreUnavailableError */
export async function changingProvider<T> (
  prisma: PrismaClient, id: string, lock: ProviderLock, work: (transaction: Prisma.TransactionClient, before: ProviderModel) => Promise<T>
): Promise<T> {
  return await guarded(async () => await prisma.$transaction(async transaction => {
    if (lock === 'exclusive') await transaction.$queryRaw`SELECT FROM provider WHERE id = ${id}::uuid FOR UPDATE`
    else await transaction.$queryRaw`SELECT FROM provider WHERE id = ${id}::uuid FOR NO KEY UPDATE`
    const before = await transaction.provider.findUnique({ where: { id, deletedAt: null } })
    if (before === null) throw new AdministrationError('There is no such provider.', 'unknown')
    await voidAnswersAbout(transaction, id)
    return await work(transaction, before)
  }).catch(asConflict))
}

/** Prisma: a unique value is there already. Of a provider only its name is given by people. */
export function asConflict (error: unknown): never {
  if (error instanceof Error && 'code' in error && error.code === 'P2002') throw new AdministrationError('There is a provider of this name already.', 'conflict')
  throw error
}
