// Which installation a database belongs to, and how a copy of one becomes an installation of its own.
import { v7 as uuidv7 } from 'uuid'
import { AdministrationError } from '../administration/errors.ts'
import type { Operator } from '../administration/operator.ts'
import { audited } from './administration.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/** A process that has reported itself within this time is running. */
const LIVE = Prisma.sql`interval '30 seconds'`

/** No sweep looks at a row any more: beyond the last delay of every setting. */
const NO_MORE_SWEEPS = 1_000

export interface Installation {
  id: string
  createdAt: Date
  /** Clients that are neither deleted nor undone. */
  livingRegistrations: number
}

export async function showInstallation (prisma: PrismaClient): Promise<Installation> {
  return await guarded(async () => {
    const row = await prisma.installation.findFirst()
    if (row === null) throw new AdministrationError('No broker has started on this database yet.', 'unknown')
    return { ...row, livingRegistrations: await prisma.registration.count({ where: { state: { notIn: ['deleted', 'undone'] } } }) }
  })
}

/**
 * Gives a copied database an id of its own and lets go of everything that belongs to the original: registrations end here without a word to
 * Entra, their secrets are erased, and so are permits to adopt. Providers, policies and callers stay.
 *
 * @returns the new installation, and how many registrations were let go
 * @throws AdministrationError while a broker runs on the database; StoreUnavailableError
 */
export async function renewInstallation (prisma: PrismaClient, by: Operator): Promise<{ id: string, formerId: string, released: number }> {
  const former = await showInstallation(prisma)
  return await guarded(async () => await prisma.$transaction(async transaction => {
    const [live] = await transaction.$queryRaw<Array<{ count: number }>>`SELECT count(*)::int FROM replica WHERE seen_at > now() - ${LIVE}`
    if ((live?.count ?? 0) > 0) throw new AdministrationError(`${live?.count} brokers run on this database. Stop them first.`, 'conflict')
    const id = uuidv7()
    await transaction.$executeRaw`UPDATE installation SET id = ${id}::uuid, created_at = now()`
    const released = await transaction.$executeRaw`
      UPDATE registration SET state = 'deleted', ended_at = now(), open_fingerprint = NULL, sharing_key = NULL,
        management_digest = NULL, previous_management_digest = NULL, redeliver_until = NULL, lease_token = lease_token + 1, updated_at = now()
      WHERE state NOT IN ('deleted', 'undone')`
    // Also what had ended before: its purge and its sweeps are the original's business.
    await transaction.$executeRaw`UPDATE registration SET due_at = NULL, purge_at = NULL, sweeps = ${NO_MORE_SWEEPS}, lease_until = NULL`
    await transaction.$executeRaw`
      UPDATE credential SET state = 'lost', seal_version = NULL, seal_kid = NULL, seal_wrapped_key = NULL, seal_ciphertext = NULL, erase_at = NULL,
        updated_at = now()`
    // Answers with credentials of the original's clients.
    await transaction.$executeRaw`DELETE FROM idempotency_record`
    // Foreign applications that the original may adopt: two brokers would make secrets for one client.
    await transaction.$executeRaw`DELETE FROM adoption_permit`
    // Found, and put on hold, by the original.
    await transaction.$executeRaw`DELETE FROM reconciliation_finding`
    await transaction.$executeRaw`DELETE FROM reconciliation`
    await audited(transaction, by, 'installation.renewed', null, { former: former.id, installation: id, released })
    return { id, formerId: former.id, released }
  }, { timeout: 600_000 }))
}
