// A page of any list on the wire: {data, meta: {page}}, as Konnect has it, and where the next one is.
import Type, { type TSchema } from 'typebox'
import type { Page } from '../../../listing/query.ts'
import { nullable, ref } from '../../plugins/openapi.ts'
import { encodeCursor } from './cursor.ts'
import type { ReadListQuery } from './list-query.ts'

/** @param row its `examples` make that of the page, @param name of the component, @param what one row is, in the plural */
export function pageSchema<Row extends TSchema> (row: Row, name: string, what: string) {
  return Type.Object({
    data: Type.Array(ref(row)),
    meta: Type.Object({
      page: Type.Object({
        size: Type.Integer({ description: `Most ${what} of a page.` }),
        number: Type.Optional(Type.Integer({ description: 'Number of this page; absent when page[after] was given.' })),
        total: Type.Integer({ description: `How many ${what} the filters match; 10001 stands for more than 10000.` }),
        next: nullable(Type.String({ description: 'Path and query of the next page, by page[after]; null on the last.' }))
      })
    })
  }, { $id: name, description: `A page of ${what}.`, ...exampleOf(row) })
}

function exampleOf (row: TSchema & { examples?: unknown }): { examples?: unknown[] } {
  if (!Array.isArray(row.examples)) return {}
  return { examples: [{ data: row.examples, meta: { page: { size: 10, number: 1, total: row.examples.length, next: null } } }] }
}

export interface PageBody<Row> {
  data: Row[]
  meta: { page: { size: number, number?: number, total: number, next: string | null } }
}

/** @param path of the list, @param parameters of this page's query: the next page has the same but for its start */
export function presentPage<Row, Body> (
  page: Page<Row>, present: (row: Row) => Body, query: ReadListQuery<string, string>, path: string, parameters: unknown
): PageBody<Body> {
  const { rows, total, next } = page
  return {
    data: rows.map(present),
    meta: {
      page: {
        size: query.size,
        ...('number' in query.start ? { number: query.start.number } : {}),
        total,
        next: next === null ? null : nextPath(path, parameters as Record<string, string>, encodeCursor(next, query.sortText))
      }
    }
  }
}

function nextPath (path: string, parameters: Readonly<Record<string, string>>, cursor: string): string {
  const { 'page[number]': _, ...kept } = parameters
  return `${path}?${new URLSearchParams({ ...kept, 'page[after]': cursor }).toString()}`
}
