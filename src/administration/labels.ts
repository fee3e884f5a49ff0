// Labels as Konnect has them, for every surface that takes them (AAS: Labels).
import Type, { type Static, type TSchema } from 'typebox'

const LABEL_KEY = '^(?!kong|konnect|mesh|kic|_)[a-zA-Z0-9][a-zA-Z0-9._-]{0,62}$'
const LABEL_VALUE = '^[a-z0-9A-Z]([a-z0-9A-Z._-]*[a-z0-9A-Z])?$'

const labels = <Value extends TSchema>(value: Value, description: string) => Type.Unsafe<Record<string, Static<Value>>>({
  type: 'object', description, propertyNames: { pattern: LABEL_KEY }, additionalProperties: value, maxProperties: 50
})

export const Labels = labels(Type.String({ minLength: 1, maxLength: 63, pattern: LABEL_VALUE }), 'Labels, at most 50, as Konnect has them.')

/** Of a PATCH: null takes a label away, what is left out stays. */
export const LabelChanges = labels(
  Type.Unsafe<string | null>({ type: ['string', 'null'], minLength: 1, maxLength: 63, pattern: LABEL_VALUE }),
  'Labels to set; null takes one away, what is left out stays.'
)

/** What is there after a change of labels. */
export function changedLabels (current: Readonly<Record<string, string>>, changes: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries({ ...current, ...changes }).filter((entry): entry is [string, string] => entry[1] !== null))
}
