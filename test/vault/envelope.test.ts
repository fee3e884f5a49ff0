// Promise 4: ciphertext that was altered, moved, relabelled or cut does not open.
import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { VaultError, type Sealed, type SealedPlace } from '../../src/registration/ports.ts'
import { openEnvelope, rewrapEnvelope, sealEnvelope, type NamedKey, type RandomBytes } from '../../src/vault/envelope.ts'
import vectors from './vectors.json' with { type: 'json' }

const place: SealedPlace = { table: 'credential', rowId: '0198f2a4-7c1e-7b3a-9d52-3f1f0a6b1c2d', column: 'secret' }
const keyNamed = (kid: string, first = 1): NamedKey => ({ kid, key: createSecretKey(Buffer.alloc(32, first)) })
const key = keyNamed('k1')
const otherKey = keyNamed('k2', 2)

const vaultError = (message: RegExp) => ({ name: 'VaultError', message })
const doesNotOpen = vaultError(/does not open/)

t.test('the vectors of another implementation open, and the same chance seals to the same bytes', async t => {
  for (const vector of vectors.envelopes) {
    const wrapping = { kid: vector.kid, key: createSecretKey(Buffer.from(vector.key, 'hex')) }
    const sealed: Sealed = {
      version: 1,
      kid: vector.kid,
      wrappedKey: Buffer.from(vector.wrappedKey, 'hex'),
      ciphertext: Buffer.from(vector.ciphertext, 'hex')
    }
    t.equal(openEnvelope(sealed, vector.place, wrapping), vector.plaintext, vector.name)
    const chance = [vector.dataKey, vector.dataIv, vector.wrapIv].map(hex => Buffer.from(hex, 'hex'))
    const random: RandomBytes = size => {
      const bytes = chance.shift()
      if (bytes?.length !== size) throw new Error(`The vector has no ${size} bytes here.`)
      return bytes
    }
    t.strictSame(sealEnvelope(vector.plaintext, vector.place, wrapping, random), sealed, vector.name)
  }
})

t.test('any text sealed for any place opens to itself there', async t => {
  const text = fc.string({ unit: 'binary' })
  t.doesNotThrow(() => fc.assert(fc.property(text, text, text, text, (plaintext, table, rowId, column) => {
    const there = { table, rowId, column }
    return openEnvelope(sealEnvelope(plaintext, there, key), there, key) === plaintext
  })))
})

t.test('the same text sealed twice shares neither key, iv nor ciphertext', async t => {
  const [one, two] = [sealEnvelope('secret', place, key), sealEnvelope('secret', place, key)]
  t.notSame(one.ciphertext, two.ciphertext)
  t.notSame(one.ciphertext.subarray(0, 12), two.ciphertext.subarray(0, 12))
  t.notSame(one.wrappedKey, two.wrappedKey)
})

t.test('a text with a lone surrogate is refused, because it would not come back as it was', async t => {
  t.throws(() => sealEnvelope('a\ud800b', place, key), vaultError(/well-formed/))
})

t.test('a value moved to another table, row or column does not open', async t => {
  const sealed = sealEnvelope('secret', place, key)
  for (const member of ['table', 'rowId', 'column'] as const) {
    t.throws(() => openEnvelope(sealed, { ...place, [member]: `${place[member]}x` }, key), doesNotOpen, member)
  }
})

t.test('places whose texts join to the same string are still different places', async t => {
  const sealed = sealEnvelope('secret', { table: 'ab', rowId: 'c', column: 'd' }, key)
  t.throws(() => openEnvelope(sealed, { table: 'a', rowId: 'bc', column: 'd' }, key), doesNotOpen)
})

t.test('the ciphertext alone is bound to its place, even when the wrapped key comes from the new one', async t => {
  const dataKey = Buffer.alloc(32, 9)
  const withDataKey: RandomBytes = size => size === 32 ? Buffer.from(dataKey) : Buffer.alloc(size, 3)
  const elsewhere = { ...place, rowId: 'elsewhere' }
  const mine = sealEnvelope('mine', place, key, withDataKey)
  const theirs = sealEnvelope('theirs', elsewhere, key, withDataKey)
  t.throws(() => openEnvelope({ ...theirs, ciphertext: mine.ciphertext }, elsewhere, key), vaultError(/The ciphertext does not open/))
})

