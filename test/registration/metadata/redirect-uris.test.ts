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
    ['javascript:alert', /scheme/], ['data:text/html', /scheme/], ['JavaScript://x/alert', /scheme/], ['https://example.com/%0d%0aSet-Cookie:x', /control/], ['file:///etc/passwd', /scheme/], ['blob:https://x/y', /scheme/],
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
  t.strictSame(acceptRedirectUris(['http://localhost:1/cb', 'https://a.example/', 'http://localhost:2/cb', 'https://a.example/', 'HTTPS://B.example/']),
    ['http://localhost:1/cb', 'https://a.example/', 'http://localhost:2/cb', 'HTTPS://B.example/'])
})

t.test('redirect URIs that differ only in letter case, a slash at the end or the default port are refused as one', async t => {
  for (const [one, two] of [
    ['https://a.example/cb', 'https://a.example/CB'], ['https://a.example/cb', 'https://A.example/cb'], ['https://a.example', 'https://a.example/'],
    ['https://a.example/cb', 'https://a.example/cb/'], ['https://a.example/cb', 'https://a.example:443/cb'], ['https://a.example/cb?x', 'HTTPS://a.example/cb/?x'], ['app://x/cb', 'App://x/cb']
  ] as const) {
    t.throws(() => acceptRedirectUris([one, 'https://b.example/', two]), { code: 'invalid_redirect_uri', publicMessage: /^redirect_uris\[2\] is redirect_uris\[0\] again/ }, two)
  }
  const different = ['https://a.example/cb', 'https://a.example/cb?x', 'https://a.example/cb?X', 'https://a.example:8443/cb', 'https://a.example/cb/x', 'http://localhost/cb', 'http://127.0.0.1/cb']
  t.strictSame(acceptRedirectUris(different), different)
})

t.test('a host name that reads like another one is refused, and one of its own language is not', async t => {
  for (const [shown, host] of [
    ['apple', 'xn--80ak6aa92e.com'], ['apple', 'xn--pple-43d.com'], ['google', 'www.xn--ggle-55da.com'], ['scope', 'xn--e1argc3h.com']
  ]) t.match(refusalOf(`https://${host}/cb`), /reads like another/, String(shown))
  for (const host of ['xn--e1afmkfd.example', 'xn--mnchen-3ya.de', 'xn--wgv71a119e.jp', 'xn--go-5t7du0c.jp', 'xn--hxakic4aa.gr', 'xn--n1aahb.xn--p1ai']) {
    t.equal(refusalOf(`https://${host}/cb`), null, host)
  }
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
