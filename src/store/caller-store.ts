// Callers that are looked up when they call: tokens we have made, and services of a tenant. Nothing is kept, so that revoking counts at once.
import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { CallerStore } from '../registration/ports.ts'
import type { Caller, CallerKind } from '../registration/registration.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

/** The time of the last use is written at most this often per caller and replica. */
const USE_INTERVAL_MS = 60_000

export interface StoredCallers extends CallerStore {
  /** Remembers that the caller was here, without making anybody wait: what is lost in a failure is a minute of a date. */
  noteUse (callerId: string): void
  /** Resolves when the notes under way are written or given up. */
  settled (): Promise<void>
}

export function createCallerStore (prisma: PrismaClient, monotonicMs: () => number): StoredCallers {
  const notedAtMs = new Map<string, number>()
  const notes = new Set<Promise<unknown>>()

  return {
    findCallerByDigest: async digest => await guarded(() => findByDigest(prisma, digest)),
    async ensureServiceCaller (providerId, appId) {
      return await guarded(async () => await findService(prisma, providerId, appId) ?? await makeService(prisma, providerId, appId))
        .then(({ isRevoked, ...caller }) => isRevoked ? null : caller)
    },
    noteUse (callerId) {
      const nowMs = monotonicMs()
      const before = notedAtMs.get(callerId)
      if (before !== undefined && nowMs - before < USE_INTERVAL_MS) return
      notedAtMs.set(callerId, nowMs)
      const note: Promise<unknown> = writeUse(prisma, callerId).catch(() => undefined).finally(() => notes.delete(note))
      notes.add(note)
    },
    async settled () { await Promise.all(notes) }
  }
}

const columns = Prisma.sql`
  id::text, kind, name, provider_id::text AS "providerId", scopes, policy_id::text AS "policyId", max_registrations AS "maxRegistrations"`

// Expiry is on PostgreSQL's clock.
const isOver = Prisma.sql`(revoked_at IS NOT NULL OR coalesce(expires_at <= now(), false))`

async function findByDigest (prisma: PrismaClient, digest: Uint8Array): Promise<Caller | null> {
  // No token stands behind a service: the digest of its row is only there to be unique. With a pepper it is a configured key's.
  const [caller] = await prisma.$queryRaw<Caller[]>`
    SELECT ${columns} FROM caller
    WHERE key_digest = ${Buffer.from(digest)} AND pepper_id IS NULL AND kind <> ${'service' satisfies CallerKind} AND NOT ${isOver}`
  return caller ?? null
}

type KnownService = Caller & { isRevoked: boolean }

async function findService (prisma: PrismaClient, providerId: string, appId: string): Promise<KnownService | null> {
  const [caller] = await prisma.$queryRaw<KnownService[]>`
    SELECT ${columns}, ${isOver} AS "isRevoked" FROM caller
    WHERE key_digest = ${serviceDigest(providerId, appId)} AND kind = ${'service' satisfies CallerKind}`
  return caller ?? null
}

async function makeService (prisma: PrismaClient, providerId: string, appId: string): Promise<KnownService> {
  await prisma.caller.createMany({
    data: [{
      id: uuidv7(),
      kind: 'service' satisfies CallerKind,
      name: `entra:${appId.toLowerCase()}`,
      origin: 'broker',
      keyDigest: serviceDigest(providerId, appId),
      scopes: ['register', 'read'],
      providerId
    }],
    // Another request or replica may have been faster.
    skipDuplicates: true
  })
  const made = await findService(prisma, providerId, appId)
  if (made === null) throw new Error('The caller of a service is not there after it was made')
  return made
}

function serviceDigest (providerId: string, appId: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(`service:${providerId}:${appId.toLowerCase()}`).digest())
}

async function writeUse (prisma: PrismaClient, callerId: string): Promise<void> {
  // Several replicas note the same caller: later ones find it done.
  await prisma.$executeRaw`
    UPDATE caller SET last_used_at = now()
    WHERE id = ${callerId}::uuid AND (last_used_at IS NULL OR last_used_at < now() - ${USE_INTERVAL_MS}::float8 * interval '1 millisecond')`
}
