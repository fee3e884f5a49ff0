// The reference covers every setting, so that the documentation made from it does.
import { Ajv } from 'ajv'
import t from 'tap'
import { annotations, annotationsOf, environmentSchema, settingNames } from '../../src/settings/schema.ts'
import { settingsReference, settingsTable } from '../../src/settings/reference.ts'

t.test('every setting is in the reference with a sentence, and in the table with its default', async t => {
  t.strictSame(settingsReference.map(({ name }) => name), settingNames)
  const rows = settingsTable().split('\n').slice(2)
  t.equal(rows.length, settingNames.length)
  settingsReference.forEach(({ name, about, default: fallback, secret }, index) => {
    t.match(about, /^\S.*\.$/, `${name}: one sentence`)
    t.ok(rows[index]?.startsWith(`| \`${name}\` | ${fallback} | ${about}`), `${name}: its row`)
    t.equal(rows[index]?.includes(`${name}_FILE`), secret, `${name}: its file`)
  })
})

t.test('every setting that its schema can refuse says what is accepted', async t => {
  for (const name of settingNames) {
    const { type, pattern, 'x-accepts': accepts } = annotationsOf(name)
    if (type !== 'string' || pattern !== undefined) t.type(accepts, 'string', name)
  }
})

t.test('the schema of the settings is a good one, and every default is by it', async t => {
  const ajv = new Ajv({ keywords: [...annotations] })
  const validate = ajv.compile(environmentSchema)
  const defaults = Object.fromEntries(settingNames.map(name => [name, annotationsOf(name)['default']]).filter(([, fallback]) => fallback !== undefined))
  t.ok(validate(defaults), JSON.stringify(validate.errors))
})
