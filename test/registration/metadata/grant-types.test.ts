import t from 'tap'
import { answering, registering, type Document } from './requests.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
const everything = { grantTypes: null }
const refused = (publicMessage: RegExp, code = 'invalid_client_metadata') => ({ code, publicMessage })

t.test('grant and response types are cut down to what can be registered, made consistent, and echoed', async t => {
  for (const [name, document, grants, responses] of [
    ['implicit goes beside code', { grant_types: ['authorization_code', 'implicit'], response_types: ['code', 'token', 'code id_token'] }, ['authorization_code'], ['code']],
    ['password goes', { grant_types: ['password', 'client_credentials'] }, ['client_credentials'], []],
    ['each once', { grant_types: ['authorization_code', 'authorization_code'] }, ['authorization_code'], ['code']],
    ['code is added', { grant_types: ['authorization_code'], response_types: [] }, ['authorization_code'], ['code']],
    ['code adds its grant', { grant_types: ['refresh_token'], response_types: ['code'] }, ['refresh_token', 'authorization_code'], ['code']],
    ['no redirect grant, no response type', { grant_types: ['client_credentials'], redirect_uris: [] }, ['client_credentials'], []],
    ['code without a redirect URI goes', { grant_types: ['client_credentials'], response_types: ['code'], redirect_uris: [] }, ['client_credentials'], []],
    ['refresh_token goes where nothing yields one', { grant_types: ['client_credentials', 'refresh_token'] }, ['client_credentials'], []],
    ['device_code yields refresh tokens', { grant_types: [DEVICE_CODE, 'refresh_token'], redirect_uris: [] }, [DEVICE_CODE, 'refresh_token'], []],
    ['on-behalf-of yields refresh tokens', { grant_types: [JWT_BEARER, 'refresh_token'] }, [JWT_BEARER, 'refresh_token'], []],
    ['a public client has no token of its own', { grant_types: ['authorization_code', 'client_credentials', JWT_BEARER], token_endpoint_auth_method: 'none' }, ['authorization_code'], ['code']]
  ] as Array<[string, Document, string[], string[]]>) {
    t.match(answering(document, everything), { grant_types: grants, response_types: responses }, name)
  }
})

t.test('a client that could do nothing is refused with what would be accepted', async t => {
  const accepted = new RegExp(`authorization_code, refresh_token, client_credentials, ${DEVICE_CODE}, ${JWT_BEARER}\\.$`)
  t.throws(() => registering({ grant_types: [] }, everything), refused(accepted))
  t.throws(() => registering({ grant_types: ['implicit', 'password'] }, everything), refused(accepted))
  t.throws(() => registering({ response_types: ['token', 'id_token', 'none'] }), refused(/code\.$/))
  t.throws(() => registering({ grant_types: ['refresh_token'] }), refused(/authorization_code/))
  t.throws(() => registering({ grant_types: ['client_credentials'], token_endpoint_auth_method: 'none' }), refused(/method none.*authorization_code, refresh_token\.$/))
})

t.test('a policy takes grants away, and never gives implicit and password back', async t => {
  t.strictSame(registering({ grant_types: ['authorization_code', 'client_credentials'] }, { grantTypes: ['client_credentials'] }).grantTypes, ['client_credentials'])
  t.strictSame(registering({ grant_types: ['authorization_code', 'client_credentials'] }, { grantTypes: ['client_credentials'] }).responseTypes, [])
  t.throws(() => registering({}, { grantTypes: ['client_credentials'] }), refused(/Accepted are client_credentials\.$/))
  t.throws(() => registering({ grant_types: ['password'] }, { grantTypes: ['password', 'implicit'] }), refused(/Accepted are nothing/))
  t.throws(() => registering({ grant_types: [DEVICE_CODE] }), refused(/Accepted/), 'not by the default policy')
})

t.test('redirect URIs are required for the grant that redirects, and for no other', async t => {
  t.throws(() => registering({ redirect_uris: [] }), refused(/authorization_code/, 'invalid_redirect_uri'))
  t.throws(() => registering({ redirect_uris: null }), refused(/authorization_code/, 'invalid_redirect_uri'))
  t.strictSame(answering({ redirect_uris: null, grant_types: ['client_credentials'] }).redirect_uris, [])
})
