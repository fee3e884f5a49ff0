// Validators and serializers are made when a request needs them. That all of them can be made is found here and not by a caller.
import { subscribe } from 'node:diagnostics_channel'
import validatorFactory from '@fastify/ajv-compiler'
import serializerFactory from '@fastify/fast-json-stringify-compiler'
import { fastify, type FastifyInstance, type FastifySchema } from 'fastify'
import t from 'tap'
import Type from 'typebox'
import { documentNames, openApiDocument } from '../../scripts/openapi-documents.ts'
import { compilers, validation } from '../../src/http/plugins/compilers.ts'
import { ref } from '../../src/http/plugins/openapi.ts'

interface Described { server: FastifyInstance, route: string, schema: FastifySchema }

const described: Described[] = []
subscribe('fastify.initialization', message => {
  const { fastify: server } = message as { fastify: FastifyInstance }
  server.addHook('onRoute', ({ method, url, schema }) => { if (schema !== undefined) described.push({ server, route: `${String(method)} ${url}`, schema }) })
})

t.test('every schema of every route of both listeners makes a validator or a serializer', async t => {
  for (const name of documentNames) await openApiDocument(name)
  const makeValidators = validatorFactory()
  const makeSerializers = serializerFactory()
  t.ok(described.length > 70, `${described.length} routes`)
  const seen = new Set<string>()
  const isNew = (schema: unknown): boolean => seen.size < seen.add(JSON.stringify(schema)).size
  for (const { server, route, schema } of described) {
    const components = server.getSchemas() as Record<string, object>
    const validate = makeValidators(components, { customOptions: validation })
    const serialize = makeSerializers(components)
    const asked = [schema.params, schema.querystring, schema.headers].filter(part => part !== undefined)
    for (const part of [...asked, ...contentsOf(schema.body)].filter(isNew)) t.doesNotThrow(() => validate({ schema: part as object }), route)
    for (const part of Object.values(schema.response ?? {}).flatMap(contentsOf).filter(isNew)) {
      t.doesNotThrow(() => serialize({ schema: part, method: '', url: '', httpStatus: '' }), route)
    }
  }
})

t.test('a server starts without making any, and the request that needs one gets it', async t => {
  const server = fastify()
  await server.register(compilers)
  const Known = Type.Object({ count: Type.Integer({ default: 1 }) }, { $id: 'Known' })
  server.addSchema(Known)
  server.post('/sound', { schema: { body: { $ref: 'Known#' }, response: { 200: { $ref: 'Known#' } } } }, async request => request.body)
  server.post('/unsound', { schema: { body: { $ref: 'Unknown#' } } }, async request => request.body)
  await server.ready()
  t.same((await server.inject({ method: 'POST', url: '/sound', body: { other: 2 } })).json(), { count: 1 })
  t.equal((await server.inject({ method: 'POST', url: '/sound', body: { count: 'many' } })).statusCode, 400)
  t.equal((await server.inject({ method: 'POST', url: '/unsound', body: {} })).statusCode, 500)
  await server.close()
})

t.test('a serializer knows the components that its schema leads to, however far', async t => {
  const server = fastify()
  await server.register(compilers)
  const Leaf = Type.Object({ shown: Type.String() }, { $id: 'Leaf' })
  const Branch = Type.Object({ leaves: Type.Array(ref(Leaf)) }, { $id: 'Branch' })
  for (const component of [Leaf, Branch, Type.Object({ branch: ref(Branch) }, { $id: 'Tree' })]) server.addSchema(component)
  server.get('/', { schema: { response: { 200: { $ref: 'Tree#' } } } }, async () => ({ branch: { leaves: [{ shown: 'yes', hidden: 'no' }] }, hidden: 'no' }))
  t.equal((await server.inject('/')).body, '{"branch":{"leaves":[{"shown":"yes"}]}}')
  await server.close()
})

t.test('a schema of headers with capitals, which Node never sends, keeps the server from starting', async t => {
  const server = fastify()
  await server.register(compilers)
  server.get('/', { schema: { headers: Type.Object({ 'If-Match': Type.String() }) } }, async () => null)
  await t.rejects(Promise.resolve(server.ready()), /lower case: If-Match/)
  await server.close()
})

/** The schema of a body, or those of each of its media types. */
function contentsOf (body: unknown): object[] {
  if (typeof body !== 'object' || body === null) return []
  if ('content' in body) return Object.values(body.content as Record<string, { schema: object }>).map(({ schema }) => schema)
  return [body]
}
