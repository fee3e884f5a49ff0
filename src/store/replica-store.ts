// ReplicaStore over PostgreSQL: which processes there are, which keys they have, and which keys this database knows by check value.
import type { EncryptionKeyState, ReplicaStore } from '../administration/encryption-keys-port.ts'
import { Prisma } from './generated/client.ts'
import { sealedValueCounts, type SealedValueCount } from './sealed-values.ts'
import type { RunStatement } from './statements.ts'
import { guarded } from './store-errors.ts'

export function createReplicaStore (run: RunStatement): ReplicaStore {
  return {
    remember: keys => guarded(async () => {
      const [kids, values] = [keys.map(({ kid }) => kid), keys.map(({ checkValue }) => Buffer.from(checkValue).toString('hex'))]
      await run(Prisma.sql`
        INSERT INTO encryption_key (kid, state, check_value)
        SELECT kid, 'known', decode(value, 'hex') FROM unnest(${kids}::text[], ${values}::text[]) AS k(kid, value)
        ON CONFLICT DO NOTHING`)
    }),

    list: () => guarded(async () =>
      await run<{ kid: string, state: EncryptionKeyState, checkValue: Uint8Array }>(Prisma.sql`SELECT kid, state, check_value AS "checkValue" FROM encryption_key`)),

    referencedKids: () => guarded(async () => (await run<SealedValueCount>(sealedValueCounts)).map(({ kid }) => kid)),

    report: ({ id, version, kids, activeKid }) => guarded(async () => {
      await run(Prisma.sql`
        INSERT INTO replica (id, version, kids, active_kid) VALUES (${id}::uuid, ${version}, ${kids}::text[], ${activeKid})
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, kids = excluded.kids, active_kid = excluded.active_kid, seen_at = now()`)
      await run(Prisma.sql`DELETE FROM replica WHERE seen_at < now() - interval '1 hour'`)
    }),

    leave: id => guarded(async () => { await run(Prisma.sql`DELETE FROM replica WHERE id = ${id}::uuid`) })
  }
}
