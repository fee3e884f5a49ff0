import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import type { Json } from '../../../src/registration/registration.ts'
import { answering, certifiedKey, registering, type Document } from './requests.ts'

const one = certifiedKey('one')
const other = certifiedKey('other')
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }) as Record<string, Json>
const weak = generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' }) as Record<string, Json>
const issuer = 'https://token.actions.githubusercontent.com'
const signing = (jwks: Json, more: Document = {}): Document => ({ token_endpoint_auth_method: 'private_key_jwt', jwks, ...more })
const refused = (publicMessage: RegExp) => ({ code: 'invalid_client_metadata', publicMessage })

t.test('keys with their certificates are kept as they came', async t => {
  const encryption = { ...ec, use: 'enc' }
  t.strictSame(answering(signing({ keys: [one, other, encryption] })).jwks, { keys: [one, other, encryption] })
  t.strictSame(answering(signing({ keys: [{ ...one, x5u: 'https://x.example/', more: { x: 1 } }], more: 1 })).jwks, { keys: [one] }, 'without what nobody knows or should fetch')
  t.strictSame(answering(signing({ keys: [{ ...one, use: 'sig', alg: 'PS256', key_ops: ['verify'] }] })).jwks, { keys: [{ ...one, use: 'sig', alg: 'PS256', key_ops: ['verify'] }] })
})

t.test('a client that signs with a key Entra can\'t take is told what it needs', async t => {
  for (const [name, keys, sentence] of [
    ['a bare key', [{ kty: 'RSA', n: one.n, e: one.e }], /jwks\.keys\[0\].*bare key.*x5c/],
    ['the second one bare', [one, { kty: 'RSA', n: one.n, e: one.e }], /jwks\.keys\[1\]/],
    ['an elliptic key', [ec], /RSA/],
    ['a short key', [{ ...weak, x5c: one.x5c }], /2048 bits/],
    ['a certificate of another key', [{ ...one, x5c: other.x5c }], /another key/],
    ['no certificate', [{ ...one, x5c: ['aGVsbG8='] }], /X\.509/],
    ['a certificate and something behind it', [{ ...one, x5c: [Buffer.concat([Buffer.from(String((one.x5c as string[])[0]), 'base64'), Buffer.from('x')]).toString('base64')] }], /X\.509/],
    ['base64url', [{ ...one, x5c: ['-_-_'] }], /base64/],
    ['an empty chain', [{ ...one, x5c: [] }], /x5c/],
    ['no numbers', [{ ...one, n: 'AA' }], /RSA key|bits/],
    ['no key at all', [], /needs jwks/],
    ['only a key for encryption', [{ ...ec, use: 'enc' }], /needs jwks/]
  ] as Array<[string, Json[], RegExp]>) t.throws(() => registering(signing({ keys })), refused(sentence), name)
  t.throws(() => registering({ token_endpoint_auth_method: 'private_key_jwt' }), refused(/needs jwks/))
  t.throws(() => registering(signing({ keys: [one] }), {}, new Date('2050-01-02')), refused(/expired/))
})

t.test('keys of a client that authenticates in another way are public keys of any kind', async t => {
  const bare = { kty: 'RSA', n: String(one.n), e: String(one.e) }
  t.strictSame(answering({ jwks: { keys: [ec, bare] } }).jwks, { keys: [ec, bare] })
  const okp = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as Record<string, Json>
  t.strictSame(answering({ jwks: { keys: [okp] } }).jwks, { keys: [okp] })
})

t.test('a private or symmetric key is refused whatever it is for', async t => {
  const secret = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  const jwk = secret.export({ format: 'jwk' }) as Record<string, Json>
  for (const keys of [[jwk], [one, jwk], [{ ...jwk, x5c: one.x5c ?? [] }], [{ kty: 'oct', k: 'c2VjcmV0' }], [{ ...ec, d: null }]]) {
    t.throws(() => registering({ jwks: { keys } }), refused(/private or symmetric/))
    t.throws(() => registering(signing({ keys })), refused(/private or symmetric/))
  }
  t.ok(createPublicKey(secret))
})

t.test('keys that are to be fetched are refused: the broker fetches nothing', async t => {
  for (const document of [{ jwks_uri: 'https://a.example/jwks' }, { jwks_uri: 'https://a.example/jwks', token_endpoint_auth_method: 'private_key_jwt' }]) {
    t.throws(() => registering(document), refused(/jwks_uri.*fetches nothing.*x5c/))
  }
  t.throws(() => registering({ jwks_uri: 'https://a.example/jwks', jwks: { keys: [one] } }), refused(/exclude each other/))
})

t.test('a key of a kind that is not known is ignored, a private one of any kind is not', async t => {
  t.strictSame(registering({ jwks: { keys: [{ kty: 'AKP', pub: 'x' }, ec, { kty: 'constructor' }] } as Json }).jwks, { keys: [ec] })
  t.throws(() => registering({ jwks: { keys: [{ kty: 'AKP', k: 'x' }] } }), refused(/private or symmetric/))
})

t.test('what is no JWK Set is refused', async t => {
  for (const jwks of ['x', 1, [], {}, { keys: {} }, { keys: ['x'] }, { keys: [{}] }, { keys: [{ kty: 1 }] },
    { keys: [{ kty: 'RSA', e: 'AQAB' }] }, { keys: [{ kty: 'RSA', n: 'a+b', e: 'AQAB' }] }, { keys: [{ ...ec, kid: 1 }] }, { keys: [{ ...ec, kid: 'x\u0000' }] },
    { keys: [{ ...ec, key_ops: 'verify' }] }, { keys: [{ ...ec, x5c: 'x' }] }, { keys: Array.from({ length: 11 }, () => ec) }] as Json[]) {
    t.throws(() => registering({ jwks }), refused(/^jwks/), JSON.stringify(jwks).slice(0, 60))
  }
})

t.test('federated identities take the place of keys', async t => {
  const identity = { issuer, subject: 'repo:a/b:ref:refs/heads/main' }
  const answer = answering({ token_endpoint_auth_method: 'private_key_jwt', entra_federated_identity_credentials: [identity, { ...identity, audience: null }] })
  t.strictSame(answer.entra_federated_identity_credentials, [{ ...identity, audience: 'api://AzureADTokenExchange' }], 'each once, with Entra\'s audience')
  for (const [name, identities, sentence] of [
    ['no list', { issuer }, /list/],
    ['no object', ['x'], /\[0\]/],
    ['no subject', [{ issuer }], /subject/],
    ['an empty subject', [{ issuer, subject: '' }], /subject/],
    ['an issuer that is no https URL', [{ issuer: 'http://a.example', subject: 'a' }], /https URL/],
    ['an audience that is a list', [{ ...identity, audience: ['a'] }], /audience/],
    ['a part that is too long', [{ issuer, subject: 'a'.repeat(601) }], /600/],
    ['two audiences for one subject', [identity, { ...identity, audience: 'other' }], /\[1\].*once/],
    ['more than Entra holds', Array.from({ length: 21 }, (_, index) => ({ issuer, subject: String(index) })), /20/]
  ] as Array<[string, Json, RegExp]>) {
    t.throws(() => registering({ token_endpoint_auth_method: 'private_key_jwt', entra_federated_identity_credentials: identities }), refused(sentence), name)
  }
  for (const method of ['client_secret_basic', 'none']) {
    t.throws(() => registering({ token_endpoint_auth_method: method, entra_federated_identity_credentials: [identity] }), refused(/private_key_jwt/), method)
  }
})
