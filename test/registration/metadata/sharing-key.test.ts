import t from 'tap'
import { sharingKeyOf } from '../../../src/registration/metadata/sharing-key.ts'
import { registering, type Document } from './requests.ts'

const keyOf = (document: Document) => sharingKeyOf(registering({ token_endpoint_auth_method: 'none', ...document }), text => text)

const base: Document = {
  client_name: 'Tool',
  redirect_uris: ['http://localhost:1/cb', 'https://a.example/cb'],
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid orders.read',
  contacts: ['a', 'b'],
  software_id: 'x',
  software_version: '1'
}

t.test('public registrations that differ in ports of loopback and in order only are the same', async t => {
  const reordered = {
    software_version: '1',
    contacts: ['b', 'a'],
    scope: 'orders.read openid',
    grant_types: ['refresh_token', 'authorization_code'],
    redirect_uris: ['https://a.example/cb', 'http://localhost:65000/cb', 'http://localhost:2/cb'],
    software_id: 'x',
    client_name: 'Tool'
  }
  t.type(keyOf(base), 'string')
  t.equal(keyOf(reordered), keyOf(base))
})

t.test('whatever else differs makes another client', async t => {
  for (const change of [
    { client_name: 'Tool 2' }, { redirect_uris: ['http://localhost:1/cb'] }, { redirect_uris: ['http://localhost:1/other', 'https://a.example/cb'] }, { scope: 'openid' }, { scope: null },
    { grant_types: ['authorization_code'] }, { software_version: '2' }, { contacts: ['a'] }, { client_uri: 'https://a.example/' }, { 'client_name#de': 'Werkzeug' },
    { application_type: 'native' }, { entra_platform: 'spa' }, { redirect_uris: ['http://127.0.0.1:1/cb', 'https://a.example/cb'] }
  ]) t.not(keyOf({ ...base, ...change }), keyOf(base), JSON.stringify(change))
})

t.test('a client with a secret of its own, or without a redirect URI, shares nothing', async t => {
  t.equal(keyOf({ ...base, token_endpoint_auth_method: 'client_secret_basic' }), null)
  const device = registering({ token_endpoint_auth_method: 'none', redirect_uris: [], grant_types: ['urn:ietf:params:oauth:grant-type:device_code'] }, { grantTypes: null })
  t.equal(sharingKeyOf(device, text => text), null)
})
