// The query of a list -> a query of the core. All faults are found at once.
import type { FastifyInstance, FastifySchemaCompiler } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { MAX_NUMBERED_ROW, type Filter, type ListQuery, type PageStart, type Sort } from '../../../listing/query.ts'
import { invalidParametersError } from '../problems.ts'
import type { InvalidParameter } from '../invalid-parameters.ts'
import { decodeCursor } from './cursor.ts'
import { describeFilters, isFault, readFilter } from './filters.ts'
import type { Fault, ListShape } from './shape.ts'

const DEFAULT_SIZE = 10
const MAX_SIZE = 100
const NO_FILTERS: readonly string[] = ['sort', 'page[size]', 'page[number]', 'page[after]']

/** A query as it was read, and what its answer repeats. */
export interface ReadListQuery<Column extends string, SortColumn extends string> extends ListQuery<Column, SortColumn> {
  /** In its full form, e.g. `created_at desc`. */
  sortText: string
}

/** What the document says about the query. Reading it is readListQuery's business. */
export function listQuerySchema (shape: ListShape) {
  const labels = shape.hasLabels === true
    ? { 'filter[labels.<key>]': Type.Optional(Type.String({ description: 'The label of this key is the value; without a value: there is one. Also with [eq], [neq] and [oeq].' })) }
    : {}
  const properties: Record<string, TSchema> = {
    sort: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: sortsOf(shape), default: shape.defaultSort, description: 'Ascending unless it ends with " desc".' })),
    'page[size]': Type.Optional(Type.Unsafe<string>({ type: 'integer', minimum: 1, maximum: MAX_SIZE, default: DEFAULT_SIZE, description: 'Rows of a page.' })),
    'page[number]': Type.Optional(Type.Unsafe<string>({
      type: 'integer', minimum: 1, default: 1, description: `Page to show, from 1; up to row ${MAX_NUMBERED_ROW}. Not together with page[after].`
    })),
    'page[after]': Type.Optional(Type.String({ description: 'Cursor, as meta.page.next has it: the page that follows. Keeps its place while rows are added.' })),
    ...Object.fromEntries(describeFilters(shape).map(({ name, description }) => [name, Type.Optional(Type.String({ description }))])),
    ...labels
  }
  return Type.Object(properties)
}

/** The same of what has filters alone: an export. */
export function filterQuerySchema (shape: ListShape) {
  const { properties } = listQuerySchema(shape)
  return Type.Object(Object.fromEntries(Object.entries(properties as Record<string, TSchema>).filter(([name]) => name.startsWith('filter['))))
}

/** Members of a route's options that let readListQuery judge the query: it knows more rules than a schema, and finds all faults at once. */
export function readByListQuery (server: FastifyInstance) {
  const validatorCompiler: FastifySchemaCompiler<object> = part => {
    if (part.httpPart === 'querystring') return () => true
    if (server.validatorCompiler === undefined) throw new Error('The validators are registered before the routes')
    return server.validatorCompiler(part)
  }
  return { validatorCompiler }
}

/**
 * Reads a flat query string.
 *
 * @throws ProblemError 400 that names every fault
 */
export function readListQuery<Column extends string, SortColumn extends string> (
  shape: ListShape<Column, SortColumn>, query: unknown
): ReadListQuery<Column, SortColumn> {
  const faults: InvalidParameter[] = []
  const refuse: Refuse = (field, fault) => { faults.push({ field, ...fault, source: 'query' }) }
  const texts = textsOf(query, refuse)
  const { sort, sortText } = readSort(shape, texts.get('sort') ?? shape.defaultSort, refuse)
  const size = readInteger(texts, 'page[size]', DEFAULT_SIZE, MAX_SIZE, refuse)
  const start = readStart(shape, texts, size, sortText, refuse)
  const filters = readFilters(shape, texts, refuse)
  if (faults.length > 0) throw invalidParametersError(faults)
  return { filters, sort, sortText, size, start }
}

