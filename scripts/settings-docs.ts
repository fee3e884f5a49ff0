// Writes the table of docs/settings.md from the settings' schema: node --import=tsx scripts/settings-docs.ts
import { readFile, writeFile } from 'node:fs/promises'
import { settingsTable } from '../src/settings/reference.ts'

const path = 'docs/settings.md'
const begin = '<!-- settings: made by scripts/settings-docs.ts -->\n'
const end = '\n<!-- end of settings -->'

const page = await readFile(path, 'utf8')
const [before, rest] = page.split(begin)
const after = rest?.split(end.trimStart()).at(1)
if (before === undefined || after === undefined) throw new Error(`${path} has lost the comments around its table.`)
await writeFile(path, `${before}${begin}${settingsTable()}${end}${after}`)
