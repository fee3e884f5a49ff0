// What is wrong with a request, parameter by parameter, in Konnect's words (AAS: InvalidParameter).
import type { FastifySchemaValidationError } from 'fastify'

export type ParameterSource = 'query' | 'path' | 'body' | 'header'

export type InvalidParameterRule =
  | 'required' | 'unknown_property' | 'type' | 'invalid' | 'enum' | 'matches_regex'
  | 'is_array' | 'is_boolean' | 'is_date_time' | 'is_integer' | 'is_null' | 'is_number' | 'is_object' | 'is_string' | 'is_uuid'
  | 'min' | 'max' | 'min_length' | 'max_length' | 'min_items' | 'max_items'

export interface InvalidParameter {
  field: string
  rule: InvalidParameterRule
  /** A sentence for the caller. */
  reason: string
  source: ParameterSource
  minimum?: number
  maximum?: number
  choices?: string[]
}

const SOURCES: Readonly<Record<string, ParameterSource>> = { querystring: 'query', params: 'path', body: 'body', headers: 'header' }

const FORMAT_RULES: Readonly<Record<string, InvalidParameterRule>> = { uuid: 'is_uuid', 'date-time': 'is_date_time' }

const BOUND_RULES: Readonly<Record<string, InvalidParameterRule>> = {
  minimum: 'min', maximum: 'max', minLength: 'min_length', maxLength: 'max_length', minItems: 'min_items', maxItems: 'max_items'
}

const TYPE_RULES: ReadonlySet<InvalidParameterRule> = new Set([
  'is_array', 'is_boolean', 'is_integer', 'is_null', 'is_number', 'is_object', 'is_string'
])

/** A fault that the schema of a route has found. */
export function fromSchemaFault (fault: FastifySchemaValidationError, context: string | undefined): InvalidParameter {
  const { keyword, params } = fault
  const source = SOURCES[context ?? ''] ?? 'body'
  const field = fieldOf(fault)
  const base = { field, source, reason: `"${field}" ${fault.message ?? 'is not acceptable'}.` }
  const limit = typeof params.limit === 'number' ? params.limit : undefined
  const bound = BOUND_RULES[keyword]
  if (bound !== undefined && limit !== undefined) {
    return { ...base, rule: bound, ...(keyword.startsWith('min') ? { minimum: limit } : { maximum: limit }) }
  }
  if (keyword === 'enum') return { ...base, rule: 'enum', choices: [params.allowedValues].flat().map(String) }
  if (keyword === 'additionalProperties') return { ...base, rule: 'unknown_property', reason: `"${field}" is not a parameter of this operation.` }
  return { ...base, rule: ruleOf(keyword, params) }
}

function ruleOf (keyword: string, params: Record<string, unknown>): InvalidParameterRule {
  if (keyword === 'required') return 'required'
  if (keyword === 'pattern') return 'matches_regex'
  if (keyword === 'format') return FORMAT_RULES[String(params.format)] ?? 'invalid'
  const typeRule = `is_${String(params.type)}` as InvalidParameterRule
  if (keyword === 'type') return TYPE_RULES.has(typeRule) ? typeRule : 'type'
  return 'invalid'
}

// A missing or unknown member is named by the keyword's parameters, everything else by its path.
function fieldOf ({ instancePath, params }: FastifySchemaValidationError): string {
  const member = params.missingProperty ?? params.additionalProperty
  return [...instancePath.split('/').slice(1), ...(typeof member === 'string' ? [member] : [])].join('.')
}
