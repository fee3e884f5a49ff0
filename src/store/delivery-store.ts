// DeliveryStore over Prisma: marks, windows and erasure, outside the leases.
import type { DeliveryMark, DeliveryStore } from '../registration/ports.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'
import type { StoreTimes } from './registration-store.ts'
import { guarded } from './store-errors.ts'

export function createDeliveryStore (prisma: PrismaClient, times: StoreTimes): DeliveryStore {
  return {
    markDeliveries: (marks: ReadonlyMap<string, DeliveryMark>) => guarded(async () => {
      const batch = JSON.stringify([...marks].map(([id, { outcome, ageMs }]) => ({ id, delivery: outcome, age_ms: ageMs })))
      // Delivered ends the window: who asks from then on makes a new registration. Who had asked before finds this one, by its
      // fingerprint, however long his request took to get here. What was delivered once stays delivered.
      await prisma.$executeRaw(Prisma.sql`
        UPDATE registration r SET
          delivery = m.delivery,
          delivered_at = CASE WHEN m.delivery = 'delivered' THEN date_trunc('milliseconds', now() - m.age_ms * interval '1 millisecond') END,
          redeliver_until = CASE WHEN m.delivery = 'delivered' THEN NULL ELSE r.redeliver_until END
        FROM jsonb_to_recordset(${batch}::jsonb) AS m (id uuid, delivery text, age_ms float8)
        WHERE r.id = m.id AND r.delivery <> 'delivered'
          -- What was kept when its window closed stays kept: a client that is shared is answered for as long as it lives.
          -- Nor does a mark that comes late say anything about the answer for which the window was opened again.
          AND (m.delivery = 'delivered' OR now() - m.age_ms * interval '1 millisecond'
            >= r.redeliver_until - ${times.redeliveryWindowMs}::float8 * interval '1 millisecond')`)
    }),

    extendWindow: (registrationId: string) => guarded(async () => {
      const count = await prisma.$executeRaw(Prisma.sql`
        UPDATE registration SET redeliver_until = now() + (${times.redeliveryWindowMs}::float8 * interval '1 millisecond'),
          -- The answer is sent again: until its mark comes nobody knows what became of it.
          delivery = 'pending'
        WHERE id = ${registrationId}::uuid AND redeliver_until IS NOT NULL`)
      return count === 1
    }),

    closeWindows: (limit: number) => guarded(async () => {
      const rows = await prisma.$queryRaw<{ delivery: string, count: bigint }[]>(closeWindowsStatement(limit, times))
      const count = (delivery: string) => Number(rows.find(row => row.delivery === delivery)?.count ?? 0n)
      return { undone: count('not_delivered'), unknown: count('unknown') }
    }),

    eraseExpiredSecrets: (limit: number) => guarded(async () => await prisma.$executeRaw(Prisma.sql`
      UPDATE credential SET seal_version = NULL, seal_kid = NULL, seal_wrapped_key = NULL, seal_ciphertext = NULL, erase_at = NULL, updated_at = now()
      WHERE id IN (
        SELECT c.id FROM credential c JOIN registration r ON r.id = c.registration_id
        -- While the window is open the answer may still be asked for.
        WHERE c.erase_at <= now() AND r.redeliver_until IS NULL
        ORDER BY c.erase_at LIMIT ${limit} FOR UPDATE OF c SKIP LOCKED
      )`))
  }
}

// An answer that never left, or a registration still in the making: undone. One that was sent, or not, by a process that died: nobody knows, it is kept and listed.
function closeWindowsStatement (limit: number, times: StoreTimes): Prisma.Sql {
  return Prisma.sql`
    WITH over AS (
      SELECT id FROM registration
      WHERE redeliver_until <= now()
        AND (lease_until IS NULL OR lease_until + (${times.attemptTimeoutMs}::float8 * interval '1 millisecond') < now())
      ORDER BY redeliver_until LIMIT ${limit} FOR UPDATE SKIP LOCKED
    ), closed AS (
      UPDATE registration r SET
        delivery = CASE WHEN r.delivery = 'pending' AND r.state IN ('active', 'disabled', 'drifted') THEN 'unknown' ELSE 'not_delivered' END,
        state = CASE WHEN r.delivery = 'pending' AND r.state IN ('active', 'disabled', 'drifted') THEN r.state ELSE 'undoing' END,
        due_at = CASE WHEN r.delivery = 'pending' AND r.state IN ('active', 'disabled', 'drifted') THEN r.due_at ELSE now() END,
        -- Fences whoever still believes to hold the row.
        lease_token = r.lease_token + 1,
        redeliver_until = NULL, open_fingerprint = NULL,
        -- What is undone is shared with nobody and managed by nobody.
        sharing_key = CASE WHEN r.delivery = 'pending' AND r.state IN ('active', 'disabled', 'drifted') THEN r.sharing_key END,
        management_digest = CASE WHEN r.delivery = 'pending' AND r.state IN ('active', 'disabled', 'drifted') THEN r.management_digest END,
        updated_at = now()
      FROM over WHERE r.id = over.id
      RETURNING r.delivery
    )
    SELECT delivery, count(*) AS count FROM closed GROUP BY delivery`
}
