// $filter: the part of its grammar that Graph supports on applications and service principals.
//   filter   = and ("or" and)*           and = not ("and" not)*        not = "not"? primary
//   primary  = "(" filter ")" | property op literal | function "(" property "," literal ")" | property "/any(" v ":" comparison ")"
import { unsupportedQuery } from './graph-errors.ts'

export type Predicate = (view: object) => boolean

export interface Filter {
  matches: Predicate
  /** Entra: `ne`, `not` and `endsWith` need `ConsistencyLevel: eventual` and `$count=true`. The first such operator, if any. */
  advancedOperator: string | null
  /** The whole filter is `<property> eq '<value>'` on an indexed property: its value. */
  exact: { property: string, value: string } | null
}

const filterable: Readonly<Record<string, readonly string[]>> = {
  application: ['id', 'appId', 'uniqueName', 'displayName', 'createdDateTime', 'deletedDateTime', 'identifierUris', 'publisherDomain',
    'signInAudience', 'tags'],
  servicePrincipal: ['id', 'appId', 'displayName', 'accountEnabled', 'createdDateTime', 'deletedDateTime', 'servicePrincipalNames',
    'servicePrincipalType', 'tags', 'appOwnerOrganizationId']
}

const tokenPattern = /\s*(?:('(?:[^']|'')*')|([A-Za-z_][\w.]*)|(\d{4}-\d\d-\d\dT[\d:.]+Z|\d+)|([(),/:]))/y

type Value = string | boolean | null

/** Parses a $filter for one resource type. Throws GraphError Request_UnsupportedQuery for what Graph would not take. */
export function parseFilter (text: string, type: 'application' | 'servicePrincipal'): Filter {
  return new FilterParser(text, type).parse()
}

class FilterParser {
  readonly #text: string
  readonly #type: string
  readonly #tokens: string[]
  #at = 0
  #advanced: string | null = null
  #comparisons = 0
  #exact: Filter['exact'] = null

  constructor (text: string, type: string) {
    this.#text = text
    this.#type = type
    this.#tokens = this.#tokenize()
  }

  parse (): Filter {
    const matches = this.#or()
    if (this.#at < this.#tokens.length) throw this.#refused()
    return { matches, advancedOperator: this.#advanced, exact: this.#comparisons === 1 && this.#advanced === null ? this.#exact : null }
  }

  #tokenize (): string[] {
    const tokens: string[] = []
    const pattern = new RegExp(tokenPattern)
    const end = this.#text.trimEnd().length
    while (pattern.lastIndex < end) {
      const match = pattern.exec(this.#text)
      if (match === null) throw this.#refused()
      tokens.push(match[0].trim())
    }
    return tokens
  }

  #or (): Predicate {
    let left = this.#and()
    while (this.#take('or')) {
      const [first, second] = [left, this.#and()]
      left = view => first(view) || second(view)
    }
    return left
  }

  #and (): Predicate {
    let left = this.#not()
    while (this.#take('and')) {
      const [first, second] = [left, this.#not()]
      left = view => first(view) && second(view)
    }
    return left
  }

  #not (): Predicate {
    if (!this.#take('not')) return this.#primary()
    this.#advanced ??= 'not'
    const inner = this.#primary()
    return view => !inner(view)
  }

  #primary (): Predicate {
    if (this.#take('(')) {
      const inner = this.#or()
      this.#expect(')')
      return inner
    }
    this.#comparisons++
    const name = this.#next()
    const called = testOf(name)
    if (called !== undefined && this.#take('(')) {
      const property = this.#property(this.#next())
      this.#expect(',')
      const literal = this.#literal()
      this.#expect(')')
      this.#note(name)
      return view => called(memberOf(view, property), literal)
    }
    const property = this.#property(name)
    return this.#take('/') ? this.#any(property) : this.#comparison(property)
  }

  #comparison (property: string): Predicate {
    const operator = this.#next()
    const test = testOf(operator)
    if (test === undefined) throw this.#refused()
    const literal = this.#literal()
    this.#note(operator)
    if (operator === 'eq' && typeof literal === 'string') this.#exact = { property, value: literal }
    return view => test(memberOf(view, property), literal)
  }

  #any (property: string): Predicate {
    this.#expect('any')
    this.#expect('(')
    const variable = this.#next()
    this.#expect(':')
    const called = this.#tokens[this.#at + 1] === '(' ? this.#next() : null
    if (called !== null) this.#expect('(')
    this.#expect(variable)
    const operator = called ?? this.#next()
    if (called !== null) this.#expect(',')
    const test = testOf(operator)
    const literal = this.#literal()
    this.#expect(')')
    if (called !== null) this.#expect(')')
    if (test === undefined) throw this.#refused()
    this.#note(operator)
    return view => {
      const values = memberOf(view, property)
      return Array.isArray(values) && values.some(value => test(value, literal))
    }
  }

  #property (name: string): string {
    const known = filterable[this.#type]?.find(property => property.toLowerCase() === name.toLowerCase())
    if (known === undefined) {
      throw unsupportedQuery(`Unsupported or invalid query filter clause specified for property '${name}' of resource '${this.#type}'.`)
    }
    return known
  }

  #literal (): Value {
    const token = this.#next()
    if (token.startsWith("'")) return token.slice(1, -1).replaceAll("''", "'")
    if (token === 'null') return null
    if (token === 'true' || token === 'false') return token === 'true'
    return token
  }

  #note (operator: string): void {
    if (['ne', 'endswith'].includes(operator.toLowerCase())) this.#advanced ??= operator
  }

  #take (token: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== token) return false
    this.#at++
    return true
  }

  #next (): string {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw this.#refused()
    return token
  }

  #expect (token: string): void {
    if (this.#next().toLowerCase() !== token.toLowerCase()) throw this.#refused()
  }

  #refused (): Error {
    return unsupportedQuery(`Invalid filter clause: the expression '${this.#text}' can't be read.`)
  }
}

const memberOf = (view: object, property: string): unknown => (view as Record<string, unknown>)[property]

/** Entra compares text without regard to case. */
const folded = (value: unknown): unknown => typeof value === 'string' ? value.toLowerCase() : value ?? null

const tests: Readonly<Record<string, (value: unknown, literal: Value) => boolean>> = {
  eq: (value, literal) => folded(value) === folded(literal),
  ne: (value, literal) => folded(value) !== folded(literal),
  ge: (value, literal) => String(value) >= String(literal),
  le: (value, literal) => String(value) <= String(literal),
  startswith: (value, literal) => String(folded(value)).startsWith(String(folded(literal))),
  endswith: (value, literal) => String(folded(value)).endsWith(String(folded(literal)))
}

const testOf = (name: string) => Object.hasOwn(tests, name.toLowerCase()) ? tests[name.toLowerCase()] : undefined
