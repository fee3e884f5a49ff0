// Callers that are looked up when they call: tokens we have made, services and operators of a tenant. None is kept, so that revoking counts
// at once; what is kept for a second is that nobody has ever made a token.
import { createHash } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { CallerOrigin, Scope } from '../administration/callers-port.ts'
import type { CallerStore } from '../registration/ports.ts'
import type { Caller, CallerKind } from '../registration/registration.ts'
import { Prisma } from './generated/client.ts'
import type { Database } from './prisma-client.ts'
import { createGatheredReads } from './gathered-reads.ts'
import type { RunStatement } from './statements.ts'
import { guarded } from './store-errors.ts'
import { createUnknownLately } from './unknown-lately.ts'

/** The time of the last use is written at most this often per caller and replica. */
const USE_INTERVAL_MS = 60_000

/** What an operator with a token of Entra may do at most, unless his row says less. */
const operatorScopes: readonly Scope[] = ['register', 'read', 'rotate', 'delete', 'admin', 'audit']

export interface StoredCallers extends CallerStore {
  /**
   * The caller of an operator who shows a token of Entra, made at the first time; null when it is revoked or over.
   *
   * @param tenant id of the provider whose tenant has issued the token, @param providerId what he is bound to, @param identity object or application id
   */
  ensureOperatorCaller (tenant: string, providerId: string | null, identity: string): Promise<Caller | null>
  /** Remembers that the caller was here, without making anybody wait: what is lost in a failure is a minute of a date. */
  noteUse (callerId: string): void
  /** Resolves when the notes under way are written or given up. */
  settled (): Promise<void>
}

export function createCallerStore (database: Pick<Database, 'prisma' | 'run'>, monotonicMs: () => number): StoredCallers {
  const notedAtMs = new Map<string, number>()
  const notes = new Set<Promise<unknown>>()
  const unknown = createUnknownLately(monotonicMs)
  const byDigest = createGatheredReads<Uint8Array, KnownCaller>({
    nameOf: nameOfDigest,
    read: async digests => await guarded(() => findByDigests(database.run, digests)),
    monotonicMs
  })

  return {
    async findCallerByDigest (digest) {
      const name = nameOfDigest(digest)
      if (unknown.has(name)) return null
      const known = await byDigest.find(digest)
      if (known === null) {
        unknown.add(name)
        return null
      }
      // An operator may give one whose time was over another end.
      const { isOver: isShutOut, ...caller } = known
      return isShutOut ? null : caller
    },
    ensureServiceCaller: async (providerId, appId) => await ensure(database, {
      kind: 'service', identity: `service:${providerId}:${appId.toLowerCase()}`, name: appId, scopes: ['register', 'read'], providerId
    }),
    ensureOperatorCaller: async (tenant, providerId, identity) => await ensure(database, {
      kind: 'operator', identity: `operator:${tenant}:${identity.toLowerCase()}`, name: identity, scopes: [...operatorScopes], providerId
    }),
    noteUse (callerId) {
      const nowMs = monotonicMs()
      const before = notedAtMs.get(callerId)
      if (before !== undefined && nowMs - before < USE_INTERVAL_MS) return
      notedAtMs.set(callerId, nowMs)
      const note: Promise<unknown> = writeUse(database.run, callerId).catch(() => undefined).finally(() => notes.delete(note))
      notes.add(note)
    },
    async settled () { await Promise.all(notes) }
  }
}

const columns = Prisma.sql`
  id::text, kind, name, provider_id::text AS "providerId", scopes, policy_id::text AS "policyId", max_registrations AS "maxRegistrations"`

// Expiry is on PostgreSQL's clock.
const isOver = Prisma.sql`(revoked_at IS NOT NULL OR coalesce(expires_at <= now(), false))`

async function findByDigests (run: RunStatement, digests: readonly Uint8Array[]): Promise<Map<string, KnownCaller>> {
  // No token stands behind what the broker itself makes: such a digest is only there to be unique. With a pepper it is a configured key's.
  const rows = await run<KnownCaller & { digest: string }>(Prisma.sql`
    SELECT encode(key_digest, 'hex') AS digest, ${columns}, ${isOver} AS "isOver" FROM caller
    WHERE key_digest IN (SELECT decode(unnest(${digests.map(nameOfDigest)}::text[]), 'hex'))
      AND pepper_id IS NULL AND origin <> ${'broker' satisfies CallerOrigin}`)
  return new Map(rows.map(({ digest, ...caller }) => [digest, caller]))
}

function nameOfDigest (digest: Uint8Array): string {
  return Buffer.from(digest).toString('hex')
}

/** Somebody who shows a token of Entra. */
interface EntraCaller {
  kind: CallerKind
  /** What is unique about it. */
  identity: string
  /** Application or object id. */
  name: string
  /** Of a new one. */
  scopes: string[]
  providerId: string | null
}

type KnownCaller = Caller & { isOver: boolean }

/** Null: an operator has revoked it, or its time is over. */
async function ensure (database: Pick<Database, 'prisma' | 'run'>, wanted: EntraCaller): Promise<Caller | null> {
  const { isOver: isShutOut, ...caller } = await guarded(async () => await findEntraCaller(database.run, wanted) ?? await makeEntraCaller(database, wanted))
  return isShutOut ? null : caller
}

async function findEntraCaller (run: RunStatement, { kind, identity }: EntraCaller): Promise<KnownCaller | null> {
  const [caller] = await run<KnownCaller>(Prisma.sql`
    SELECT ${columns}, ${isOver} AS "isOver" FROM caller WHERE key_digest = ${digestOf(identity)} AND kind = ${kind}`)
  return caller ?? null
}

async function makeEntraCaller ({ prisma, run }: Pick<Database, 'prisma' | 'run'>, wanted: EntraCaller): Promise<KnownCaller> {
  const { kind, identity, name, scopes, providerId } = wanted
  await prisma.caller.createMany({
    data: [{
      id: uuidv7(), kind, name: `entra:${name.toLowerCase()}`, origin: 'broker' satisfies CallerOrigin, keyDigest: digestOf(identity), scopes, providerId
    }],
    // Another request or replica may have been faster.
    skipDuplicates: true
  })
  const made = await findEntraCaller(run, wanted)
  if (made === null) throw new Error('The caller of an Entra token is not there after it was made')
  return made
}

function digestOf (identity: string): Buffer<ArrayBuffer> {
  return Buffer.from(createHash('sha256').update(identity).digest())
}

async function writeUse (run: RunStatement, callerId: string): Promise<void> {
  // Several replicas note the same caller: later ones find it done.
  await run(Prisma.sql`
    UPDATE caller SET last_used_at = now()
    WHERE id = ${callerId}::uuid AND (last_used_at IS NULL OR last_used_at < now() - ${USE_INTERVAL_MS}::float8 * interval '1 millisecond')`)
}
