// A client that another tool generates from the document compiles, refuses what the API does not have, and works; and the catalogue of errors is current.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import openapiTypescript, { astToString } from 'openapi-typescript'
import t from 'tap'
import ts from 'typescript'
import { errorCatalogue } from '../scripts/error-catalogue.ts'
import { readGeneratedPart } from '../scripts/generated-part.ts'
import { createRecords, createServer, operatorKey } from './operations/operations-server.ts'

const program = `
import createClient from 'openapi-fetch'
import type { components, paths } from './operations.js'

export async function run (baseUrl: string, key: string): Promise<{ states: string[], shown: string, refusal: string, alive: string }> {
  const client = createClient<paths>({ baseUrl, headers: { authorization: \`Bearer \${key}\` } })
  const list = await client.GET('/v2/registrations', { params: { query: { 'page[size]': 2, 'filter[state][eq]': 'active', sort: 'created_at desc' } } })
  if (list.error !== undefined) throw new Error(list.error.detail)
  const rows: Array<components['schemas']['RegistrationSummary']> = list.data.data
  const id = rows[0]?.id ?? ''
  const one = await client.GET('/v2/registrations/{id}', { params: { path: { id } } })
  if (one.error !== undefined) throw new Error(one.error.detail)
  const absent = await client.GET('/v2/registrations/{id}', { params: { path: { id: '00000000-0000-4000-8000-000000000000' } } })
  const health = await client.GET('/healthz')
  // @ts-expect-error: there is no such path
  await client.GET('/v2/nothing')
  // @ts-expect-error: a state is one of a few words
  const state: 'asleep' = one.data.state
  return { states: rows.map(row => row.state), shown: one.data.client_name, refusal: absent.error?.detail ?? state, alive: health.data?.status ?? '' }
}
`

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  skipLibCheck: true,
  types: []
}

t.test('a client generated from openapi/operations.json compiles and works against a broker', async t => {
  const folder = t.testdir({})
  const types = astToString(await openapiTypescript(pathToFileURL('openapi/operations.json')))
  await writeFile(join(folder, 'operations.ts'), types)
  await writeFile(join(folder, 'client.ts'), program)
  const compiled = ts.createProgram([join(folder, 'client.ts')], options)
  const faults = ts.getPreEmitDiagnostics(compiled).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  t.same(faults, [])
  compiled.emit()

  const records = await createRecords(t)
  await records.add({ clientName: 'Generated' })
  const server = await createServer(t, { records })
  const url = await server.listen({ host: '127.0.0.1', port: 0 })
  const { run } = await import(pathToFileURL(join(folder, 'client.js')).href) as { run: (baseUrl: string, key: string) => Promise<Record<string, unknown>> }
  t.same(await run(url, operatorKey), { states: ['active'], shown: 'Generated', refusal: 'There is no such registration.', alive: 'ok' })
})

t.test('docs/errors.md has the tables of the surfaces as they are now', async t => {
  t.equal(await readGeneratedPart('docs/errors.md', 'errors'), errorCatalogue(), 'current; if not: node --import=tsx scripts/errors-docs.ts')
})
