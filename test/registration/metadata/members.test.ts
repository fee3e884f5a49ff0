import t from 'tap'
import type { Json } from '../../../src/registration/registration.ts'
import { answering, registering } from './requests.ts'

const refused = (publicMessage: RegExp) => ({ code: 'invalid_client_metadata', publicMessage })

t.test('what is kept for the answer alone comes back as it went in', async t => {
  const members = {
    client_uri: 'https://a.example',
    logo_uri: 'http://a.example/logo.png',
    tos_uri: 'https://a.example/tos?x=1#top',
    policy_uri: 'HTTPS://a.example/',
    initiate_login_uri: 'https://a.example/login',
    contacts: ['ops@a.example', 'Gr\u00fc\u00dfe <x@a.example>'],
    software_id: '4NRB1-0XZABZI9E6',
    software_version: '2.2',
    token_endpoint_auth_signing_alg: 'PS256',
    'client_name#ja': '\u6ce8\u6587',
    'client_name#de-CH-1996': 'Bestellungen',
    'client_uri#fr': 'https://a.example/fr',
    'tos_uri#FR-ca': 'https://a.example/fr/tos'
  }
  t.match(answering(members), members)
})

t.test('values that Entra decides are replaced, and told', async t => {
  t.match(answering({ id_token_signed_response_alg: 'ES256', subject_type: 'public' }), { id_token_signed_response_alg: 'RS256', subject_type: 'pairwise' })
  t.notMatch(answering({}), { subject_type: 'pairwise' })
})

t.test('a member of the wrong kind is refused by its name', async t => {
  for (const [member, values] of Object.entries<Json[]>({
    client_uri: ['x', '/x', 'https:x', 'https://', 'ftp://a.example/', 'javascript:alert(1)', 'https://u:p@a.example/', 'https://@a.example/', 'https://a.example/ x', 'https://a.example/\u00e9', `https://a.example/${'x'.repeat(2_048)}`, 1, {}, true],
    logo_uri: ['data:image/png;base64,x'],
    'policy_uri#de': ['x', 1],
    'client_name#de': ['\u200b', 1, ['x'], 'x\u0000', '\ud800', 'x'.repeat(1_001)],
    contacts: ['ops@a.example', [''], [1], [null], ['x'.repeat(256)], ['x\u0000'], Array.from({ length: 21 }, () => 'x')],
    software_id: [1, 'x'.repeat(256), '\ud800'],
    software_version: [{}, 'x\u0000'],
    token_endpoint_auth_signing_alg: ['ES256', 'none', 'HS256', 1],
    id_token_signed_response_alg: [1, {}],
    subject_type: [true]
  })) {
    for (const value of values) t.throws(() => registering({ [member]: value }), refused(new RegExp(`^${member}`)), `${member} ${JSON.stringify(value).slice(0, 60)}`)
  }
})

t.test('language tags are the same in upper and lower case, so that one may not be there twice', async t => {
  t.throws(() => registering({ 'client_name#de': 'a', 'client_name#DE': 'b' }), refused(/#DE.*twice/))
  t.match(answering({ 'client_name#de': 'a', 'client_name#de-AT': 'b', 'client_uri#de': 'https://a.example/' }), { 'client_name#de': 'a', 'client_name#de-AT': 'b' })
})

t.test('what the caller wrote stands in a sentence only where it is short and printable', async t => {
  for (const text of ['x'.repeat(61), 'ES\u0131', 'a\nb', 'a\u001b[31m']) {
    t.throws(() => registering({ token_endpoint_auth_signing_alg: text, application_type: 'native' }), refused(/what is not shown here/), JSON.stringify(text))
    t.throws(() => registering({ token_endpoint_auth_method: text }), refused(/what is not shown here/), JSON.stringify(text))
  }
})
