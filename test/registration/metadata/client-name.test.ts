import fc from 'fast-check'
import t from 'tap'
import { acceptName, descriptionOf, displayNameOf } from '../../../src/registration/metadata/client-name.ts'

t.test('Entra gets one visible line of at most 120 UTF-16 units', async t => {
  t.equal(displayNameOf('Orders app'), 'Orders app')
  t.equal(displayNameOf('  two\n lines\tand  spaces '), 'two lines and spaces')
  t.equal(displayNameOf('evil\u202Egpj.exe'), 'evilgpj.exe', 'no right-to-left override')
  t.equal(displayNameOf('a\u200Bb\uFEFFc\u0007'), 'abc', 'nothing invisible')
  t.equal(displayNameOf('e\u0301'), '\u00e9', 'normalised')
  t.equal(displayNameOf('=cmd()'), '=cmd()', 'what spreadsheets fear is harmless here')
  t.equal(displayNameOf('x'.repeat(121)).length, 120)
  t.equal(displayNameOf(`${'x'.repeat(119)}\u{1F600}`), 'x'.repeat(119), 'no half of a character')
  t.equal(displayNameOf('\u200B'), 'unnamed client')
  t.equal(descriptionOf('\u200B'), null)
  t.equal(descriptionOf('y'.repeat(2_000))?.length, 1_024)
})

t.test('the record keeps the whole name, or says why it can\'t', async t => {
  t.equal(acceptName('client_name', ` ${'n'.repeat(255)} `), 'n'.repeat(255))
  for (const bad of ['', '   ', '\u200B\u200B', 'a\u0000', '\ud800', 'n'.repeat(1_001)]) {
    t.throws(() => acceptName('client_name', bad), { code: 'invalid_client_metadata', publicMessage: /client_name/ }, JSON.stringify(bad.slice(0, 8)))
  }
})

t.test('whatever the name, Entra gets something it takes', async t => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), name => {
    const shown = displayNameOf(name)
    return shown.length > 0 && shown.length <= 120 && shown.isWellFormed() && shown === shown.trim() && !/[\p{Cc}\p{Cf}]/u.test(shown)
  }), { numRuns: 1_000 })
})
