// The tenant's budget of Graph writes, shared by all replicas: whoever takes a lease takes its share of writes with it, in the same statement.
// A leaky bucket on PostgreSQL's clock (the "virtual scheduling" form): one timestamp per provider says up to when the budget is spent.
import { Prisma } from './generated/client.ts'

/** Unused budget is kept for this long: short bursts go through at once. Entra counts over 150 s. */
const BURST_MS = 5_000

/** Writes a lease is charged with. A registration makes three; other operations one to three. */
export const WRITES_PER_LEASE = 3

/**
 * A CTE's body: charges the providers of the rows in `leased` (a CTE with `provider_id`) and yields `provider_id, wait_ms`.
 * @param writesPerSecond 0: no limit, nothing is charged
 */
export function spendWrites (leased: string, writesPerSecond: number): Prisma.Sql {
  if (writesPerSecond === 0) return Prisma.sql`SELECT NULL::uuid AS provider_id, 0::float8 AS wait_ms WHERE false`
  const costMs = WRITES_PER_LEASE * 1_000 / writesPerSecond
  return Prisma.sql`
    UPDATE provider p SET writes_spent_until = greatest(p.writes_spent_until, now()) + c.rows * ${costMs}::float8 * interval '1 millisecond'
    FROM (SELECT l.provider_id, count(*) AS rows FROM ${Prisma.raw(leased)} l GROUP BY l.provider_id) c
    WHERE p.id = c.provider_id
    RETURNING p.id AS provider_id,
      greatest(0, extract(epoch FROM p.writes_spent_until - now()) * 1000 - c.rows * ${costMs}::float8 - ${BURST_MS}::float8)::float8 AS wait_ms`
}
