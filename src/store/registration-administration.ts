// What operators do to one registration from the command line.
import { AdministrationError } from '../administration/errors.ts'
import type { Operator } from '../administration/operator.ts'
import { audited, providerNamed } from './administration.ts'
import { Prisma } from './generated/client.ts'
import { voidAnswersAbout } from './idempotency-store.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/** A call of the row's last holder may still be under way for so long (ATTEMPT_TIMEOUT_MS at its highest). */
const LONGEST_ATTEMPT = Prisma.sql`interval '30 seconds'`

/**
 * Enables a client that expiry has disabled; its age begins anew. The broker tells Entra within seconds.
 *
 * @throws AdministrationError for an unknown provider, a client that is not there or not disabled, or one at work; StoreUnavailableError
 */
export async function enableClient (prisma: PrismaClient, by: Operator, providerName: string, clientId: string): Promise<void> {
  await guarded(async () => {
    const { id: providerId } = await providerNamed(prisma, providerName)
    const row = await prisma.registration.findUnique({ where: { providerId_clientId: { providerId, clientId } }, select: { id: true, state: true } })
    if (row === null) throw new AdministrationError(`There is no client ${clientId} at provider ${providerName}.`)
    if (row.state !== 'disabled') throw new AdministrationError(`Client ${clientId} is not disabled: it is ${row.state}.`)
    await prisma.$transaction(async transaction => {
      // Whether Entra has heard of the disabling is not sure: it is told whatever the row believes.
      const changed = await transaction.$executeRaw`
        UPDATE registration SET state = 'active', account_enabled = true, applied_enabled = false, desired_revision = desired_revision + 1,
          disabled_at = NULL, disabled_by = NULL, renewed_at = now(), due_at = now(), lease_token = lease_token + 1, updated_at = now()
        WHERE id = ${row.id}::uuid AND state = 'disabled' AND (lease_until IS NULL OR lease_until + ${LONGEST_ATTEMPT} < now())`
      if (changed === 0) throw new AdministrationError(`The broker is at work on client ${clientId}. Try again in a minute.`)
      await voidAnswersAbout(transaction, row.id)
      await audited(transaction, by, 'registration.enabled', providerId, { client_id: clientId })
    })
  })
}
