// Every member, parameter and setting that a schema of ours marks x-secret, under each name it has inside and outside.
import { secretNames } from '../src/settings/schema.ts'
import { documentNames, openApiDocument } from './openapi-documents.ts'

export const SECRET_MEMBERS_PATH = 'src/secret-members.ts'

/** A member of a schema, or a parameter, wherever it stands in a document. */
export interface SchemaMember {
  name: string
  isSecret: boolean
}

/** Sorted; snake_case and camelCase, because what the wire calls one the code calls the other. */
export async function markedMembers (): Promise<string[]> {
  const documents = await Promise.all(documentNames.map(async name => JSON.parse(await openApiDocument(name)) as unknown))
  const marked = [
    ...documents.flatMap(membersOf).filter(({ isSecret }) => isSecret).map(({ name }) => name),
    // How callers prove themselves: the header of a key.
    ...documents.flatMap(securityHeadersOf),
    ...secretNames
  ]
  return [...new Set(marked.flatMap(name => [name, camelCase(name)]))].sort()
}

/** Of schemas of any depth, and of parameters. */
export function membersOf (value: unknown): SchemaMember[] {
  if (!isRecord(value)) return Array.isArray(value) ? value.flatMap(membersOf) : []
  const { properties, name, in: place, schema } = value
  const own = isRecord(properties)
    ? Object.entries(properties).filter(([, member]) => isRecord(member)).map(([name, member]) => ({ name, isSecret: isMarked(member) }))
    : []
  const parameter = typeof name === 'string' && typeof place === 'string' && isRecord(schema) ? [{ name, isSecret: isMarked(schema) }] : []
  return [...own, ...parameter, ...Object.values(value).flatMap(membersOf)]
}

/** The text of the file that `log-redaction.ts` reads. */
export function memberFile (names: readonly string[]): string {
  return [
    '// Members that the schemas of all listeners and of the settings mark x-secret. Made by scripts/secret-members.ts: the log knows them',
    '// without loading a schema. A test says when this is not current.',
    'export const markedSecretMembers: readonly string[] = [',
    names.map(name => `  '${name}'`).join(',\n'),
    ']',
    ''
  ].join('\n')
}

function securityHeadersOf (document: unknown): string[] {
  const { components } = document as { components: { securitySchemes: Record<string, { type: string, name?: string }> } }
  return Object.values(components.securitySchemes).map(({ name }) => (name ?? 'authorization').toLowerCase())
}

const isMarked = (schema: unknown): boolean => isRecord(schema) && schema['x-secret'] === true

function isRecord (value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** DATABASE_URL and client_secret, X-API-KEY too: databaseUrl, clientSecret, xApiKey. */
function camelCase (name: string): string {
  return name.toLowerCase().replaceAll(/[_-]+([a-z\d])/g, (_match, letter: string) => letter.toUpperCase())
}
