// The vault over a keyring: which key seals, which opens, and how keys and secrets are recognised.
import { createSecretKey } from 'node:crypto'
import t from 'tap'
import { parseKeyring } from '../../src/vault/keyring-document.ts'
import { fixedKeyring } from '../../src/vault/keyring.ts'
import { createEnvelopeVault } from '../../src/vault/envelope-vault.ts'
import { freshKey, keyringFile, keyringOf } from './keyring-fixture.ts'
import vectors from './vectors.json' with { type: 'json' }

const place = { table: 'credential', rowId: 'row', column: 'secret' }

t.test('a rotation of the key-encryption key loses nothing at any of its steps', async t => {
  const file = keyringFile({ old: 'active', next: 'decrypt' })
  const before = createEnvelopeVault(keyringOf(file))
  const sealed = await before.seal('secret', place)
  t.equal(sealed.kid, 'old')

  const swapped = structuredClone(file)
  swapped.active = 'next'
  swapped.keys.old = { k: file.keys.old?.k ?? '', state: 'decrypt' }
  swapped.keys.next = { k: file.keys.next?.k ?? '', state: 'active' }
  const during = createEnvelopeVault(keyringOf(swapped))
  t.equal(await during.open(sealed, place), 'secret', 'the new keyring opens the old value')
  const early = await during.seal('early', place)
  t.equal(early.kid, 'next')
  t.equal(await before.open(early, place), 'early', 'a replica with the old keyring opens the new value')

  const rewrapped = await during.rewrap(sealed, place)
  t.equal(rewrapped.kid, 'next')
  t.strictSame(rewrapped.ciphertext, sealed.ciphertext)

  swapped.keys.old = { k: file.keys.old?.k ?? '', state: 'retired' }
  const after = createEnvelopeVault(keyringOf(swapped))
  t.equal(await after.open(rewrapped, place), 'secret')
  await t.rejects(after.open(sealed, place), { name: 'VaultError', message: 'Key old is retired.' })
})

t.test('a value under a key that is not in the file is refused and the message names the kid', async t => {
  const sealed = await createEnvelopeVault(keyringOf(keyringFile({ gone: 'active' }))).seal('secret', place)
  const vault = createEnvelopeVault(keyringOf(keyringFile({ k1: 'active' })))
  await t.rejects(vault.open(sealed, place), { name: 'VaultError', message: 'Key gone is not in the keyring.' })
  await t.rejects(vault.rewrap(sealed, place), { name: 'VaultError' })
  t.throws(() => vault.checkValueOf('gone'), { name: 'VaultError' })
})

t.test('check values tell wrong bytes and missing keys apart from good ones', async t => {
  const file = keyringFile({ good: 'active', replaced: 'decrypt', lost: 'decrypt', short: 'decrypt' })
  const vault = createEnvelopeVault(keyringOf(file))
  const known = vault.kids().map(kid => ({ kid, checkValue: vault.checkValueOf(kid) }))
  t.strictSame(vault.verifyCheckValues(known), { wrong: [], missing: [] })

  const damaged = structuredClone(file)
  damaged.keys.replaced = { k: freshKey(), state: 'decrypt' }
  delete damaged.keys.lost
  const cut = known.map(key => key.kid === 'short' ? { ...key, checkValue: key.checkValue.subarray(0, 4) } : key)
  t.strictSame(createEnvelopeVault(keyringOf(damaged)).verifyCheckValues(cut), { wrong: ['replaced', 'short'], missing: ['lost'] })
})

t.test('check values and digests are those of another implementation', async t => {
  const { pepper, verifier, key } = vectors.digests
  for (const vector of vectors.envelopes) {
    const vault = createEnvelopeVault(fixedKeyring({
      active: vector.kid,
      keys: new Map([[vector.kid, { key: createSecretKey(Buffer.from(vector.key, 'hex')), state: 'active' }]]),
      peppers: { active: 'p1', keys: new Map([['p1', createSecretKey(Buffer.from(pepper, 'hex'))]]) }
    }))
    t.equal(Buffer.from(vault.checkValueOf(vector.kid)).toString('hex'), vector.checkValue)
    t.equal(Buffer.from(vault.verifierOf(verifier.clientId, verifier.secret).digest).toString('hex'), verifier.digest)
    t.equal(Buffer.from(vault.hashKey(key.value).digest).toString('hex'), key.digest)
  }
})

t.test('a digest made under an older pepper is recognised under its id after the pepper changed', async t => {
  const file = keyringFile({ k1: 'active' }, ['p1', 'p2'])
  const before = createEnvelopeVault(keyringOf(file))
  const [stored, storedKey] = [before.verifierOf('client', 'secret'), before.hashKey('key')]
  const after = createEnvelopeVault(keyringOf({ ...file, peppers: { ...file.peppers, active: 'p2' } }))
  t.strictSame(after.pepperIds(), ['p2', 'p1'])
  t.equal(after.hashKey('key').pepperId, 'p2')
  t.notSame(after.hashKey('key').digest, storedKey.digest)
  t.strictSame(after.hashKey('key', storedKey.pepperId), storedKey)
  t.strictSame(after.verifierOf('client', 'secret', stored.pepperId), stored)
  t.throws(() => after.hashKey('key', 'p0'), { name: 'VaultError', message: 'Pepper p0 is not in the keyring.' })
})

t.test('a verifier depends on where the client id ends and the secret begins', async t => {
  const vault = createEnvelopeVault(keyringOf(keyringFile()))
  t.notSame(vault.verifierOf('ab', 'c').digest, vault.verifierOf('a', 'bc').digest)
  t.notSame(vault.hashKey('c').digest, vault.verifierOf('', 'c').digest)
})

t.test('the vault follows the keyring: what it reads at the next call is what the file holds then', async t => {
  const [one, two] = [keyringFile({ one: 'active' }), keyringFile({ two: 'active' })]
  let current = parseKeyring(JSON.stringify(one))
  const vault = createEnvelopeVault({ ...fixedKeyring(current), current: () => current })
  t.equal((await vault.seal('x', place)).kid, 'one')
  current = parseKeyring(JSON.stringify(two))
  t.equal((await vault.seal('x', place)).kid, 'two')
  t.equal(vault.activeKid(), 'two')
})
