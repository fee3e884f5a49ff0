import t from 'tap'
import { registering } from './requests.ts'

const refused = (publicMessage: RegExp, code = 'invalid_redirect_uri') => ({ code, publicMessage })

t.test('the kind of an application decides which redirect URIs are its own', async t => {
  const of = (type: string | null, uri: string) => () => registering({ application_type: type, redirect_uris: ['https://a.example/', uri] })
  for (const uri of ['http://localhost/', 'http://127.0.0.1:1/', 'https://localhost:5001/', 'myapp://cb']) t.throws(of('web', uri), refused(/redirect_uris\[1\].*web/), uri)
  t.throws(of('native', 'https://localhost/'), refused(/redirect_uris\[1\].*native/))
  for (const uri of ['http://localhost/', 'http://127.0.0.1:1/', 'https://b.example/', 'myapp://cb']) t.doesNotThrow(of('native', uri), uri)
  for (const uri of ['http://localhost/', 'https://localhost:5001/', 'https://b.example/', 'myapp://cb']) t.doesNotThrow(of(null, uri), `not said: ${uri}`)
})

t.test('an address of a private or special network is refused unless the policy names it', async t => {
  for (const address of ['10.1.2.3', '172.31.0.1', '192.168.0.1', '169.254.169.254', '100.64.0.1', '127.0.0.2', '0.0.0.0', '224.0.0.1', '255.255.255.255']) {
    t.throws(() => registering({ redirect_uris: [`https://${address}/cb`] }), refused(/private or special network/), address)
  }
  t.doesNotThrow(() => registering({ redirect_uris: ['https://8.8.8.8/cb'] }))
  t.doesNotThrow(() => registering({ redirect_uris: ['https://10.1.2.3/cb'] }, { redirectHosts: ['10.1.2.3'] }))
})

t.test('a policy names the hosts and schemes it accepts, and the refusal repeats them', async t => {
  const bounds = { redirectHosts: ['claude.ai', '*.Example.com', 'localhost'], redirectSchemes: ['cursor', 'com.example.*'] }
  const of = (uri: string) => () => registering({ redirect_uris: [uri] }, bounds)
  for (const uri of ['https://claude.ai/cb', 'https://CLAUDE.ai/cb', 'https://a.example.com/', 'https://a.b.example.com/', 'http://localhost:1/', 'cursor://x', 'com.example.app://x']) {
    t.doesNotThrow(of(uri), uri)
  }
  for (const uri of ['https://claude.ai.evil.example/', 'https://example.com/', 'https://evilexample.com/', 'http://127.0.0.1/', 'https://x.claude.ai/']) {
    t.throws(of(uri), refused(/the policy accepts claude\.ai, \*\.Example\.com, localhost\.$/), uri)
  }
  for (const uri of ['cursory://x', 'com.example://x', 'com.exampleapp://x', 'urn:ietf:wg:oauth:2.0:oob']) t.throws(of(uri), refused(/https and the schemes cursor, com\.example\.\*\.$/), uri)
  t.throws(() => registering({ redirect_uris: ['myapp://x'] }, { redirectSchemes: [] }), refused(/the policy accepts https\.$/))
})

t.test('a policy bounds the number of different redirect URIs', async t => {
  const uris = Array.from({ length: 11 }, (_, index) => `https://a.example/${index}`)
  t.throws(() => registering({ redirect_uris: uris }), refused(/11 entries; at most 10/))
  t.equal(registering({ redirect_uris: [...uris.slice(1), ...uris.slice(1)] }).redirectUris.length, 10)
  t.throws(() => registering({ redirect_uris: Array.from({ length: 257 }, (_, index) => `https://a.example/${index}`) }, { maxRedirectUris: 1_000 }), refused(/at most 256/))
})

t.test('where a logout ends is judged like a redirect URI, and kept', async t => {
  t.strictSame(registering({ post_logout_redirect_uris: ['https://a.example/bye', 'https://a.example/bye'] }).members, { post_logout_redirect_uris: ['https://a.example/bye'] })
  for (const uri of ['http://evil.example/', 'https://10.0.0.1/', 'javascript:alert']) {
    t.throws(() => registering({ post_logout_redirect_uris: [uri] }), refused(/post_logout_redirect_uris\[0\]/, 'invalid_client_metadata'), uri)
  }
  t.throws(() => registering({ post_logout_redirect_uris: 'https://a.example/' }), refused(/list of strings/, 'invalid_client_metadata'))
})
