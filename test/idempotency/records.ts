// What the database has of an idempotency key.
import { createHash } from 'node:crypto'
import type { TestDatabase } from '../support/postgres.ts'

export interface Recorded {
  id: string
  state: string
  attempt: number
  status: number | null
  resource: string | null
  sealed: boolean
}

/** The only record of this key, whoever has shown it. */
export async function recordOf (database: TestDatabase, key: string): Promise<Recorded | undefined> {
  const { rows: [row] } = await database.query<Recorded & Record<string, unknown>>(`
    SELECT id::text, state, attempt, status, resource_id::text AS resource, seal_ciphertext IS NOT NULL AS sealed FROM idempotency_record WHERE key_digest = $1`,
  [createHash('sha256').update(key).digest()])
  return row
}

export async function registrationIdOf (database: TestDatabase, clientId: string): Promise<string> {
  const { rows: [row] } = await database.query<{ id: string }>('SELECT id::text FROM registration WHERE client_id = $1', [clientId])
  if (row === undefined) throw new Error(`There is no client ${clientId}`)
  return row.id
}

/** As if the request that holds the key had died so long ago that its lease is over. */
export async function endLease (database: TestDatabase, key: string): Promise<void> {
  await database.query("UPDATE idempotency_record SET lease_until = now() WHERE key_digest = $1 AND state = 'in_flight'", [createHash('sha256').update(key).digest()])
}
