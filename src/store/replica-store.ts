// ReplicaStore over Prisma: which processes there are, which keys they have, and which keys this database knows by check value.
import type { EncryptionKeyState, ReplicaStore } from '../administration/encryption-keys-port.ts'
import type { PrismaClient } from './prisma-client.ts'
import { countSealedValues } from './sealed-values.ts'
import { guarded } from './store-errors.ts'

export function createReplicaStore (prisma: PrismaClient): ReplicaStore {
  return {
    remember: keys => guarded(async () => {
      await prisma.encryptionKey.createMany({
        data: keys.map(({ kid, checkValue }) => ({ kid, state: 'known', checkValue: Buffer.from(checkValue) })),
        skipDuplicates: true
      })
    }),

    list: () => guarded(async () => {
      const rows = await prisma.encryptionKey.findMany({ select: { kid: true, state: true, checkValue: true } })
      return rows.map(row => ({ ...row, state: row.state as EncryptionKeyState }))
    }),

    referencedKids: () => guarded(async () => [...(await countSealedValues(prisma)).keys()]),

    report: ({ id, version, kids, activeKid }) => guarded(async () => {
      await prisma.$executeRaw`
        INSERT INTO replica (id, version, kids, active_kid) VALUES (${id}::uuid, ${version}, ${kids}, ${activeKid})
        ON CONFLICT (id) DO UPDATE SET version = excluded.version, kids = excluded.kids, active_kid = excluded.active_kid, seen_at = now()`
      await prisma.$executeRaw`DELETE FROM replica WHERE seen_at < now() - interval '1 hour'`
    }),

    leave: id => guarded(async () => { await prisma.replica.deleteMany({ where: { id } }) })
  }
}
