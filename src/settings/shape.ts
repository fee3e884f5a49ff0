// The first check: every setting by its own schema, with defaults and coercion.
import validatorFactory, { type Options } from '@fastify/ajv-compiler'
import type { GivenValues } from './sandbox-decision.ts'
import { annotations, annotationsOf, environmentSchema, settingNames, type EnvironmentValues, type SettingName } from './schema.ts'

export interface Shape {
  values: EnvironmentValues
  faulty: SettingName[]
  faults: string[]
}

/** Texts become what their schemas say; what has no schema is left out. */
const validation: Options = { allErrors: true, coerceTypes: true, removeAdditional: 'all', useDefaults: true, keywords: [...annotations] }

/** Checks each setting by its own schema; a faulty one is left out, or at its default. */
export function checkShape (given: GivenValues): Shape {
  const validate = validatorFactory()({}, { customOptions: validation })({ schema: environmentSchema })
  const values: Record<string, unknown> = { ...given }
  if (validate(values) === true) return { values: values as EnvironmentValues, faulty: [], faults: [] }
  const paths = new Set(validate.errors?.map(({ instancePath }) => instancePath))
  const faulty = settingNames.filter(name => paths.has(`/${name}`))
  if (faulty.length === 0) throw new Error(`The settings have a fault that belongs to none of them: ${[...paths].join(', ')}`)
  const sound = Object.fromEntries(Object.entries(given).filter(([name]) => !faulty.some(other => other === name)))
  const faults = faulty.map(name => `${name} is not acceptable. Accepted: ${String(annotationsOf(name)['x-accepts'])}.`)
  return { ...checkShape(sound), faulty, faults }
}
