// The filters of the registration list, in Konnect's notation: filter[field][operator]=value, filter[field]=value for eq, filter[field] for "has one".
// One table; the reading of a query and its description in the document both come from it.
import type { RegistrationFilter } from '../../registration/browse-port.ts'
import type { InvalidParameter } from './invalid-parameters.ts'
import { deliveries, states } from './schemas.ts'
import { isStorableText, isUuid, parseDateTime } from './values.ts'

const MAX_VALUES = 50
const MAX_LENGTH = 1_000

type Operator = 'eq' | 'neq' | 'oeq' | 'contains' | 'ocontains' | 'lt' | 'lte' | 'gt' | 'gte'
type Fault = Omit<InvalidParameter, 'field' | 'source'>
type Column = RegistrationFilter['field']

interface FilterField {
  column: Column
  about: string
  operators: readonly Operator[]
  /** What is wrong with one value; null: nothing. */
  check: (value: string) => Fault | null
  /** A row can be without it: `filter[field]` alone asks for rows that have one. */
  optional?: true
}

const times = ['lt', 'lte', 'gt', 'gte'] as const

export const filterFields: Readonly<Record<string, FilterField>> = {
  id: { column: 'id', about: 'Id of the registration', operators: ['eq', 'oeq', 'neq'], check: checkUuid },
  client_id: { column: 'clientId', about: 'Entra\'s appId', operators: ['eq', 'oeq', 'neq'], check: checkUuid, optional: true },
  client_name: { column: 'clientName', about: 'Name of the client', operators: ['eq', 'neq', 'oeq', 'contains', 'ocontains'], check: checkText },
  state: { column: 'state', about: 'State of the registration', operators: ['eq', 'neq', 'oeq'], check: oneOf(states) },
  provider: { column: 'provider', about: 'Name of the provider', operators: ['eq', 'oeq'], check: checkText },
  delivery: { column: 'delivery', about: 'What became of the answer', operators: ['eq'], check: oneOf(deliveries) },
  application_id: { column: 'applicationId', about: 'Konnect\'s application', operators: ['eq'], check: checkText, optional: true },
  created_at: { column: 'createdAt', about: 'Time of the registration (RFC 3339)', operators: times, check: checkTime }
}

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
export function describeFilters (): Array<{ name: string, description: string }> {
  return Object.entries(filterFields).flatMap(([field, { about, operators, optional }]) => [
    ...(operators.includes('eq') ? [{ name: `filter[${field}]`, description: `${about} is the value${optional ? '; without a value: there is one' : ''}.` }] : []),
    ...operators.map(operator => ({ name: `filter[${field}][${operator}]`, description: `${about} ${ABOUT_OPERATOR[operator]}.` }))
  ])
}

/** A filter of a query: null when the parameter is no filter we know, else the filter or what is wrong with it. */
export function readFilter (parameter: string, value: string): RegistrationFilter | Fault | null {
  const [, name = '', given] = /^filter\[(\w+)\](?:\[(\w+)\])?$/.exec(parameter) ?? []
  const field = Object.hasOwn(filterFields, name) ? filterFields[name] : undefined
  const operator = field?.operators.find(known => known === (given ?? 'eq'))
  if (field === undefined || operator === undefined) return null
  if (given === undefined && value === '' && (field.column === 'clientId' || field.column === 'applicationId')) {
    return { field: field.column, operator: 'exists' }
  }
  const values = operator === 'oeq' || operator === 'ocontains' ? value.split(',') : [value]
  const fault = values.length > MAX_VALUES
    ? { rule: 'max_items', reason: `At most ${MAX_VALUES} values are compared at once.`, maximum: MAX_VALUES } as const
    : values.map(field.check).find(fault => fault !== null)
  return fault ?? toFilter(field.column, operator, values)
}

export function isFault (read: RegistrationFilter | Fault): read is Fault {
  return 'rule' in read
}

function toFilter (column: Column, operator: Operator, values: string[]): RegistrationFilter {
  if (column === 'createdAt') {
    const comparison = times.find(time => time === operator) ?? 'gte'
    return { field: column, operator: comparison, time: new Date(values[0] ?? '') }
  }
  if (column === 'clientName' && operator.endsWith('contains')) return { field: column, operator: 'contains', values }
  return { field: column, operator: operator === 'neq' ? 'not_in' : 'in', values }
}

function checkUuid (value: string): Fault | null {
  return isUuid(value) ? null : { rule: 'is_uuid', reason: 'The value must be a UUID.' }
}

function checkText (value: string): Fault | null {
  if (value === '') return { rule: 'min_length', reason: 'The value must not be empty.', minimum: 1 }
  if (value.length > MAX_LENGTH) return { rule: 'max_length', reason: `The value must not be longer than ${MAX_LENGTH} characters.`, maximum: MAX_LENGTH }
  return isStorableText(value) ? null : { rule: 'invalid', reason: 'The value holds a NUL.' }
}

function checkTime (value: string): Fault | null {
  return parseDateTime(value) === null ? { rule: 'is_date_time', reason: 'The value must be an RFC 3339 time with an offset.' } : null
}

function oneOf (choices: readonly string[]): (value: string) => Fault | null {
  return value => choices.includes(value) ? null : { rule: 'enum', reason: `The value must be one of [${choices.join(', ')}].`, choices: [...choices] }
}
