// One page of a list: one row more than asked for tells whether there is a next one.
import { MAX_NUMBERED_ROW, type Filter, type ListQuery, type Page, type RowsQuery } from './query.ts'

export interface RowSource<Row, Field extends string, SortField extends string> {
  list (query: RowsQuery<Field, SortField>): Promise<Row[]>
  /** Counts no further than `limit`. */
  count (filters: ReadonlyArray<Filter<Field>>, limit: number): Promise<number>
  /** What the list is sorted by. */
  sortValueOf (row: Row, field: SortField): Date | string
}

/** A numbered page must end within MAX_NUMBERED_ROW. */
export async function readPage<Row extends { id: string }, Field extends string, SortField extends string> (
  source: RowSource<Row, Field, SortField>, { filters, sort, size, start }: ListQuery<Field, SortField>
): Promise<Page<Row>> {
  const skip = 'number' in start ? (start.number - 1) * size : 0
  if (skip + size > MAX_NUMBERED_ROW) throw new RangeError(`A numbered page must end within ${MAX_NUMBERED_ROW} rows`)
  const [found, total] = await Promise.all([
    source.list({ filters, sort, after: 'after' in start ? start.after : null, skip, limit: size + 1 }),
    source.count(filters, MAX_NUMBERED_ROW + 1)
  ])
  const rows = found.slice(0, size)
  const last = rows.at(-1)
  const next = found.length > size && last !== undefined ? { value: source.sortValueOf(last, sort.field), id: last.id } : null
  return { rows, total, next }
}
