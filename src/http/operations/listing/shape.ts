// What one list can be filtered and sorted by. Each resource has one; the reading of a query and its description both come from it.
import type { InvalidParameter } from '../invalid-parameters.ts'
import { isStorableText, isUuid, parseDateTime } from '../values.ts'
import type { SortKind } from './cursor.ts'

export type Operator = 'eq' | 'neq' | 'oeq' | 'contains' | 'ocontains' | 'lt' | 'lte' | 'gt' | 'gte'
export type Fault = Omit<InvalidParameter, 'field' | 'source'>

export interface FilterField<Column extends string = string> {
  /** Of the core's filter. */
  column: Column
  about: string
  operators: readonly Operator[]
  /** What is wrong with one value; null: nothing. */
  check: (value: string) => Fault | null
  /** A row can be without it: `filter[field]` alone asks for rows that have one. */
  optional?: true
}

export interface ListShape<Column extends string = string, SortColumn extends string = string> {
  /** By their wire names. */
  filters: Readonly<Record<string, FilterField<Column>>>
  sorts: Readonly<Record<string, { column: SortColumn, kind: SortKind }>>
  /** As a caller would write it. */
  defaultSort: string
  /** `filter[labels.<key>]` with eq, neq, oeq, or without a value. */
  hasLabels?: true
}

const MAX_LENGTH = 1_000

const times = ['lt', 'lte', 'gt', 'gte'] as const

export function uuidField<Column extends string> (column: Column, about: string, options: { optional?: true } = {}): FilterField<Column> {
  return { column, about, operators: ['eq', 'oeq', 'neq'], check: checkUuid, ...options }
}

export function textField<Column extends string> (column: Column, about: string, options: { optional?: true } = {}): FilterField<Column> {
  return { column, about, operators: ['eq', 'neq', 'oeq', 'contains', 'ocontains'], check: checkText, ...options }
}

/** A word of a known list. */
export function wordField<Column extends string> (column: Column, about: string, words: readonly string[]): FilterField<Column> {
  return { column, about, operators: ['eq', 'neq', 'oeq'], check: oneOf(words) }
}

export function timeField<Column extends string> (column: Column, about: string): FilterField<Column> {
  return { column, about, operators: times, check: checkTime }
}

export function isTimeOperator (operator: Operator): operator is typeof times[number] {
  return times.some(time => time === operator)
}

function checkUuid (value: string): Fault | null {
  return isUuid(value) ? null : { rule: 'is_uuid', reason: 'The value must be a UUID.' }
}

export function checkText (value: string): Fault | null {
  if (value === '') return { rule: 'min_length', reason: 'The value must not be empty.', minimum: 1 }
  if (value.length > MAX_LENGTH) return { rule: 'max_length', reason: `The value must not be longer than ${MAX_LENGTH} characters.`, maximum: MAX_LENGTH }
  return isStorableText(value) ? null : { rule: 'invalid', reason: 'The value holds a NUL.' }
}

function checkTime (value: string): Fault | null {
  return parseDateTime(value) === null ? { rule: 'is_date_time', reason: 'The value must be an RFC 3339 time with an offset.' } : null
}

export function oneOf (choices: readonly string[]): (value: string) => Fault | null {
  return value => choices.includes(value) ? null : { rule: 'enum', reason: `The value must be one of [${choices.join(', ')}].`, choices: [...choices] }
}
