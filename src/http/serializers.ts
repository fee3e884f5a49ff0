// Serializers of answers, one for each schema and process. The framework would make the same one again for every route, status and server,
// and judges all components of the document each time: with many routes that is seconds of every start.
import SerializerSelector, { type SerializerCompiler, type SerializerFactory } from '@fastify/fast-json-stringify-compiler'

const factory = SerializerSelector()

/** By the components, then by the schema: equal texts mean equal serializers, which hold no state. */
const known = new Map<string, Map<string, ReturnType<SerializerCompiler>>>()

export const buildSerializer: SerializerFactory = (components, options) => {
  const key = JSON.stringify([components, options])
  const compiled = known.get(key) ?? new Map<string, ReturnType<SerializerCompiler>>()
  known.set(key, compiled)
  let compile: SerializerCompiler | undefined
  return definition => {
    const text = JSON.stringify(definition.schema)
    const serializer = compiled.get(text) ?? (compile ??= factory(components, options))(definition)
    compiled.set(text, serializer)
    return serializer
  }
}
