// The tenant's budget of Graph writes, shared by all replicas. A leaky bucket on PostgreSQL's clock (the "virtual scheduling" form):
// one timestamp per provider says up to when the budget is spent. Who is charged has a turn and keeps it, however long it has to wait.
import { Prisma } from './generated/client.ts'

/** Unused budget is kept for this long: short bursts go through at once. Entra counts over 150 s. */
const BURST_MS = 5_000

/** Writes a turn is charged with. A registration makes three; other operations one to three. */
export const WRITES_PER_TURN = 3

/**
 * Charges one turn to the provider that `source` yields (a query with `provider_id`, one row or none) and yields `wait_ms` until it begins.
 * @param writesPerSecond 0: no limit, nothing is charged
 */
export function spendWrites (source: Prisma.Sql, writesPerSecond: number): Prisma.Sql {
  if (writesPerSecond === 0) return Prisma.sql`SELECT 0::float8 AS wait_ms WHERE false`
  const costMs = WRITES_PER_TURN * 1_000 / writesPerSecond
  return Prisma.sql`
    UPDATE provider p SET writes_spent_until = greatest(p.writes_spent_until, now()) + ${costMs}::float8 * interval '1 millisecond'
    FROM (${source}) charged WHERE p.id = charged.provider_id
    RETURNING greatest(0, extract(epoch FROM p.writes_spent_until - now()) * 1000 - ${costMs}::float8 - ${BURST_MS}::float8)::float8 AS wait_ms`
}
