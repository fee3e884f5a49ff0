// The query of the registration list -> a query of the core. All faults are found at once.
import Type from 'typebox'
import type { RegistrationFilter, RegistrationSort, SortField } from '../../registration/browse-port.ts'
import { MAX_NUMBERED_ROW, type PageStart, type RegistrationQuery } from '../../registration/browse.ts'
import { decodeCursor } from './cursor.ts'
import { invalidParametersError } from './problems.ts'
import type { InvalidParameter } from './invalid-parameters.ts'
import { describeFilters, isFault, readFilter } from './registration-filters.ts'

export const DEFAULT_SORT = 'created_at desc'
const DEFAULT_SIZE = 10
const MAX_SIZE = 100

const sortFields: Readonly<Record<string, SortField>> = { created_at: 'createdAt', updated_at: 'updatedAt', client_name: 'clientName' }
const sorts = Object.keys(sortFields).flatMap(name => [name, `${name} asc`, `${name} desc`])

/** What the document says about the query. Reading it is readListQuery's business. */
export const listQuerySchema = Type.Object({
  sort: Type.Optional(Type.Unsafe<string>({ type: 'string', enum: sorts, default: DEFAULT_SORT, description: 'Ascending unless it ends with " desc".' })),
  'page[size]': Type.Optional(Type.Unsafe<string>({ type: 'integer', minimum: 1, maximum: MAX_SIZE, default: DEFAULT_SIZE, description: 'Registrations of a page.' })),
  'page[number]': Type.Optional(Type.Unsafe<string>({
    type: 'integer', minimum: 1, default: 1, description: `Page to show, from 1; up to row ${MAX_NUMBERED_ROW}. Not together with page[after].`
  })),
  'page[after]': Type.Optional(Type.String({ description: 'Cursor, as meta.page.next has it: the page that follows. Keeps its place while registrations are added.' })),
  ...Object.fromEntries(describeFilters().map(({ name, description }) => [name, Type.Optional(Type.String({ description }))]))
})

/** A query as it was read, and what its answer repeats. */
export interface ListQuery extends RegistrationQuery {
  /** In its full form, e.g. `created_at desc`. */
  sortText: string
}

/**
 * Reads a flat query string.
 *
 * @throws ProblemError 400 that names every fault
 */
export function readListQuery (query: Readonly<Record<string, unknown>>): ListQuery {
  const faults: InvalidParameter[] = []
  const refuse = (field: string, fault: Omit<InvalidParameter, 'field' | 'source'>) => { faults.push({ field, ...fault, source: 'query' }) }
  const texts = new Map<string, string>()
  for (const [name, value] of Object.entries(query)) {
    if (typeof value === 'string') texts.set(name, value)
    else refuse(name, { rule: 'is_string', reason: 'The parameter must not be repeated.' })
  }
  const { sort, sortText } = readSort(texts.get('sort') ?? DEFAULT_SORT, refuse)
  const size = readInteger(texts, 'page[size]', DEFAULT_SIZE, MAX_SIZE, refuse)
  const start = readStart(texts, size, sortText, refuse)
  const filters = readFilters(texts, refuse)
  if (faults.length > 0) throw invalidParametersError(faults)
  return { filters, sort, sortText, size, start }
}

type Refuse = (field: string, fault: Omit<InvalidParameter, 'field' | 'source'>) => void

function readSort (text: string, refuse: Refuse): { sort: RegistrationSort, sortText: string } {
  if (!sorts.includes(text)) refuse('sort', { rule: 'enum', reason: `The value must be one of [${sorts.join(', ')}].`, choices: sorts })
  const [name = '', direction = 'asc'] = text.split(' ')
  return { sort: { field: sortFields[name] ?? 'createdAt', descending: direction === 'desc' }, sortText: `${name} ${direction}` }
}

function readStart (texts: ReadonlyMap<string, string>, size: number, sortText: string, refuse: Refuse): PageStart {
  const cursor = texts.get('page[after]')
  if (cursor === undefined) {
    const number = readInteger(texts, 'page[number]', 1, Math.floor(MAX_NUMBERED_ROW / size), refuse,
      ` Pages by number end at row ${MAX_NUMBERED_ROW}; go on with page[after], as meta.page.next has it.`)
    return { number }
  }
  if (texts.has('page[number]')) refuse('page[number]', { rule: 'invalid', reason: 'page[number] and page[after] exclude each other.' })
  const after = decodeCursor(cursor, sortText)
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

function readFilters (texts: ReadonlyMap<string, string>, refuse: Refuse): RegistrationFilter[] {
  const filters: RegistrationFilter[] = []
  for (const [name, value] of texts) {
    if (['sort', 'page[size]', 'page[number]', 'page[after]'].includes(name)) continue
    const read = readFilter(name, value)
    if (read === null) refuse(name, { rule: 'unknown_property', reason: 'The list has no such parameter.' })
    else if (isFault(read)) refuse(name, read)
    else filters.push(read)
  }
  return filters
}
