// EncryptionKeyStore over Prisma. Every change writes its audit event in its own transaction.
import type { EncryptionKeyState, EncryptionKeyStore, KeyOverview } from '../administration/encryption-keys-port.ts'
import { audited } from './administration.ts'
import type { PrismaClient } from './prisma-client.ts'
import { countSealedValues, readSealedUnder, writeWrapping } from './sealed-values.ts'
import { guarded } from './store-errors.ts'

type Transaction = Pick<PrismaClient, '$queryRaw' | '$executeRaw' | 'encryptionKey' | 'auditEvent'>

interface ReplicaRow { id: string, version: string, kids: string[], activeKid: string, startedAt: Date, seenAt: Date }

export function createEncryptionKeyStore (prisma: PrismaClient): EncryptionKeyStore {
  return {
    overview: () => guarded(() => readOverview(prisma)),

    activate: (kid, by, judge) => guarded(async () => await prisma.$transaction(async transaction => {
      await lock(transaction)
      const overview = await readOverview(transaction)
      judge(overview)
      // Until the first activation each replica seals under what its file says.
      const replaced = overview.keys.filter(({ state }) => state === 'active').map(key => key.kid)
      const used = replaced.length > 0 ? replaced : overview.replicas.map(({ activeKid }) => activeKid)
      await transaction.$executeRaw`
        UPDATE encryption_key SET state = 'known', replaced_at = now() WHERE kid = ANY(${used}) AND kid <> ${kid} AND state <> 'retired'`
      await transaction.$executeRaw`UPDATE encryption_key SET state = 'active', activated_at = now(), replaced_at = NULL WHERE kid = ${kid}`
      await audited(transaction, by, 'encryption_key.activated', null, { kid, replaced: used.filter(each => each !== kid) })
    })),

    retire: (kid, by, judge) => guarded(async () => await prisma.$transaction(async transaction => {
      await lock(transaction)
      const [clock] = await transaction.$queryRaw<Array<{ now: Date }>>`SELECT now() AS now`
      judge(await readOverview(transaction), clock?.now ?? new Date())
      await transaction.$executeRaw`UPDATE encryption_key SET state = 'retired', retired_at = now() WHERE kid = ${kid}`
      await audited(transaction, by, 'encryption_key.retired', null, { kid })
    })),

    sealedUnder: (kid, after, limit) => guarded(() => readSealedUnder(prisma, kid, after, limit)),
    replaceWrapping: values => guarded(() => writeWrapping(prisma, values)),
    noteRewrap: (by, kid, rewrapped) => guarded(async () => {
      await audited(prisma, by, 'encryption_key.rewrapped', null, { kid, values: rewrapped })
    })
  }
}

/** Reports of replicas and other changes of keys wait until this transaction has ended. */
async function lock (transaction: Transaction): Promise<void> {
  await transaction.$executeRaw`LOCK TABLE encryption_key, replica IN SHARE ROW EXCLUSIVE MODE`
}

async function readOverview (prisma: Pick<PrismaClient, '$queryRaw' | 'encryptionKey'>): Promise<KeyOverview> {
  const keys = await prisma.encryptionKey.findMany({ omit: { checkValue: true }, orderBy: [{ createdAt: 'asc' }, { kid: 'asc' }] })
  const replicas = await prisma.$queryRaw<ReplicaRow[]>`
    SELECT id::text, version, kids, active_kid AS "activeKid", started_at AS "startedAt", seen_at AS "seenAt"
    FROM replica WHERE seen_at > now() - interval '30 seconds' ORDER BY started_at, id`
  return { keys: keys.map(key => ({ ...key, state: key.state as EncryptionKeyState })), replicas, sealedValues: await countSealedValues(prisma) }
}
