// What the OpenAPI documents say about a route: its bodies, and which of their members are secret.
import { readFile } from 'node:fs/promises'
import { documentNames } from '../../../scripts/openapi-documents.ts'

type Schema = Readonly<Record<string, unknown>>
type Content = Readonly<Record<string, { schema: Schema }>>

interface Operation {
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}

interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

const documents = await Promise.all(documentNames.map(async name => JSON.parse(await readFile(`openapi/${name}.json`, 'utf8')) as Document))

/** Of a route as its listener declares it; undefined: no document describes it. */
export function bodySchemaOf (method: string, template: string): Schema | undefined {
  return schemaIn(operationOf(method, template)?.requestBody?.content)
}

export function answerSchemaOf (method: string, template: string, status: number): Schema | undefined {
  return schemaIn(operationOf(method, template)?.responses[status]?.content)
}

/** Every member that may hold a secret, as `<component>.<member>`. */
export function markedMembers (): string[] {
  const found = documents.flatMap(({ components }) => Object.entries(components.schemas).flatMap(([name, schema]) =>
    secretNamesIn(schema).map(member => `${name}.${member}`)))
  return [...new Set(found)].sort()
}

/**
 * A copy of a value without the secrets that its schema lets stand there.
 * @param seen is told of each, as `<component>.<member>`
 */
export function withoutMarked (value: unknown, schema: Schema | undefined, seen: (member: string) => void, component = ''): unknown {
  const { schema: own, name } = resolved(schema, component)
  if (Array.isArray(value)) return value.map(each => withoutMarked(each, own?.items as Schema | undefined, seen, name))
  if (typeof value !== 'object' || value === null) return value
  const properties = (own?.properties ?? {}) as Record<string, Schema>
  return Object.fromEntries(Object.entries(value).flatMap(([member, inner]) => {
    const innerSchema = properties[member]
    if (innerSchema?.['x-secret'] !== true) return [[member, withoutMarked(inner, innerSchema, seen, name)]]
    if (inner !== null) seen(`${name}.${member}`)
    return []
  }))
}

/** Members of the body of a route, by name. */
export function membersOfBody (method: string, template: string): Record<string, Schema> {
  return (resolved(bodySchemaOf(method, template), '').schema?.properties ?? {}) as Record<string, Schema>
}

function operationOf (method: string, template: string): Operation | undefined {
  const path = template.replaceAll(/:(\w+)/g, '{$1}').replace(/(.)\/$/, '$1')
  return documents.map(({ paths }) => (paths[path] ?? paths[`${path}/`])?.[method.toLowerCase()]).find(operation => operation !== undefined)
}

function schemaIn (content: Content | undefined): Schema | undefined {
  return content === undefined ? undefined : Object.values(content)[0]?.schema
}

function resolved (schema: Schema | undefined, component: string): { schema: Schema | undefined, name: string } {
  if (typeof schema?.$ref !== 'string') return { schema, name: component }
  const name = schema.$ref.split('/').at(-1) ?? ''
  return { schema: documents.map(({ components }) => components.schemas[name]).find(found => found !== undefined), name }
}

function secretNamesIn (schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return []
  const properties = 'properties' in schema ? Object.entries(schema.properties as Record<string, Schema>) : []
  return [...properties.filter(([, member]) => member['x-secret'] === true).map(([name]) => name), ...Object.values(schema).flatMap(secretNamesIn)]
}
