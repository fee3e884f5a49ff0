// What a list is asked for, whatever it lists: conditions, order, page. A surface reads it, the store translates it.

/**
 * One condition; several are joined by and. `values` are joined by or. `contains` disregards case.
 * A field `labels.<key>` is the label of that key.
 */
export type Filter<Field extends string = string> =
  | { field: Field, operator: 'in' | 'not_in' | 'contains', values: readonly string[] }
  | { field: Field, operator: 'exists' }
  | { field: Field, operator: 'lt' | 'lte' | 'gt' | 'gte', time: Date }

/** The id decides between equal values, in the same direction. */
export interface Sort<Field extends string = string> {
  field: Field
  descending: boolean
}

/** The last row of the page before: the next page starts behind it. */
export interface ListPosition {
  value: Date | string
  id: string
}

/** Numbered pages end here: skipping rows costs as much as reading them. */
export const MAX_NUMBERED_ROW = 10_000

/** A page by its number (from 1), or the one behind a position. */
export type PageStart = { number: number } | { after: ListPosition }

export interface ListQuery<Field extends string = string, SortField extends string = string> {
  filters: ReadonlyArray<Filter<Field>>
  sort: Sort<SortField>
  /** Rows of a page. */
  size: number
  start: PageStart
}

export interface Page<Row> {
  rows: Row[]
  /** How many there are; 10,001 stands for more than 10,000. */
  total: number
  /** Where the next page starts; null on the last. */
  next: ListPosition | null
}

/** What the store is asked for. */
export interface RowsQuery<Field extends string = string, SortField extends string = string> {
  filters: ReadonlyArray<Filter<Field>>
  sort: Sort<SortField>
  after: ListPosition | null
  /** Rows to leave out, after `after`. */
  skip: number
  limit: number
}
