// Whether a registration access token belongs to the client it is shown for.
import { createGatheredReads } from './gathered-reads.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export interface ShownManagementToken {
  providerId: string
  clientId: string
  /** SHA-256 of the token. */
  managementDigest: Uint8Array
}

/** An unknown client and a wrong token cost the same. */
export function createHeldLookup (prisma: PrismaClient, monotonicMs: () => number): (shown: ShownManagementToken) => Promise<boolean> {
  const reads = createGatheredReads<ShownManagementToken, true>({
    nameOf,
    read: async shown => await guarded(async () => {
      const rows = await prisma.$queryRaw<Array<{ name: string }>>`
        SELECT t.provider_id || ' ' || t.client_id || ' ' || t.digest AS name
        FROM unnest(${shown.map(({ providerId }) => providerId)}::text[], ${shown.map(({ clientId }) => clientId)}::text[], ${shown.map(hexOf)}::text[])
          AS t(provider_id, client_id, digest)
        JOIN registration r ON r.provider_id = t.provider_id::uuid AND r.client_id = t.client_id::uuid
        WHERE decode(t.digest, 'hex') IN (r.management_digest, r.previous_management_digest)`
      return new Map(rows.map(({ name }) => [name, true]))
    }),
    monotonicMs
  })
  return async shown => await reads.find(shown) !== null
}

function nameOf (shown: ShownManagementToken): string {
  return `${shown.providerId} ${shown.clientId} ${hexOf(shown)}`
}

function hexOf ({ managementDigest }: ShownManagementToken): string {
  return Buffer.from(managementDigest).toString('hex')
}
