// What the operator's writes have in common: their error, and the event that says what was done.
import { v7 as uuidv7 } from 'uuid'
import type { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'

/** What the operator asked for can't be done; the message says why, in one sentence. */
export class AdministrationError extends Error {
  override name = 'AdministrationError'
}

/** Written in the transaction of the change itself. */
export function audited (prisma: Pick<PrismaClient, 'auditEvent'>, action: string, providerId: string | null, detail: Prisma.InputJsonObject) {
  return prisma.auditEvent.create({
    data: { id: uuidv7(), at: new Date(), actor: 'cli', action, outcome: 'succeeded', providerId, detail }
  })
}

/** @throws AdministrationError when there is none of this name */
export async function providerNamed (prisma: PrismaClient, name: string): Promise<{ id: string, name: string }> {
  const provider = await prisma.provider.findUnique({ where: { name }, select: { id: true, name: true } })
  if (provider !== null) return provider
  const hint = await prisma.provider.count() === 0 ? ' The first one is made when the broker starts for the first time.' : ''
  throw new AdministrationError(`There is no provider ${name}.${hint}`)
}
