// The committed OpenAPI documents: current, valid and complete. Where secrets are: test/security/secret-members.test.ts.
import { readFile } from 'node:fs/promises'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import t from 'tap'
import { documentNames, openApiDocument, type DocumentName } from '../scripts/openapi-documents.ts'

/** Redocly's recommended rules without the one that does not fit: nothing is wrong with a probe that can't fail. */
const lintRules = { 'operation-4xx-response': 'off' } as const

interface Media { example?: unknown, examples?: Record<string, { value?: unknown }>, schema: { $ref?: string, examples?: unknown[] } }

interface Operation {
  requestBody?: { content: Record<string, Media> }
  operationId?: string
  summary?: string
  tags?: string[]
  security?: Array<Record<string, string[]>>
  parameters?: Array<{ name: string, description?: string }>
  responses: Record<string, { description: string, content?: Record<string, Media> }>
}

interface Document {
  tags: Array<{ name: string, description: string }>
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, { examples?: unknown[] }>, securitySchemes: Record<string, unknown> }
}

const documents = Object.fromEntries(await Promise.all(documentNames.map(async name =>
  [name, await openApiDocument(name)] as const))) as Record<DocumentName, string>

const operationsOf = (document: Document) => Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })))

for (const name of documentNames) {
  const document = JSON.parse(documents[name]) as Document

  t.test(`openapi/${name}.json is what the routes say now (npm run openapi)`, async t => {
    t.equal(await readFile(`openapi/${name}.json`, 'utf8'), documents[name])
  })

  t.test(`openapi/${name}.json is valid OpenAPI 3.1`, async t => {
    const validator = new Validator()
    t.same(await validator.validate(JSON.parse(documents[name]) as Record<string, unknown>), { valid: true })
    t.equal(validator.version, '3.1')
  })

  t.test(`every reference in openapi/${name}.json leads to a component, and every component is used`, async t => {
    const references = new Set([...documents[name].matchAll(/"\$ref": "([^"]+)"/g)].map(([, target]) => target))
    t.same([...references].sort(), Object.keys(document.components.schemas).map(schema => `#/components/schemas/${schema}`).sort())
  })

  t.test(`every body that openapi/${name}.json lets in or answers with success has an example that its schema accepts`, async t => {
    const ajv = new Ajv2020({ strict: false, validateFormats: true })
    addFormats.default(ajv)
    ajv.addSchema(document, 'document')
    for (const { name: route, operation } of operationsOf(document)) {
      const answers = Object.entries(operation.responses).filter(([status]) => status < '300').map(([status, { content }]) => [status, content] as const)
      const bodies = [['request', operation.requestBody?.content] as const, ...answers]
      for (const [which, content] of bodies) {
        for (const [type, media] of Object.entries(content ?? {})) {
          const where = `${route} ${which} ${type}`
          const examples = examplesOf(document, media)
          t.ok(examples.length > 0, `${where}: give its schema \`examples: [ … ]\` (options of Type.Object; a list takes those of its rows)`)
          const reference = media.schema.$ref
          const validate = reference === undefined ? ajv.compile(media.schema) : ajv.getSchema(`document${reference}`)
          for (const example of examples) t.ok(validate?.(example), `${where}: ${JSON.stringify(validate?.errors ?? 'valid')}`)
        }
      }
    }
  })

  t.test(`a linter finds nothing in openapi/${name}.json`, async t => {
    const config = await createConfig({ extends: ['recommended'], rules: lintRules })
    const problems = await lintFromString({ source: documents[name], absoluteRef: `${name}.json`, config })
    t.same(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer ?? ''})`), [])
  })

  t.test(`every route of openapi/${name}.json says what it is for, who may call it and how it fails`, async t => {
    const operations = operationsOf(document)
    t.ok(operations.length > 1)
    const ids = operations.map(({ operation }) => operation.operationId)
    t.equal(new Set(ids).size, ids.length, 'operation ids are unique')
    for (const { name: route, operation } of operations) {
      t.match(operation, { operationId: /^[a-z]\w+$/, summary: /\S/ }, route)
      for (const tag of operation.tags ?? ['none']) t.ok(document.tags.some(each => each.name === tag), `${route}: ${tag} is described`)
      for (const scheme of operation.security?.flatMap(Object.keys) ?? ['none']) t.ok(scheme in document.components.securitySchemes, `${route}: ${scheme}`)
      for (const parameter of operation.parameters ?? []) t.match(parameter.description, /\S/, `${route}: ${parameter.name}`)
      for (const [status, answer] of Object.entries(operation.responses)) {
        t.not(answer.description, 'Default Response', `${route} ${status}`)
        if (status !== '204' && status >= '400') t.ok(Object.keys(answer.content ?? {}).length > 0, `${route} ${status} has a body`)
      }
      if (operation.security?.length === 0) continue
      for (const status of ['400', '401', '503']) t.ok(status in operation.responses, `${route} answers ${status}`)
    }
  })
}

/** Those of the media type, or of the schema it refers to. */
function examplesOf ({ components }: Document, { example, examples, schema }: Media): unknown[] {
  const component = schema.$ref?.split('/').at(-1)
  return [
    ...(example === undefined ? [] : [example]),
    ...Object.values(examples ?? {}).map(({ value }) => value),
    ...schema.examples ?? [],
    ...(component === undefined ? [] : components.schemas[component]?.examples ?? [])
  ]
}
