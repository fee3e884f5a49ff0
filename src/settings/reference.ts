// The reference of all settings as data, for the documentation.
import { annotationsOf, settingNames, type SettingName } from './schema.ts'

export interface SettingReference {
  name: SettingName
  /** In words; empty when there is none. */
  default: string
  /** One sentence. */
  about: string
  /** Also read from NAME_FILE. */
  secret: boolean
}

export const settingsReference: readonly SettingReference[] = settingNames.map(name => {
  const { default: fallback, description, 'x-default': inWords, 'x-secret': secret } = annotationsOf(name)
  return { name, default: String(inWords ?? fallback ?? ''), about: String(description), secret: secret === true }
})

/** The reference as a Markdown table. */
export function settingsTable (): string {
  const rows = settingsReference.map(({ name, default: fallback, about, secret }) =>
    `| \`${name}\` | ${fallback} | ${about}${secret ? ` Also as \`${name}_FILE\`.` : ''} |`)
  return ['| name | default | |', '|---|---|---|', ...rows].join('\n')
}
