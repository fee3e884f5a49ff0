// What the schema of a route finds wrong with a body, as a sentence about the member.
import type { FastifySchemaValidationError } from 'fastify'

const TYPES: Readonly<Record<string, string>> = { string: 'a string', array: 'a list of strings', object: 'an object', null: 'null' }

export function sentenceOfSchemaFault ({ keyword, instancePath, params }: FastifySchemaValidationError): string {
  if (keyword === 'required') return `${String(params.missingProperty)} is required.`
  if (instancePath === '') return 'The body must be a JSON object.'
  const member = memberOf(instancePath)
  if (keyword === 'type') return `${member} must be ${typesOf(params.type)}.`
  if (keyword === 'maxLength') return `${member} is longer than ${String(params.limit)} characters.`
  if (keyword === 'maxItems') return `${member} has more than ${String(params.limit)} entries.`
  return `${member} is not acceptable.`
}

/** /redirect_uris/0 -> redirect_uris[0] */
function memberOf (instancePath: string): string {
  return instancePath.slice(1).replaceAll(/\/(\d+)/g, '[$1]').replaceAll('/', '.')
}

function typesOf (types: unknown): string {
  const names = [types].flat().flatMap(type => String(type).split(',')).map(type => TYPES[type] ?? type)
  return names.length === 1 ? String(names[0]) : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}
