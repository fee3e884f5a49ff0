// The routes of both listeners as their committed documents describe them: what is fuzzed, and what answers have to look like.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Listener = 'public' | 'operations'
export type Credential = 'none' | 'konnect' | 'initial' | 'service' | 'management' | 'operator'

export interface DescribedRoute {
  listener: Listener
  method: string
  /** With `{name}` for parameters. */
  template: string
  /** `GET /v2/policies`, with the listener in front where both have it. */
  name: string
  credential: Credential
  /** Names of its query parameters. */
  query: string[]
  contentType: string | null
  /** Bodies that its document gives as examples. */
  examples: unknown[]
  /** Names of members its body may have. */
  members: string[]
}

interface Operation {
  parameters?: Array<{ in: string, name: string }>
  requestBody?: { content: Record<string, { schema: SchemaObject }> }
  security?: Array<Record<string, string[]>>
  responses: Record<string, { content?: Record<string, { schema?: object }> }>
}

interface SchemaObject {
  $ref?: string
  examples?: unknown[]
  properties?: Record<string, SchemaObject>
  items?: SchemaObject
}

export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, SchemaObject> }
}

export function readDocument (listener: Listener): ApiDocument {
  return JSON.parse(readFileSync(join('openapi', `${listener}.json`), 'utf8'))
}

export function describedRoutes (): DescribedRoute[] {
  return (['public', 'operations'] as const).flatMap(listener => {
    const document = readDocument(listener)
    return Object.entries(document.paths).flatMap(([template, operations]) => Object.entries(operations).map(([method, operation]) =>
      describe(listener, document, template, method.toUpperCase(), operation)))
  })
}

function describe (listener: Listener, document: ApiDocument, template: string, method: string, operation: Operation): DescribedRoute {
  const [contentType = null] = Object.keys(operation.requestBody?.content ?? {})
  const schema = contentType === null ? undefined : resolved(document, operation.requestBody?.content[contentType]?.schema)
  // The import takes lines.
  const line = contentType === 'application/x-ndjson' ? document.components.schemas['ImportLine'] : schema
  return {
    listener,
    method,
    template,
    name: `${listener === 'public' && template.startsWith('/v2/') ? 'public ' : ''}${method} ${template}`,
    credential: credentialOf(operation.security?.[0]),
    query: (operation.parameters ?? []).filter(parameter => parameter.in === 'query').map(({ name }) => name),
    contentType,
    examples: line?.examples ?? [{}],
    members: Object.keys(line?.properties ?? {})
  }
}

function resolved (document: ApiDocument, schema: SchemaObject | undefined): SchemaObject | undefined {
  return schema?.$ref === undefined ? schema : document.components.schemas[schema.$ref.split('/').at(-1) ?? '']
}

function credentialOf (security: Record<string, string[]> | undefined): Credential {
  if (security === undefined) return 'none'
  if ('konnectApiKey' in security) return 'konnect'
  if ('operatorKey' in security) return 'operator'
  if ('registrationAccessToken' in security) return 'management'
  return security['initialAccessToken']?.length === 0 ? 'initial' : 'service'
}
