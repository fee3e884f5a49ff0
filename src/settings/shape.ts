// The first check: every setting by its own schema, with defaults and coercion.
import validatorFactory, { type Options } from '@fastify/ajv-compiler'
import type { GivenValues } from './sandbox-decision.ts'
import { annotations, annotationsOf, environmentSchema, settingNames, type EnvironmentValues, type SettingName } from './schema.ts'

export interface Shape {
  values: EnvironmentValues
  faulty: SettingName[]
  faults: string[]
}

/** Texts become what their schemas say. That the schemas are good, and the defaults by them, is tested: it would be a third of this check. */
const validation: Options = { allErrors: true, coerceTypes: true, keywords: [...annotations], validateSchema: false, meta: false }

/** Checks each setting that is given by its own schema; a faulty one is left out, or at its default. What has no schema is left out. */
export function checkShape (given: GivenValues): Shape {
  const { properties } = environmentSchema
  const names = settingNames.filter(name => given[name] !== undefined)
  // Compiled for those alone: most settings are at their defaults.
  const schema = { type: 'object', properties: Object.fromEntries(names.map(name => [name, properties[name]])) }
  const validate = validatorFactory()({}, { customOptions: validation })({ schema })
  const values: Record<string, unknown> = Object.fromEntries(names.map(name => [name, given[name]]))
  if (validate(values) === true) return { values: { ...defaults, ...values } as EnvironmentValues, faulty: [], faults: [] }
  const paths = new Set(validate.errors?.map(({ instancePath }) => instancePath))
  const faulty = settingNames.filter(name => paths.has(`/${name}`))
  if (faulty.length === 0) throw new Error(`The settings have a fault that belongs to none of them: ${[...paths].join(', ')}`)
  const sound = Object.fromEntries(Object.entries(given).filter(([name]) => !faulty.some(other => other === name)))
  const faults = faulty.map(name => `${name} is not acceptable. Accepted: ${String(annotationsOf(name)['x-accepts'])}.`)
  return { ...checkShape(sound), faulty, faults }
}

const defaults = Object.fromEntries(settingNames.flatMap(name => {
  const { default: fallback } = annotationsOf(name)
  return fallback === undefined ? [] : [[name, fallback]]
}))
