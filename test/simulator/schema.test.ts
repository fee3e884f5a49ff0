// The answers against Microsoft's own metadata of Graph v1.0, when its JSON Schema lies beside the project in ../shared/data.
import t from 'tap'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { collection, registeredClient, simulateTenant } from './simulated-tenant.ts'

const path = fileURLToPath(new URL('../../../shared/data/microsoft-graph-subset.schema.json', import.meta.url))

/** The names of Graph's metadata; the whole schema is used when it is there, and only then values are judged. */
const fallback = { $defs: { application: { type: 'object' }, servicePrincipal: { type: 'object' }, passwordCredential: { type: 'object' } } }

t.test('every answer that shows an object has the names and types of Microsoft\'s metadata', async t => {
  const isThere = existsSync(path)
  if (!isThere) t.comment(`${path} is absent: answers are checked to be objects only`)
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema(isThere ? JSON.parse(readFileSync(path, 'utf8')) : fallback, 'graph')
  const conforms = (type: string, value: unknown, what: string) => {
    const validate = ajv.getSchema(`graph#/$defs/${type}`)
    t.ok(validate?.(value), what, { errors: validate?.errors })
  }
  if (isThere) t.notOk(ajv.getSchema('graph#/$defs/application')?.({ colour: 'red' }), 'the schema tells a foreign member')

  const tenant = await simulateTenant(t)
  const { graph, simulator } = tenant
  const created = await tenant.upsert('dcr-0', { displayName: 'Orders', tags: ['a'], web: { redirectUris: ['https://a.example/cb'] } })
  conforms('application', created.body, 'the 201 of an upsert')
  const { objectId, principalId } = await registeredClient(tenant)
  conforms('application', (await graph('GET', `/applications/${objectId}`)).body, 'an application with a password')
  conforms('servicePrincipal', (await graph('GET', `/servicePrincipals/${principalId}`)).body, 'a service principal')
  const password = await graph('POST', `/applications/${objectId}/addPassword`, { body: {} })
  conforms('passwordCredential', password.body, 'the answer of addPassword')
  for (const application of collection(await graph('GET', '/applications'))) conforms('application', application, 'a listed application')
  for (const principal of collection(await graph('GET', '/servicePrincipals'))) conforms('servicePrincipal', principal, 'a listed principal')
  for (const owner of collection(await graph('GET', `/applications/${objectId}/owners`))) conforms('servicePrincipal', owner, 'an owner')
  await graph('DELETE', `/applications/${objectId}`)
  conforms('application', (await graph('GET', `/directory/deletedItems/${objectId}`)).body, 'a deleted application')
  conforms('servicePrincipal', (await graph('GET', `/directory/deletedItems/${principalId}`)).body, 'a deleted principal')
  conforms('application', (await graph('POST', `/directory/deletedItems/${objectId}/restore`)).body, 'a restored application')
  t.equal(simulator.control.state().applications.length, 5)
})
