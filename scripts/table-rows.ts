// The rows of a database as INSERT statements that any later schema takes: columns are named, referred rows come before those that refer.
import type { TestDatabase } from '../test/support/postgres.ts'

/** Prisma's own record is no data. */
const NOT_DATA = '_prisma_migrations'

type Query = TestDatabase['query']

/** Names of the tables with data, in an order in which they can be filled. */
export async function tablesOf (query: Query): Promise<string[]> {
  const { rows } = await query<{ name: string, needs: string[] }>(`SELECT relname AS name, array(
      SELECT DISTINCT confrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND conrelid = pg_class.oid AND confrelid <> pg_class.oid
    ) AS needs FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> '${NOT_DATA}' ORDER BY relname`)
  const ordered: string[] = []
  while (ordered.length < rows.length) {
    const next = rows.find(({ name, needs }) => !ordered.includes(name) && needs.every(needed => ordered.includes(needed)))
    if (next === undefined) throw new Error('Tables refer to each other in a circle')
    ordered.push(next.name)
  }
  return ordered
}

/** One statement a row, of all tables or the given ones. */
export async function insertsOf (query: Query, tables?: readonly string[]): Promise<string> {
  const statements: string[] = []
  for (const table of tables ?? await tablesOf(query)) {
    const { rows: columns } = await query<{ name: string }>(
      "SELECT attname AS name FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum", [table])
    const names = columns.map(({ name }) => `"${name}"`)
    const values = names.map(name => `quote_nullable(${name}::text)`).join(', ')
    const { rows } = await query<{ values: string }>(`SELECT array_to_string(ARRAY[${values}], ', ') AS values FROM "${table}" ORDER BY 1`)
    statements.push(...rows.map(row => `INSERT INTO "${table}" (${names.join(', ')}) OVERRIDING SYSTEM VALUE VALUES (${row.values});`))
  }
  return `${statements.join('\n')}\n`
}
