// Every sealed value of the database, whatever it is: one list of the tables that have any.
import type { Rewrapped, SealedValue } from '../administration/encryption-keys-port.ts'
import type { SealedPlace } from '../registration/ports.ts'
import { Prisma } from './generated/client.ts'
import type { PrismaClient } from './prisma-client.ts'

/** The tables, and the name of what each seals: a part of the place its values are bound to. */
const tables = { credential: 'secret', provider_credential: 'secret', idempotency_record: 'answer' } as const
type Table = keyof typeof tables
const tableNames = Object.keys(tables) as Table[]

type Reading = Pick<PrismaClient, '$queryRaw'>

interface SealedRow { id: string, seal_version: number, seal_kid: string, seal_wrapped_key: Uint8Array, seal_ciphertext: Uint8Array }

export interface SealedValueCount { kid: string, count: number }

const kidsOfAll = tableNames.map(table => Prisma.sql`SELECT seal_kid AS kid FROM ${Prisma.raw(table)} WHERE seal_kid IS NOT NULL`)
export const sealedValueCounts = Prisma.sql`
  SELECT kid, count(*)::int AS count FROM (${Prisma.join(kidsOfAll, ' UNION ALL ')}) sealed GROUP BY kid`

/** By kid. */
export async function countSealedValues (prisma: Reading): Promise<ReadonlyMap<string, number>> {
  const rows = await prisma.$queryRaw<SealedValueCount[]>(sealedValueCounts)
  return new Map(rows.map(({ kid, count }) => [kid, count]))
}

/** By table and id, behind a place. */
export async function readSealedUnder (prisma: Reading, kid: string, after: SealedPlace | null, limit: number): Promise<SealedValue[]> {
  const values: SealedValue[] = []
  for (const table of tableNames.slice(after === null ? 0 : tableNames.indexOf(after.table as Table))) {
    const behind = after?.table === table ? Prisma.sql`AND t.id > ${after.rowId}::uuid` : Prisma.empty
    // t.id, in the order of the index: a bare id would be the text that is selected, and all values would be sorted for each slice.
    const rows = await prisma.$queryRaw<SealedRow[]>`
      SELECT t.id::text, t.seal_version, t.seal_kid, t.seal_wrapped_key, t.seal_ciphertext FROM ${Prisma.raw(table)} t
      WHERE t.seal_kid = ${kid} ${behind} ORDER BY t.id LIMIT ${limit - values.length}`
    values.push(...rows.map(row => toValue(table, row)))
    if (values.length >= limit) break
  }
  return values
}

/** Only where key and wrapping are still what they were: whoever changed or erased the value meanwhile wins. */
export async function writeWrapping (prisma: Pick<PrismaClient, '$executeRaw'>, values: readonly Rewrapped[]): Promise<number> {
  let written = 0
  for (const table of tableNames) {
    const rows = values.filter(({ place }) => place.table === table).map(({ place, before, sealed }) => ({
      id: place.rowId, old_kid: before.kid, old_key: hex(before.wrappedKey), new_kid: sealed.kid, new_key: hex(sealed.wrappedKey)
    }))
    if (rows.length === 0) continue
    written += await prisma.$executeRaw`
      UPDATE ${Prisma.raw(table)} t SET seal_kid = n.new_kid, seal_wrapped_key = decode(n.new_key, 'hex')
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS n(id uuid, old_kid text, old_key text, new_kid text, new_key text)
      WHERE t.id = n.id AND t.seal_kid = n.old_kid AND t.seal_wrapped_key = decode(n.old_key, 'hex')`
  }
  return written
}

function toValue (table: Table, row: SealedRow): SealedValue {
  return {
    place: { table, rowId: row.id, column: tables[table] },
    sealed: { version: row.seal_version, kid: row.seal_kid, wrappedKey: row.seal_wrapped_key, ciphertext: row.seal_ciphertext }
  }
}

function hex (bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
