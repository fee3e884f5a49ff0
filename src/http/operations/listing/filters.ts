// Filters in Konnect's notation: filter[field][operator]=value, filter[field]=value for eq, filter[field] for "has one".
import type { Filter } from '../../../listing/query.ts'
import { checkText, isTimeOperator, type Fault, type FilterField, type ListShape, type Operator } from './shape.ts'

const MAX_VALUES = 50
/** Of Konnect's labels. */
const LABEL = /^labels\.([A-Za-z0-9][A-Za-z0-9._-]{0,62})$/

const ABOUT_OPERATOR: Record<Operator, string> = {
  eq: 'is the value',
  neq: 'is not the value',
  oeq: `is one of the values (comma list, at most ${MAX_VALUES})`,
  contains: 'contains the value, in any case',
  ocontains: `contains one of the values (comma list, at most ${MAX_VALUES}), in any case`,
  lt: 'is before',
  lte: 'is not after',
  gt: 'is after',
  gte: 'is not before'
}

/** Every filter parameter with its description. */
export function describeFilters ({ filters }: ListShape): Array<{ name: string, description: string }> {
  return Object.entries(filters).flatMap(([field, { about, operators, optional }]) => [
    ...(operators.includes('eq') ? [{ name: `filter[${field}]`, description: `${about} is the value${optional ? '; without a value: there is one' : ''}.` }] : []),
    ...operators.map(operator => ({ name: `filter[${field}][${operator}]`, description: `${about} ${ABOUT_OPERATOR[operator]}.` }))
  ])
}

/** A filter of a query: null when the parameter is no filter of this list, else the filter or what is wrong with it. */
export function readFilter<Column extends string> (shape: ListShape<Column>, parameter: string, value: string): Filter<Column> | Fault | null {
  const [, name = '', given] = /^filter\[([\w.-]+)\](?:\[(\w+)\])?$/.exec(parameter) ?? []
  const field = fieldOf(shape, name)
  const operator = field?.operators.find(known => known === (given ?? 'eq'))
  if (field === undefined || operator === undefined) return null
  if (given === undefined && value === '' && field.optional === true) return { field: field.column, operator: 'exists' }
  const values = operator === 'oeq' || operator === 'ocontains' ? value.split(',') : [value]
  const fault = values.length > MAX_VALUES
    ? { rule: 'max_items', reason: `At most ${MAX_VALUES} values are compared at once.`, maximum: MAX_VALUES } as const
    : values.map(field.check).find(fault => fault !== null)
  return fault ?? toFilter(field.column, operator, values)
}

export function isFault (read: Filter | Fault): read is Fault {
  return 'rule' in read
}

function fieldOf<Column extends string> ({ filters, hasLabels }: ListShape<Column>, name: string): FilterField<Column> | undefined {
  if (Object.hasOwn(filters, name)) return filters[name]
  if (hasLabels !== true || !LABEL.test(name)) return undefined
  // The core's field is the wire's: `labels.<key>`.
  return { column: name as Column, about: 'The label', operators: ['eq', 'neq', 'oeq'], check: checkText, optional: true }
}

function toFilter<Column extends string> (field: Column, operator: Operator, values: string[]): Filter<Column> {
  if (isTimeOperator(operator)) return { field, operator, time: new Date(values[0] ?? '') }
  if (operator.endsWith('contains')) return { field, operator: 'contains', values }
  return { field, operator: operator === 'neq' ? 'not_in' : 'in', values }
}
