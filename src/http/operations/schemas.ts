// What all resources of the operations API have in common on the wire.
import Type from 'typebox'
import { ref } from '../plugins/openapi.ts'

export { LabelChanges, Labels } from '../../administration/labels.ts'

/** Records, not lists: the compiler asks for the name of a state that is added. */
export const namesOf = <Name extends string>(names: Record<Name, true>) => Object.keys(names) as Name[]

export const text = (description: string) => Type.String({ description })
export const texts = (description: string) => Type.Array(Type.String(), { description })
export const uuid = (description: string) => Type.String({ format: 'uuid', description })
export const time = (description: string) => Type.String({ format: 'date-time', description })
export const word = <Name extends string>(names: Name[], description: string) => Type.Unsafe<Name>({ type: 'string', enum: names, description })

/** A route that takes an id and no query. */
export const byId = (what: string) => ({
  params: Type.Object({ id: uuid(`Id of the ${what}.`) }),
  querystring: Type.Object({}, { additionalProperties: false })
})

export const InvalidParameterView = Type.Object({
  field: text('Name of the parameter or path of the member.'),
  rule: text('The rule that is broken, e.g. is_uuid, enum, unknown_property.'),
  reason: text('The same as a sentence.'),
  source: word(['query', 'path', 'body', 'header'], 'Where it stands.'),
  minimum: Type.Optional(Type.Number()),
  maximum: Type.Optional(Type.Number()),
  choices: Type.Optional(Type.Array(Type.String()))
}, { $id: 'InvalidParameter', description: 'What is wrong with one parameter.' })

export const Problem = Type.Object({
  status: Type.Integer({ description: 'The HTTP status.' }),
  title: text('The status in words.'),
  instance: text('`dcr-broker:trace:` and the request id, which the log has too.'),
  detail: text('What happened, as a sentence.'),
  invalid_parameters: Type.Optional(Type.Array(ref(InvalidParameterView), { minItems: 1 }))
}, { $id: 'Problem', description: 'A failure (RFC 9457).' })

export const commonComponents = [InvalidParameterView, Problem]
