// What a schema is to the code that works on it, read from PostgreSQL's catalogue, and what of a newer one would break the older code.
import type { TestDatabase } from './postgres.ts'

interface Column { type: string, isRequired: boolean, hasDefault: boolean }
interface Index { table: string, columns: string[], isUnique: boolean, definition: string }
interface Constraint { table: string, columns: string[], kind: string, definition: string }

export interface Catalogue {
  /** By `table.column`. */
  columns: Map<string, Column>
  indexes: Map<string, Index>
  /** CHECK, FOREIGN KEY, PRIMARY KEY, UNIQUE, EXCLUDE; by `table.name`. */
  constraints: Map<string, Constraint>
  /** By `table.name`. */
  triggers: Map<string, { table: string, definition: string }>
  /** By `type.label`. */
  enumLabels: Set<string>
}

export async function catalogueOf (query: TestDatabase['query']): Promise<Catalogue> {
  const inPublic = "relnamespace = 'public'::regnamespace"
  const columns = await query<Column & { name: string }>(`SELECT concat(relname, '.', attname) AS name, format_type(atttypid, atttypmod) AS type,
    attnotnull AS "isRequired", atthasdef OR attidentity <> '' AS "hasDefault"
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid WHERE ${inPublic} AND relkind = 'r' AND attnum > 0 AND NOT attisdropped`)
  const indexes = await query<Index & { name: string }>(`SELECT own.relname AS name, of.relname AS "table", indisunique AS "isUnique", pg_get_indexdef(indexrelid) AS definition,
    array(SELECT attname::text FROM pg_attribute WHERE attrelid = of.oid AND attnum = ANY(indkey)) AS columns
    FROM pg_index JOIN pg_class AS own ON own.oid = indexrelid JOIN pg_class AS of ON of.oid = indrelid WHERE of.${inPublic}`)
  const constraints = await query<Constraint & { name: string }>(`SELECT concat(relname, '.', conname) AS name, relname AS "table", contype AS kind, pg_get_constraintdef(pg_constraint.oid) AS definition,
    array(SELECT attname::text FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY(conkey)) AS columns
    FROM pg_constraint JOIN pg_class ON pg_class.oid = conrelid WHERE ${inPublic} AND contype <> 'n'`)
  const triggers = await query<{ name: string, table: string, definition: string }>(`SELECT concat(relname, '.', tgname) AS name, relname AS "table", pg_get_triggerdef(pg_trigger.oid) AS definition
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid WHERE ${inPublic} AND NOT tgisinternal`)
  const labels = await query<{ name: string }>("SELECT concat(typname, '.', enumlabel) AS name FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid")
  const byName = <Row extends { name: string }>(rows: Row[]) => new Map(rows.map(({ name, ...row }) => [name, row]))
  return {
    columns: byName(columns.rows),
    indexes: byName(indexes.rows),
    constraints: byName(constraints.rows),
    triggers: byName(triggers.rows),
    enumLabels: new Set(labels.rows.map(({ name }) => name))
  }
}

/** Sentences about what code made for the older schema could not live with; empty when the newer one only adds. */
export function breaches (older: Catalogue, newer: Catalogue): string[] {
  const found: string[] = []
  const gone = (kind: string, names: Iterable<string>, has: (name: string) => boolean): void => {
    for (const name of names) if (!has(name)) found.push(`the ${kind} ${name} is gone`)
  }
  gone('column', older.columns.keys(), name => newer.columns.has(name))
  gone('index', older.indexes.keys(), name => newer.indexes.has(name))
  gone('trigger', older.triggers.keys(), name => newer.triggers.has(name))
  gone('value', older.enumLabels, name => newer.enumLabels.has(name))
  found.push(...columnBreaches(older, newer), ...uniquenessBreaches(older, newer), ...constraintBreaches(older, newer))
  return found.sort()
}

const tablesOf = ({ columns }: Catalogue): Set<string> => new Set([...columns.keys()].map(name => name.split('.', 1)[0] ?? ''))

function columnBreaches (older: Catalogue, newer: Catalogue): string[] {
  const tables = tablesOf(older)
  return [...newer.columns].flatMap(([name, column]) => {
    const before = older.columns.get(name)
    const mustBeGiven = column.isRequired && !column.hasDefault
    if (before === undefined) return tables.has(name.split('.', 1)[0] ?? '') && mustBeGiven ? [`the new column ${name} must be given`] : []
    return [
      ...before.type === column.type ? [] : [`the column ${name} is ${column.type} instead of ${before.type}`],
      ...column.isRequired && !before.isRequired ? [`the column ${name} can't be null any more`] : [],
      ...before.hasDefault && !column.hasDefault && column.isRequired ? [`the column ${name} has lost its default`] : []
    ]
  })
}

function uniquenessBreaches (older: Catalogue, newer: Catalogue): string[] {
  const tables = tablesOf(older)
  return [...newer.indexes].flatMap(([name, { table, columns, isUnique, definition }]) => {
    const before = older.indexes.get(name)
    // ON CONFLICT names the columns and the condition of an index.
    if (before !== undefined) return before.isUnique && before.definition !== definition ? [`the unique index ${name} is another`] : before.isUnique || !isUnique ? [] : [`the index ${name} is unique now`]
    return isUnique && tables.has(table) && !columns.some(column => isLeftNull(older, newer, `${table}.${column}`)) ? [`the new index ${name} is unique over what older code writes`] : []
  })
}

/** Older code leaves it null, which is equal to nothing. */
function isLeftNull (older: Catalogue, newer: Catalogue, name: string): boolean {
  const column = newer.columns.get(name)
  return !older.columns.has(name) && column !== undefined && !column.isRequired && !column.hasDefault
}

function constraintBreaches (older: Catalogue, newer: Catalogue): string[] {
  const tables = tablesOf(older)
  const constraints = [...newer.constraints].filter(([, { table }]) => tables.has(table)).flatMap(([name, constraint]) => {
    const before = older.constraints.get(name)
    if (before !== undefined) return isWider(before.definition, constraint.definition) ? [] : [`the constraint ${name} is another: ${constraint.definition}`]
    if (constraint.kind === 'u' || constraint.kind === 'p') return [] // by their indexes
    const old = constraint.columns.filter(column => older.columns.has(`${constraint.table}.${column}`))
    return old.length === 0 && constraint.columns.length > 0 ? [] : [`the new constraint ${name} is about what older code writes: ${constraint.definition}`]
  })
  const triggers = [...newer.triggers].filter(([name, { table, definition }]) => tables.has(table) && older.triggers.get(name)?.definition !== definition)
  return [...constraints, ...triggers.map(([name]) => `the trigger ${name} is new or another`)]
}

/** The same words, with more values to choose from. */
function isWider (before: string, now: string): boolean {
  const values = (text: string): string[] => text.match(/'[^']*'/g) ?? []
  const words = (text: string): string => text.replaceAll(/'[^']*'(::\w+)?(, )?/g, '')
  return words(before) === words(now) && values(before).every(value => values(now).includes(value))
}
