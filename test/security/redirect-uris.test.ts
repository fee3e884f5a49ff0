// S6 on both surfaces: where a code may be sent is judged before anything is made, and refused by the code of its own.
import t from 'tap'
import { nativeClient, webClient } from '../register/prepared-broker.ts'
import { konnectApplication, startTestBroker } from '../support/broker.ts'

/** By what they try. Each is refused everywhere. */
const hostile: Record<string, string[]> = {
  'a scheme that runs or reads something': [
    'javascript:alert(1)', 'JavaScript:alert', 'javascript://a.example/%0aalert', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'blob:https://a.example/x',
    'about:blank', 'view-source:https://a.example/', 'intent://a.example/', 'ms-msdt://x', 'ftp://a.example/', 'ws://a.example/', 'wss://a.example/'
  ],
  'http to another machine': ['http://evil.example', 'http://localhost.evil.example/', 'http://127.0.0.1.evil.example/', 'http://10.0.0.1/', 'http://0.0.0.0/'],
  'user information': ['https://a@evil.example/', 'https://a.example:pw@evil.example/', 'https://@evil.example/', 'http://localhost@evil.example/', 'app://a@b/'],
  'a fragment': ['https://a.example/#', 'https://a.example/#x', 'app://a/#x'],
  'a wildcard': ['https://*.example/', 'https://a.example/*', 'https://*/', 'http://localhost:*/cb'],
  'a backslash': ['https://a.example\\@evil.example/', 'https:\\\\evil.example\\x', 'https://evil.example\\.a.example/', 'http://localhost\\@evil.example/'],
  'a second line or a blank': [
    'https://a.example/\r\nSet-Cookie: x', 'https://a.example/\t', '\thttps://a.example/', ' https://a.example/', 'https://a.example/ ', 'java\nscript:alert', 'https://a.exa\tmple/',
    'https://a.example/\u007f', 'https://a.example/\u2028', 'https://a.example/\u202e'
  ],
  'an encoded control character': ['https://a.example/%0d%0aSet-Cookie:x', 'https://a.example/cb?x=%0A', 'https://a.example/%00', 'http://localhost/%7F', 'app://a/%1b'],
  'another spelling of a host': [
    'https:evil.example', 'https:/evil.example', 'https:///evil.example', 'http:localhost', 'https://ex%61mple.com/', 'https://evil%2eexample/', 'http://%6cocalhost/',
    'http://127.1/', 'http://2130706433/', 'http://0x7f.1/', 'http://017700000001/', 'https://a.example%2f@evil.example/', 'https://a。example/', 'https://①.example/'
  ],
  'a name that reads like another': ['https://аpple.com/', 'https://xn--pple-43d.com/', 'https://xn--80ak6aa92e.com/', 'https://exämple.com/', 'https://a\u200b.example/'],
  'an IPv6 address': ['https://[2001:db8::1]/', 'http://[::1]/', 'https://[::ffff:127.0.0.1]/', 'http://[0:0:0:0:0:0:0:1]:3000/'],
  'a port that is none': ['https://a.example:65536/', 'https://a.example:0/', 'https://a.example:-1/', 'https://a.example:x/', 'http://localhost:99999/'],
  'no host': ['https://', 'https:///', 'http://', 'https://?x', 'https://:443/', 'app:', 'app:/cb', 'app:///cb', '/cb', '//a.example/cb', 'a.example/cb', ':', 'x'],
  'a path that is another': ['https://a.example/a/../b', 'https://a.example/%2e%2e/b', 'https://a.example/a/.%2E/b', 'https://a.example/.', 'https://a.example/a/./b'],
  'characters Entra does not take': ['https://a.example/(x)', 'https://a.example/;x', 'https://a.example/a,b', 'https://a.example/$x', 'https://a.example/!', 'https://a.example/<x>', 'https://a.example/{x}'],
  'more than 256 characters': [`https://a.example/${'a'.repeat(239)}`]
}

const good = ['https://a.example/cb', 'https://xn--mnchen-3ya.de/cb', 'http://localhost:3000/cb', 'http://127.0.0.1/cb', `https://b.example/${'a'.repeat(238)}`]

t.test('S6 redirect URIs', async t => {
  const { register, konnect, manage, simulator } = await startTestBroker(t, { environment: { RESUME_SCAN_MS: '60000' } })
  const { status, body: client } = await register(webClient())
  t.equal(status, 201)
  const { body: { client_id: konnectClient } } = await konnect('POST', '', konnectApplication())
  const before = JSON.stringify(simulator.control.state())
  const refused = { status: 400, body: { error: 'invalid_redirect_uri' } }

  for (const [what, uris] of Object.entries(hostile)) {
    t.test(`S6 with ${what} they are refused on every surface, before anything is made`, async t => {
      for (const uri of uris) {
        const list = ['https://fine.example/cb', uri]
        t.match(await register(webClient({ redirect_uris: list })), refused, `registered: ${uri}`)
        t.match(await register(nativeClient({ redirect_uris: list, application_type: 'native' })), refused, `registered by an installed application: ${uri}`)
        t.match(await konnect('POST', '', konnectApplication({ redirect_uris: list })), refused, `created by Konnect: ${uri}`)
      }
      const [uri] = uris
      t.match(await manage('PUT', client.registration_client_uri, client.registration_access_token, { ...webClient({ redirect_uris: [uri] }), client_id: client.client_id }), refused)
      const event = { event_type: 'update_application', client_id: konnectClient, redirect_uris: [uri] }
      t.match(await konnect('POST', `/${konnectClient}/event-hook`, event), refused)
    })
  }

  t.test('S6 too many of them, and twins, are refused on both surfaces', async t => {
    for (const list of [
      Array.from({ length: 257 }, (_, index) => `https://a.example/${index}`), ['https://a.example/cb', 'https://a.example/CB'],
      ['https://a.example/cb', 'https://a.example/cb/'], ['https://a.example', 'HTTPS://a.example/'], ['https://a.example/', 'https://a.example:443/']
    ]) {
      t.match(await register(webClient({ redirect_uris: list })), refused, String(list.at(1)))
      t.match(await konnect('POST', '', konnectApplication({ redirect_uris: list })), refused, String(list.at(1)))
    }
  })

  t.test('S6 nothing was made or changed in Entra, and good ones are registered as they were sent', async t => {
    t.equal(JSON.stringify(simulator.control.state()), before)
    t.match(await register(webClient({ redirect_uris: good })), { status: 201, body: { redirect_uris: good } })
    t.equal((await konnect('POST', '', konnectApplication({ redirect_uris: good }))).status, 201)
  })
})
