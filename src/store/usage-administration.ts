// Which clients are used, as a source outside the broker knows it: sign-in logs, a gateway. Expiry for want of use goes by it.
import { AdministrationError } from '../administration/errors.ts'
import type { Operator } from '../administration/operator.ts'
import { audited, providerNamed } from './administration.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/**
 * Declares who reports the use of a provider's clients, or (null) that nobody does any more: then no client expires for want of
 * use. What another source has reported no longer counts.
 *
 * @throws AdministrationError for an unknown provider; StoreUnavailableError
 */
export async function declareUsageSource (prisma: PrismaClient, by: Operator, providerName: string, source: string | null): Promise<void> {
  await guarded(async () => {
    const { id } = await providerNamed(prisma, providerName)
    const { usageSource } = await prisma.provider.findUniqueOrThrow({ where: { id }, select: { usageSource: true } })
    if (usageSource === source) return
    await prisma.$transaction([
      prisma.provider.update({ where: { id }, data: { usageSource: source, usageDeclaredAt: source === null ? null : new Date(), usageReportedAt: null } }),
      audited(prisma, by, 'usage_source.declared', id, { source })
    ])
  })
}

/**
 * What the declared source has seen until a time, now at the latest: the latest use of each client id. Unknown client ids are
 * nobody's business. Resolves to the number of clients that were known.
 *
 * @throws AdministrationError for an unknown provider, or one without a declared source; StoreUnavailableError
 */
export async function recordUse (prisma: PrismaClient, by: Operator, providerName: string, until: Date, uses: ReadonlyMap<string, Date>): Promise<number> {
  return await guarded(async () => {
    const { id } = await providerNamed(prisma, providerName)
    const { usageSource } = await prisma.provider.findUniqueOrThrow({ where: { id }, select: { usageSource: true } })
    if (usageSource === null) throw new AdministrationError(`Provider ${providerName} has no source of use: declare it first.`)
    const [known] = await prisma.$transaction([
      prisma.$executeRaw`
        UPDATE registration r SET last_used_at = greatest(r.last_used_at, least(u.at, now()))
        FROM unnest(${[...uses.keys()]}::uuid[], ${[...uses.values()]}::timestamptz[]) u(client_id, at)
        WHERE r.provider_id = ${id}::uuid AND r.client_id = u.client_id`,
      prisma.$executeRaw`UPDATE provider SET usage_reported_at = greatest(usage_reported_at, least(${until}, now())) WHERE id = ${id}::uuid`,
      audited(prisma, by, 'usage.reported', id, { source: usageSource, until: until.toISOString(), clients: uses.size })
    ])
    return known
  })
}
