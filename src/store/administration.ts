// What the operator's writes have in common: the event that says what was done, and who is meant by a name.
import { v7 as uuidv7 } from 'uuid'
import { AdministrationError } from '../administration/errors.ts'
import type { Operator } from '../administration/operator.ts'
import type { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'

/** Written in the transaction of the change itself. */
export function audited (
  prisma: Pick<PrismaClient, 'auditEvent'>, by: Operator, action: string, providerId: string | null, detail: Prisma.InputJsonObject
) {
  const { actor, requestId, sourceAddress } = by
  return prisma.auditEvent.create({
    data: { id: uuidv7(), at: new Date(), actor, action, outcome: 'succeeded', providerId, requestId, sourceAddress, detail }
  })
}

/** @throws AdministrationError when there is none of this name */
export async function providerNamed (prisma: Pick<PrismaClient, 'provider'>, name: string): Promise<{ id: string, name: string }> {
  const provider = await prisma.provider.findUnique({ where: { name, deletedAt: null }, select: { id: true, name: true } })
  if (provider !== null) return provider
  const hint = await prisma.provider.count() === 0 ? ' The first one is made when the broker starts for the first time.' : ''
  throw new AdministrationError(`There is no provider ${name}.${hint}`, 'unknown')
}
