// The documents that tell how to configure the broker agree with its settings.
import { readdir, readFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import t from 'tap'
import { settingsTable } from '../../src/settings/reference.ts'
import { settingNames } from '../../src/settings/schema.ts'
import { readSettings } from '../../src/settings/settings.ts'

const settingsPage = await readFile('docs/settings.md', 'utf8')
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...(await readdir('docs')).filter(name => name.endsWith('.md')).map(name => join('docs', name))]

t.test('the table in docs/settings.md is the one the schema gives', async t => {
  const [, table = ''] = /<!-- settings: .* -->\n([\s\S]*)\n<!-- end of settings -->/.exec(settingsPage) ?? []
  t.equal(table, settingsTable(), 'current; if not: node --import=tsx scripts/settings-docs.ts')
})

t.test('the settings named in .env.example are accepted and known', async t => {
  const example = await readFile('.env.example', 'utf8')
  const environment = parseEnv(example)
  const settings = readSettings(environment)
  t.equal(settings.sandbox, null)
  t.strictSame(settings.warnings, [])
  // Those in a comment are meant to be uncommented.
  const named = [...example.matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name)
  t.ok(named.length >= Object.keys(environment).length)
  t.strictSame(named.filter(name => !settingNames.some(known => known === name)), [])
})

for (const page of pages) {
  t.test(`${page} links to files that are there and shows JSON that parses`, async t => {
    const text = await readFile(page, 'utf8')
    const targets = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, target = '']) => join(dirname(page), target))
    t.strictSame(targets.filter(target => !existsSync(target)), [])
    for (const [, json = ''] of text.matchAll(/```json\n([\s\S]*?)```/g)) t.type(JSON.parse(json), 'object')
  })
}
