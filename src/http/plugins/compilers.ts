// Validators and serializers of the routes. Each is made when a request first needs it, once for each schema and process: the framework
// would make all of them at every start, again for every route, status and server, and with many routes that is most of what a start costs.
import validatorFactory, { type Options } from '@fastify/ajv-compiler'
import serializerFactory from '@fastify/fast-json-stringify-compiler'
import type { FastifyInstance, FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify'
import fp from 'fastify-plugin'

/** How requests are read: as they are, with the defaults of their schemas. */
export const validation: Options = {
  removeAdditional: false, coerceTypes: false, useDefaults: true, allErrors: false, allowUnionTypes: true, keywords: ['x-secret', 'x-examples']
}

/** What a test has found good needs no check by the schema of schemas at the first request. */
const asTested: Options = { ...validation, validateSchema: false, meta: false }

const validators = createMade<ReturnType<FastifySchemaCompiler<object>>>()
const serializers = createMade<ReturnType<FastifySerializerCompiler<object>>>()
const validatorsOver = validatorFactory()
const serializersOver = serializerFactory()

/** Registered before the routes. The schemas they name are added to the same server, not within a plugin. */
export const compilers = fp(async (server: FastifyInstance) => {
  const components = once(() => {
    const schemas = server.getSchemas() as Record<string, object>
    return { schemas, text: JSON.stringify(schemas) }
  })
  const compileValidator = once(() => validatorsOver(components().schemas, { customOptions: asTested }))

  server.setValidatorCompiler<object>(({ schema, httpPart }) => {
    if (httpPart === 'headers') refuseCapitals(schema)
    const validate = once(() => validators(components().text, schema, () => compileValidator()({ schema })))
    return data => validate()(data) === true || { error: validate().errors ?? [] }
  })
  server.setSerializerCompiler<object>(({ schema, method, url, httpStatus = '' }) => {
    const make = () => serializersOver(namedBy(schema, components().schemas))({ schema, method, url, httpStatus })
    const serialize = once(() => serializers(components().text, schema, make))
    return data => serialize()(data)
  })
}, { name: 'compilers' })

/** The components that a schema refers to, and those that these do: a serializer's compiler checks and copies all that it is given. */
function namedBy (schema: object, components: Readonly<Record<string, object>>): Record<string, object> {
  const named: Record<string, object> = {}
  const open = [schema]
  for (const each of open) {
    for (const [, name = ''] of JSON.stringify(each).matchAll(/"\$ref":"([^"#]+)/g)) {
      const component = components[name]
      if (component === undefined || name in named) continue
      named[name] = component
      open.push(component)
    }
  }
  return named
}

/** What this process has made from schemas over components. Equal texts mean equal functions, which hold no state between two calls. */
function createMade<Made> (): (components: string, schema: object, make: () => Made) => Made {
  const known = new Map<string, Map<string, Made>>()
  return (components, schema, make) => {
    const bySchema = known.get(components) ?? new Map<string, Made>()
    known.set(components, bySchema)
    const text = JSON.stringify(schema)
    const made = bySchema.get(text) ?? make()
    bySchema.set(text, made)
    return made
  }
}

function once<Value> (make: () => Value): () => Value {
  let made: { value: Value } | undefined
  return () => (made ??= { value: make() }).value
}

// Node gives a request's headers in lower case; a schema with capitals would let everything pass.
function refuseCapitals (schema: object): void {
  const capitals = Object.keys('properties' in schema ? schema.properties as object : {}).filter(name => name !== name.toLowerCase())
  if (capitals.length > 0) throw new Error(`Headers in schemas are written in lower case: ${capitals.join(', ')}`)
}