t.test('wrapped keys swapped between two values of one place do not open', async t => {
  const [one, two] = [sealEnvelope('one', place, key), sealEnvelope('two', place, key)]
  t.throws(() => openEnvelope({ ...one, wrappedKey: two.wrappedKey }, place, key), vaultError(/The ciphertext does not open/))
})

t.test('a value relabelled with another kid does not open, even when both names hold the same bytes', async t => {
  const sealed = sealEnvelope('secret', place, key)
  t.throws(() => openEnvelope({ ...sealed, kid: 'k2' }, place, { kid: 'k2', key: key.key }), vaultError(/The wrapped key does not open/))
  t.throws(() => openEnvelope(sealed, place, otherKey), doesNotOpen)
})

t.test('one flipped bit in any byte keeps the value closed', async t => {
  const sealed = sealEnvelope('a secret of some length', place, key)
  for (const part of ['wrappedKey', 'ciphertext'] as const) {
    let refused = 0
    for (let index = 0; index < sealed[part].length; index++) {
      const altered = Buffer.from(sealed[part])
      altered[index] = (altered[index] ?? 0) ^ (1 << (index % 8))
      refused += refuses(() => openEnvelope({ ...sealed, [part]: altered }, place, key))
    }
    t.equal(refused, sealed[part].length, part)
  }
})

t.test('a value cut at either end, at any length, or extended does not open', async t => {
  const sealed = sealEnvelope('secret', place, key)
  for (const part of ['wrappedKey', 'ciphertext'] as const) {
    const bytes = Buffer.from(sealed[part])
    const variants = Array.from(bytes.keys()).flatMap(length => [bytes.subarray(0, length), bytes.subarray(length + 1)])
    variants.push(Buffer.concat([bytes, Buffer.alloc(1)]), Buffer.concat([Buffer.alloc(1), bytes]))
    const refused = variants.filter(variant => refuses(() => openEnvelope({ ...sealed, [part]: variant }, place, key)) === 1)
    t.equal(refused.length, variants.length, part)
  }
})

t.test('a tag cut down to four bytes is refused, where Node by itself would take it', async t => {
  // An empty text is iv | tag: cutting it leaves a shorter tag, not shorter data.
  const sealed = sealEnvelope('', place, key)
  t.equal(sealed.ciphertext.length, 28)
  for (const tagLength of [0, 4, 8, 12, 15]) {
    t.throws(() => openEnvelope({ ...sealed, ciphertext: sealed.ciphertext.subarray(0, 12 + tagLength) }, place, key),
      vaultError(/too short/), `${tagLength} bytes`)
  }
})

t.test('an unknown version is refused before anything is decrypted', async t => {
  const sealed = sealEnvelope('secret', place, key)
  for (const version of [0, 2, Number.NaN]) {
    t.throws(() => openEnvelope({ ...sealed, version }, place, key), vaultError(/version/), String(version))
  }
})

t.test('a rewrapped value opens under the new key only, and its ciphertext is the same', async t => {
  const sealed = sealEnvelope('secret', place, key)
  const rewrapped = rewrapEnvelope(sealed, place, key, otherKey)
  t.equal(rewrapped.kid, 'k2')
  t.strictSame(rewrapped.ciphertext, sealed.ciphertext)
  t.equal(openEnvelope(rewrapped, place, otherKey), 'secret')
  t.throws(() => openEnvelope(rewrapped, place, key), doesNotOpen)
  t.throws(() => rewrapEnvelope(sealed, { ...place, rowId: 'x' }, key, otherKey), doesNotOpen)
})

t.test('arbitrary bytes in the place of any part are refused as VaultError and nothing else', async t => {
  const sealed = sealEnvelope('secret', place, key)
  const bytes = fc.uint8Array({ maxLength: 100 })
  t.doesNotThrow(() => fc.assert(fc.property(bytes, bytes, (wrappedKey, ciphertext) =>
    refuses(() => openEnvelope({ ...sealed, wrappedKey }, place, key)) === 1 &&
    refuses(() => openEnvelope({ ...sealed, ciphertext }, place, key)) === 1)))
})

/** 1 when the attempt ends in a VaultError, 0 when it succeeds; any other error passes through. */
function refuses (attempt: () => unknown): 0 | 1 {
  try {
    attempt()
    return 0
  } catch (error) {
    if (error instanceof VaultError) return 1
    throw error
  }
}
