// What operators do to one registration from the command line.
import { AdministrationError, audited, providerNamed } from './administration.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/**
 * Enables a client that expiry has disabled; its age begins anew. The broker tells Entra within seconds.
 *
 * @throws AdministrationError for an unknown provider, a client that is not there or not disabled, or one at work; StoreUnavailableError
 */
export async function enableClient (prisma: PrismaClient, providerName: string, clientId: string): Promise<void> {
  await guarded(async () => {
    const { id: providerId } = await providerNamed(prisma, providerName)
    const row = await prisma.registration.findUnique({ where: { providerId_clientId: { providerId, clientId } }, select: { id: true, state: true } })
    if (row === null) throw new AdministrationError(`There is no client ${clientId} at provider ${providerName}.`)
    if (row.state !== 'disabled') throw new AdministrationError(`Client ${clientId} is not disabled: it is ${row.state}.`)
    // The lease is counted on: who holds the row still believes that it is disabled.
    const [changed] = await prisma.$transaction([
      prisma.$executeRaw`
        UPDATE registration SET state = 'active', account_enabled = true, desired_revision = desired_revision + 1, disabled_at = NULL, disabled_by = NULL,
          renewed_at = now(), due_at = now(), lease_token = lease_token + 1, updated_at = now()
        WHERE id = ${row.id}::uuid AND state = 'disabled' AND (lease_until IS NULL OR lease_until < now())`,
      audited(prisma, 'registration.enabled', providerId, { client_id: clientId })
    ])
    if (changed === 0) throw new AdministrationError(`The broker is at work on client ${clientId}. Try again in a minute.`)
  })
}
