import fc from 'fast-check'
import t from 'tap'
import { acceptRedirectUris, refusalOf } from '../../../src/registration/metadata/redirect-uris.ts'

t.test('a redirect URI that Entra takes is accepted as it is', async t => {
  for (const uri of [
    'https://example.com', 'https://example.com/', 'https://example.com/callback?tenant=a&x=%20', 'https://EXAMPLE.com:8443/Path',
    'http://localhost', 'http://localhost:3000/cb', 'http://127.0.0.1:41999/oauth/callback', 'com.example.app://auth', 'myapp://callback',
    'HTTP://LOCALHOST:0/', 'http://LocalHost?x', 'https://example.com:/', 'https://xn--e1afmkfd.example/x', 'urn:ietf:wg:oauth:2.0:oob', `https://example.com/${'a'.repeat(236)}`
  ]) t.strictSame([refusalOf(uri), ...acceptRedirectUris([uri])], [null, uri], uri)
})

t.test('a redirect URI that Entra refuses, or that is dangerous, is refused with its reason', async t => {
  for (const [uri, reason] of [
    ['http://example.com', /http/], ['http://localhost.evil.com/', /http/], ['http://127.0.0.2/', /http/], ['http://[::1]/cb', /::1/],
    ['https://user@example.com/', /user/], ['https://user:pw@example.com/', /user/], ['https://@example.com/', /user/],
    ['https://example.com/#x', /fragment/], ['https://example.com/#', /fragment/], ['https://*.example.com/', /\*/], ['https://example.com/a b', /characters/],
    ['https://example.com/\n', /characters/], ['https://exämple.com/', /characters/], ['https://example.com\\@evil.com', /support/],
    ['https://example.com/a/../b', /dot segment/], ['https://example.com/%2e%2e/b', /dot segment/], ['https://example.com/.', /dot segment/],
    ['javascript:alert', /scheme/], ['data:text/html', /scheme/], ['JavaScript://x/%0aalert', /scheme/], ['file:///etc/passwd', /scheme/], ['blob:https://x/y', /scheme/],
    ['smb://host/share', /scheme/], ['ms-msdt://x', /scheme/], ['chrome-extension://abc/cb', /scheme/], ['ldap://host/cb', /scheme/], ['tel://1', /scheme/],
    ['/relative', /absolute/], ['', /characters/], ['https:example.com', /https/], ['https://', /absolute/], ['https://[2001:db8::1]/', /IPv6/],
    ['myapp:callback', /host/], ['com.example:/cb', /host/], [`https://example.com/${'a'.repeat(237)}`, /256/]
  ] as Array<[string, RegExp]>) {
    t.match(refusalOf(uri), reason, uri)
    t.throws(() => acceptRedirectUris(['https://ok.example/', uri]), { code: 'invalid_redirect_uri', publicMessage: /redirect_uris\[1\]/ })
  }
})

t.test('a host that is not written as it is read is refused, with what it is read as', async t => {
  for (const [uri, host] of [
    ['http://0177.0.0.1/x', '127.0.0.1'], ['http://127.1/x', '127.0.0.1'], ['http://2130706433:80/x', '127.0.0.1'], ['http://0x7f.0.0.1', '127.0.0.1'],
    ['http://127.0.0.1./x', '127.0.0.1'], ['http://%6cocalhost/x', 'localhost'], ['http://localhos%54:3000/x', 'localhost'], ['http://[0:0::1]/x', '[::1]'],
    ['https://0300.0250.1/x', '192.168.0.1'], ['https://ex%61mple.com/x', 'example.com'], ['https://%65xample.com?x', 'example.com']
  ]) t.equal(refusalOf(String(uri)), `writes its host in another form than '${host}'`, String(uri))
  for (const uri of ['http:localhost/x', 'http:/localhost/x', 'http:///localhost/x', 'https:/example.com', 'https:///example.com/']) t.match(refusalOf(uri), /absolute/, String(uri))
})

t.test('redirect URIs are kept as they were written, each once', async t => {
  t.strictSame(acceptRedirectUris(['http://localhost:1/cb', 'https://a.example/', 'http://localhost:2/cb', 'https://a.example/', 'HTTPS://A.example/']),
    ['http://localhost:1/cb', 'https://a.example/', 'http://localhost:2/cb', 'HTTPS://A.example/'])
})

t.test('a refusal counts the position in the list that was sent', async t => {
  t.throws(() => acceptRedirectUris(['https://a.example/', 'https://a.example/', 'http://b.example/']), { code: 'invalid_redirect_uri', publicMessage: /redirect_uris\[2\]/ })
})

t.test('more redirect URIs than an Entra application holds are refused', async t => {
  const uris = Array.from({ length: 257 }, (_, index) => `https://example.com/${index}`)
  t.throws(() => acceptRedirectUris(uris), { code: 'invalid_redirect_uri', publicMessage: /256/ })
  t.equal(acceptRedirectUris(uris.slice(1)).length, 256)
})

t.test('no text makes the check fail in another way, and what it accepts has no character Entra refuses', async t => {
  const hosts = ['localhost', '127.0.0.1', '0177.0.0.1', '127.1', '%6cocalhost', 'LOCALHOST', 'example.com', 'ex%61mple.com', '[::1]', 'localhost.']
  const disguised = fc.tuple(fc.constantFrom('http:', 'https:', 'HTTP:'), fc.constantFrom('//', '/', '', '///'), fc.constantFrom(...hosts), fc.constantFrom('', ':1', '/cb', '?x'))
    .map(parts => parts.join(''))
  fc.assert(fc.property(fc.oneof(disguised, fc.string(), fc.webUrl({ withFragments: true, withQueryParameters: true }), fc.string({ unit: 'binary' })), uri => {
    if (refusalOf(uri) !== null) return
    const { protocol, hash, username, hostname } = new URL(uri)
    // Whoever takes the host from the text finds the one that was judged.
    if (/^https?:$/.test(protocol) && /^https?:\/\/([^/?:]+)/i.exec(uri)?.[1]?.toLowerCase() !== hostname) return false
    return !/[!$'(),;*\\#\s]/.test(uri) && hash === '' && username === '' && protocol !== 'javascript:'
  }), { numRuns: 2_000 })
})
