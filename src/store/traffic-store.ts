// TrafficStore over Prisma: what all replicas together send to a tenant. The budget of writes is a leaky bucket on PostgreSQL's clock (the
// "virtual scheduling" form): one timestamp per provider says up to when it is spent.
import type { TrafficStore } from '../registration/ports.ts'
import type { WriteBudget } from '../registration/traffic/write-queue.ts'
import type { PrismaClient } from './prisma-client.ts'
import { guarded } from './store-errors.ts'

export function createTrafficStore (prisma: PrismaClient, { writesPerSecond, burst }: WriteBudget): TrafficStore {
  const msPerWrite = writesPerSecond === 0 ? 0 : 1_000 / writesPerSecond
  const burstMs = burst * msPerWrite

  return {
    takeWrites: (providerId, writes) => guarded(async () => {
      const costMs = writes * msPerWrite
      const [row] = await prisma.$queryRaw<Array<{ spent_for_ms: number }>>`
        UPDATE provider SET writes_spent_until = greatest(writes_spent_until, now()) + ${costMs}::float8 * interval '1 millisecond'
        WHERE id = ${providerId}::uuid
        RETURNING (extract(epoch FROM writes_spent_until - now()) * 1000 - ${burstMs}::float8)::float8 AS spent_for_ms`
      const spentForMs = row?.spent_for_ms ?? 0
      return { beginInMs: Math.max(0, spentForMs - costMs), spentForMs }
    }),

    pauseProvider: (providerId, ms) => guarded(async () => {
      const pause = `${ms} milliseconds`
      await prisma.$executeRaw`
        UPDATE provider SET paused_until = greatest(paused_until, now() + ${pause}::interval),
          writes_spent_until = greatest(writes_spent_until, now() + ${pause}::interval + ${burstMs}::float8 * interval '1 millisecond')
        WHERE id = ${providerId}::uuid`
    }),

    pauses: () => guarded(async () => {
      const rows = await prisma.$queryRaw<Array<{ id: string, ms: number }>>`
        SELECT id::text, (extract(epoch FROM paused_until - now()) * 1000)::float8 AS ms FROM provider WHERE paused_until > now()`
      return new Map(rows.map(({ id, ms }) => [id, ms]))
    })
  }
}
