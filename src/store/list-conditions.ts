// Filters, order and position of a list, as Prisma's conditions. Which column a field is stands with each list.
import type { Filter, ListPosition, Sort } from '../listing/query.ts'
import { Prisma } from './generated/client.ts'

export interface ListedColumn {
  /** Through relations to the column, e.g. ['provider', 'name']. */
  path: readonly string[]
  /** A row can be without a value. */
  optional?: true
}

const LABEL = /^labels\.(.+)$/

export function conditionOf (filter: Filter, columns: Readonly<Record<string, ListedColumn>>): object {
  const [, label] = LABEL.exec(filter.field) ?? []
  if (label !== undefined) return labelCondition(filter, label)
  const column = columns[filter.field]
  if (column === undefined) throw new Error(`The list has no column ${filter.field}`)
  const at = (test: unknown) => nested(column.path, test)
  switch (filter.operator) {
    case 'exists': return at({ not: null })
    case 'contains': return { OR: filter.values.map(text => at({ contains: literal(text), mode: 'insensitive' })) }
    case 'in': return at({ in: [...filter.values] })
    // SQL: a row without a value is neither equal nor unequal to one.
    case 'not_in': return column.optional === true ? { OR: [at({ notIn: [...filter.values] }), at(null)] } : at({ notIn: [...filter.values] })
    default: return at({ [filter.operator]: filter.time })
  }
}

export function orderOf<Field extends string> ({ field, descending }: Sort<Field>): Array<Record<string, 'asc' | 'desc'>> {
  const direction = descending ? 'desc' : 'asc'
  return [{ [field]: direction }, { id: direction }]
}

/** (value, id) behind the position. The first condition alone bounds the scan of the index; an OR of both would not. */
export function behind ({ value, id }: ListPosition, { field, descending }: Sort): object {
  const [beyond, upTo] = descending ? ['lt', 'lte'] as const : ['gt', 'gte'] as const
  return { [field]: { [upTo]: value }, OR: [{ [field]: { [beyond]: value } }, { id: { [beyond]: id } }] }
}

function labelCondition (filter: Filter, label: string): object {
  const at = (test: object) => ({ labels: { path: [label], ...test } })
  const isOneOf = (values: readonly string[]) => ({ OR: values.map(value => at({ equals: value })) })
  if (filter.operator === 'in') return isOneOf(filter.values)
  // SQL: a row without the label is neither equal nor unequal.
  if (filter.operator === 'not_in') return { OR: [{ NOT: isOneOf(filter.values) }, at({ equals: Prisma.DbNull })] }
  if (filter.operator === 'exists') return at({ not: Prisma.DbNull })
  throw new Error(`Labels have no ${filter.operator}`)
}

function nested (path: readonly string[], test: unknown): object {
  return path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), test) as object
}

// Prisma hands the text to LIKE as it is.
function literal (text: string): string {
  return text.replaceAll(/[\\%_]/g, '\\$&')
}
