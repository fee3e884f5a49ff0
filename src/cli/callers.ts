// The use cases of callers as the CLI runs them: with every right, on the database directly. Replicas see the change within a second.
import { createCallers, type Callers } from '../administration/callers.ts'
import type { CallerSummary } from '../administration/callers-port.ts'
import { AdministrationError } from '../administration/errors.ts'
import { mintCallerToken } from '../caller-tokens.ts'
import { createCallerRegister } from '../store/caller-administration.ts'
import type { PrismaClient } from '../store/prisma-client.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function callersIn (prisma: PrismaClient): Callers {
  return createCallers({ register: createCallerRegister(prisma), mint: mintCallerToken, providerName: () => null, apply: async () => {} })
}

/**
 * The caller with this id, or the living one with this name, or the last that had it.
 *
 * @throws AdministrationError when there is none, or more than one of the name
 */
export async function callerNamed (prisma: PrismaClient, idOrName: string): Promise<CallerSummary> {
  const register = createCallerRegister(prisma)
  const byId = UUID.test(idOrName) ? await register.find(idOrName) : null
  if (byId !== null) return byId
  const rows = await register.findNamed(idOrName)
  const living = rows.filter(({ revokedAt, kind }) => revokedAt === null && kind !== 'anonymous')
  if (living.length > 1) throw new AdministrationError(`More than one caller has the name ${idOrName}. Name one by its id: ${living.map(({ id }) => id).join(', ')}.`)
  const caller = living[0] ?? rows.at(-1)
  if (caller === undefined) throw new AdministrationError(`There is no caller ${idOrName}.`, 'unknown')
  return caller
}
