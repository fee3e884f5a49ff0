import t from 'tap'
import { konnectApplication, request, startTestBroker, KONNECT_KEY } from '../support/broker.ts'

t.test('a create is accepted', async t => {
  const { konnect, url } = await startTestBroker(t)
  const accepted = async (name: string, body: unknown) => {
    const answer = await konnect('POST', '', body)
    t.equal(answer.status, 201, name, { answer: answer.body })
  }
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(konnectApplication({ client_name: `without ${names.join()}` })).filter(([name]) => !names.includes(name)))

  await accepted('with all members of the contract', konnectApplication())
  await accepted('with the Verify button\'s portal id, which is no UUID', konnectApplication({ portal_id: 'test portal_id' }))
  await accepted('with ids that are no UUIDs', konnectApplication({ organization_id: 'x', developer_id: '', auth_strategy_id: 'y', dcr_provider_id: 'z' }))
  await accepted('with unknown members', konnectApplication({ client_name: 'unknown', team_id: 't', nested: { a: [1] } }))
  await accepted('with a null description', konnectApplication({ client_name: 'null description', application_description: null }))
  await accepted('without a description', without('application_description'))
  await accepted('without the members Konnect added late', without('scopes', 'auth_strategy_id', 'dcr_provider_id', 'developer_id'))
  await accepted('with nothing but a name', { client_name: 'only a name' })
  await accepted('with null members', { client_name: 'nulls', redirect_uris: null, grant_types: null, scopes: null, token_endpoint_auth_method: null, portal_id: null })
  await accepted('with one redirect URI as a string', { client_name: 'string', redirect_uris: 'https://example.com/cb' })
  await accepted('with the strategy\'s auth methods as grant types', konnectApplication({ grant_types: ['bearer', 'session', 'client_credentials', 'kong_oauth2'] }))
  await accepted('with the grant types of an interactive client', konnectApplication({ grant_types: ['authorization_code', 'refresh_token', 'implicit'] }))
  t.equal((await request(`${url}/konnect/`, 'POST', konnectApplication({ client_name: 'slash' }), { 'x-api-key': KONNECT_KEY })).status, 201, 'with a trailing slash')
})

t.test('a JSON content type without a body is no body, on every route that has none', async t => {
  const { konnect } = await startTestBroker(t)
  const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
  const json = { 'content-type': 'application/json' }
  const added = await konnect('POST', `/${clientId}/secrets`, undefined, json)
  t.equal(added.status, 201)
  t.equal((await konnect('GET', `/${clientId}/secrets/`, undefined, json)).status, 200)
  t.equal((await konnect('DELETE', `/${clientId}/secrets/${added.body.secret_id}`, undefined, json)).status, 204)
  t.equal((await konnect('POST', `/${clientId}/new-secret/`, undefined, json)).status, 200)
  t.equal((await konnect('DELETE', `/${clientId}/`, undefined, json)).status, 204)
})

t.test('a create that can\'t be served says why in two strings', async t => {
  const { konnect, simulator } = await startTestBroker(t)
  const refused = async (name: string, body: unknown, status: number, error: string, description: RegExp, headers = {}) => {
    const answer = await konnect('POST', '', body, headers)
    t.match(answer, { status, body: { error, error_description: description } }, name)
    t.equal(typeof answer.body.error_description, 'string')
  }
  await refused('no name', { application_description: 'x' }, 400, 'invalid_client_metadata', /client_name/)
  await refused('an empty name', { client_name: ' \u200b ' }, 400, 'invalid_client_metadata', /client_name must not be empty/)
  await refused('a name with NUL', { client_name: 'a\u0000b' }, 400, 'invalid_request', /NUL/)
  await refused('a member nobody knows with NUL', { client_name: 'a', x: { '\u0000': 1 } }, 400, 'invalid_request', /NUL/)
  await refused('half a surrogate pair', '{"client_name":"a\\ud800"}', 400, 'invalid_request', /surrogate/)
  await refused('deep nesting', `{"client_name":"a","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 400, 'invalid_request', /nested/)
  await refused('a name that is no string', { client_name: 7 }, 400, 'invalid_client_metadata', /client_name/)
  await refused('http to another host', { client_name: 'a', redirect_uris: ['https://ok.example/', 'http://evil.example'] }, 400, 'invalid_redirect_uri', /redirect_uris\[1\].*http/)
  await refused('no JSON', '{"client_name":', 400, 'invalid_request', /./)
  await refused('no object', '[]', 400, 'invalid_client_metadata', /./)
  await refused('another content type', 'client_name=a', 415, 'unsupported_media_type', /./, { 'content-type': 'application/x-www-form-urlencoded' })
  await refused('too large', { client_name: 'a', application_description: 'x'.repeat(300_000) }, 413, 'request_too_large', /./)
  await refused('__proto__', '{"client_name":"a","__proto__":{"x":1}}', 400, 'invalid_request', /./)
  t.equal(simulator.control.journal.entries({ path: '/v1.0/' }).length, 0, 'Graph was never asked')
})
