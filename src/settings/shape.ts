// The first check: every setting by its own schema, with defaults and coercion.
import { envSchema } from 'env-schema'
import type { GivenValues } from './sandbox-decision.ts'
import { annotations, annotationsOf, environmentSchema, settingNames, type EnvironmentValues, type SettingName } from './schema.ts'

export interface Shape {
  values: EnvironmentValues
  faulty: SettingName[]
  faults: string[]
}

/** Checks each setting by its own schema; a faulty one is left out, or at its default. */
export function checkShape (given: GivenValues): Shape {
  try {
    return { values: validate(given), faulty: [], faults: [] }
  } catch (error) {
    const faulty = settingNames.filter(name => pathsOf(error).has(`/${name}`))
    if (faulty.length === 0) throw error
    const sound = Object.fromEntries(Object.entries(given).filter(([name]) => !faulty.some(other => other === name)))
    const faults = faulty.map(name => `${name} is not acceptable. Accepted: ${String(annotationsOf(name)['x-accepts'])}.`)
    return { values: validate(sound), faulty, faults }
  }
}

function validate (given: GivenValues): EnvironmentValues {
  return envSchema<EnvironmentValues>({
    schema: environmentSchema,
    data: given,
    env: false,
    ajv: { customOptions: ajv => ajv.addVocabulary([...annotations]) }
  })
}

function pathsOf (error: unknown): Set<string> {
  const errors = error instanceof Error && 'errors' in error && Array.isArray(error.errors) ? error.errors : []
  return new Set(errors.map((entry: { instancePath: string }) => entry.instancePath))
}