/** Reads the filters of a query that has nothing else. @throws ProblemError 400 that names every fault */
export function readFilterQuery<Column extends string> (shape: ListShape<Column>, query: unknown): Array<Filter<Column>> {
  const faults: InvalidParameter[] = []
  const refuse: Refuse = (field, fault) => { faults.push({ field, ...fault, source: 'query' }) }
  const texts = textsOf(query, refuse)
  for (const name of NO_FILTERS) if (texts.has(name)) refuse(name, { rule: 'unknown_property', reason: 'An export has no pages and no order.' })
  const filters = readFilters(shape, texts, refuse)
  if (faults.length > 0) throw invalidParametersError(faults)
  return filters
}

type Refuse = (field: string, fault: Fault) => void

function textsOf (query: unknown, refuse: Refuse): Map<string, string> {
  const texts = new Map<string, string>()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (typeof value === 'string') texts.set(name, value)
    else refuse(name, { rule: 'is_string', reason: 'The parameter must not be repeated.' })
  }
  return texts
}

function sortsOf ({ sorts }: ListShape): string[] {
  return Object.keys(sorts).flatMap(name => [name, `${name} asc`, `${name} desc`])
}

function readSort<SortColumn extends string> (
  shape: ListShape<string, SortColumn>, text: string, refuse: Refuse
): { sort: Sort<SortColumn>, sortText: string } {
  const choices = sortsOf(shape)
  if (!choices.includes(text)) {
    refuse('sort', { rule: 'enum', reason: `The value must be one of [${choices.join(', ')}].`, choices })
    return readSort(shape, shape.defaultSort, refuse)
  }
  const [name = '', direction = 'asc'] = text.split(' ')
  const column = shape.sorts[name]?.column
  if (column === undefined) throw new Error(`The list is not sorted by ${name}`)
  return { sort: { field: column, descending: direction === 'desc' }, sortText: `${name} ${direction}` }
}

function readStart (shape: ListShape, texts: ReadonlyMap<string, string>, size: number, sortText: string, refuse: Refuse): PageStart {
  const cursor = texts.get('page[after]')
  if (cursor === undefined) {
    const number = readInteger(texts, 'page[number]', 1, Math.floor(MAX_NUMBERED_ROW / size), refuse,
      ` Pages by number end at row ${MAX_NUMBERED_ROW}; go on with page[after], as meta.page.next has it.`)
    return { number }
  }
  if (texts.has('page[number]')) refuse('page[number]', { rule: 'invalid', reason: 'page[number] and page[after] exclude each other.' })
  const kind = shape.sorts[sortText.split(' ')[0] ?? '']?.kind ?? 'time'
  const after = decodeCursor(cursor, sortText, kind)
  if (after !== null) return { after }
  refuse('page[after]', { rule: 'invalid', reason: 'The value is no cursor of a list with this sort.' })
  return { number: 1 }
}

function readInteger (texts: ReadonlyMap<string, string>, name: string, fallback: number, maximum: number, refuse: Refuse, hint = ''): number {
  const text = texts.get(name)
  if (text === undefined) return fallback
  const value = Number(text)
  if (!/^-?\d+$/.test(text)) refuse(name, { rule: 'is_integer', reason: 'The value must be a whole number.' })
  else if (value < 1) refuse(name, { rule: 'min', reason: 'The value must be at least 1.', minimum: 1 })
  else if (value > maximum) refuse(name, { rule: 'max', reason: `The value must be at most ${maximum}.${hint}`, maximum })
  else return value
  return fallback
}

function readFilters<Column extends string> (shape: ListShape<Column>, texts: ReadonlyMap<string, string>, refuse: Refuse): Array<Filter<Column>> {
  const filters: Array<Filter<Column>> = []
  for (const [name, value] of texts) {
    if (NO_FILTERS.includes(name)) continue
    const read = readFilter(shape, name, value)
    if (read === null) refuse(name, { rule: 'unknown_property', reason: 'The list has no such parameter.' })
    else if (isFault(read)) refuse(name, read)
    else filters.push(read)
  }
  return filters
}
