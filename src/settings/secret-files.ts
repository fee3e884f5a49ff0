// Secrets from files: every secret NAME may come as NAME_FILE, as container platforms mount them.
import { readFileSync } from 'node:fs'
import { secretNames, settingNames, type SettingName } from './schema.ts'
import type { GivenValues } from './sandbox-decision.ts'

export interface Given {
  /** What was given, as text: from the variable or its file. Empty ones are left out. */
  values: GivenValues
  /** Names that were given but can't be used; they are not missing. */
  unusable: ReadonlySet<SettingName>
  faults: string[]
}

/** Collects the known settings from the environment and from the files it names. */
export function collectGiven (environment: NodeJS.ProcessEnv): Given {
  const values: Partial<Record<SettingName, string>> = {}
  const unusable = new Set<SettingName>()
  const faults: string[] = []
  for (const name of settingNames) {
    const value = environment[name]
    // Compose files and charts pass an empty string for "not set".
    if (value !== undefined && value !== '') values[name] = value
  }
  for (const name of secretNames) {
    const path = environment[`${name}_FILE`]
    if (path === undefined || path === '') continue
    const read = values[name] === undefined
      ? readSecret(name, path)
      : { fault: `${name} and ${name}_FILE are both set. Accepted: one of them.` }
    if ('fault' in read) {
      faults.push(read.fault)
      unusable.add(name)
    } else values[name] = read.value
  }
  return { values, unusable, faults }
}

function readSecret (name: SettingName, path: string): { value: string } | { fault: string } {
  try {
    // Editors and `echo` end a file with a newline that is not part of the secret.
    const value = readFileSync(path, 'utf8').replace(/\r?\n$/, '')
    return value === '' ? { fault: `${name}_FILE names an empty file. Accepted: a file that holds the value.` } : { value }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    return { fault: `${name}_FILE names a file that can't be read${code}. Accepted: the path of a readable file.` }
  }
}
