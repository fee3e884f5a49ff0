// Members with values that a careless, unusual or hostile client sends. What each is worth is for the two implementations to say.
import { keysWithoutCertificate, refusedKeys } from './key-sets.ts'

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

export const oddRedirectUris: string[] = [
  'https://app.example.com/cb#fragment', 'https://app.example.com/cb#',
  'javascript:alert(1)', 'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'about:blank', 'blob:https://app.example.com/1',
  'http://app.example.com/cb', 'http://192.168.0.1/cb', 'http://localhost.example.com/',
  'http://localhost:3000/cb', 'http://127.0.0.1/cb', 'https://localhost/cb', 'http://[::1]:3000/cb',
  'cursor://callback', 'com.example.app://cb', 'com.example.app:/oauth2redirect', 'myapp:callback', 'urn:ietf:wg:oauth:2.0:oob',
  'https://user:pw@app.example.com/cb', 'https://user@app.example.com/cb', 'https://app.example.com/a/../b', 'https://app.example.com/%2e%2e/b',
  'https://ex%61mple.com/cb', 'https:app.example.com/cb', 'https:\\\\app.example.com\\cb', 'https://exämple.com/cb', 'https://app.example.com/a b',
  'https://*.example.com/cb', 'https://app.example.com/*', 'https://app.example.com/cb;v=1', 'https://app.example.com/(cb)', 'https://app.example.com/it\'s',
  'https://app.example.com/a,b', `https://app.example.com/${'a'.repeat(250)}`, 'https://[2001:db8::1]/cb',
  'https://10.0.0.1/cb', 'https://169.254.169.254/latest', 'https://192.168.1.1/cb', 'https://127.0.0.1/cb',
  'https://app.example.com/cb', '/relative', 'app.example.com/cb', '', ' ', 'https://', 'http://', ':', 'https://app.example.com:99999/'
]

const wrongLists: unknown[] = ['text', 42, {}, [42], [null], [['https://app.example.com/cb']], true]
const wrongTexts: unknown[] = [42, true, {}, ['text'], []]
const nothing: unknown[] = [null, '']
const badWebUrls: unknown[] = ['ftp://app.example.com/', 'javascript:alert(1)', 'about us', '/about', 'https://', 'mailto:ops@example.com']

const values: Record<string, unknown[]> = {
  redirect_uris: [
    ...wrongLists, null, [], undefined, ['https://app.example.com/cb', 'https://app.example.com/cb'], ['https://app.example.com/cb', 42],
    Array.from({ length: 300 }, (_, index) => `https://app.example.com/${index}`)
  ],
  post_logout_redirect_uris: [...wrongLists, null, []],
  grant_types: [
    ...wrongLists, null, [], undefined, [''], ['authorization_code'], ['authorization_code', 'authorization_code'], ['refresh_token'],
    ['client_credentials'], ['client_credentials', 'refresh_token'], ['authorization_code', 'client_credentials'], ['implicit'],
    ['authorization_code', 'implicit'], ['password'], ['authorization_code', 'password'], ['authorization_code', 'refresh_token', DEVICE_CODE], [DEVICE_CODE],
    [JWT_BEARER], ['authorization_code', JWT_BEARER], ['authorization_code', 'unheard-of'], ['unheard-of'], ['client_credentials', 'unheard-of']
  ],
  response_types: [
    ...wrongLists, null, [], undefined, [''], ['code'], ['code', 'code'], ['token'], ['code', 'token'], ['id_token'], ['code id_token'],
    ['code', 'id_token token'], ['none'], ['unheard-of']
  ],
  token_endpoint_auth_method: [
    ...wrongTexts, ...nothing, undefined, 'none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt', 'client_secret_jwt',
    'tls_client_auth', 'unheard-of', 'None'
  ],
  application_type: [...wrongTexts, ...nothing, undefined, 'web', 'native', 'desktop'],
  scope: [
    ...wrongTexts, ...nothing, 'openid', 'openid openid', 'openid unheard-of', 'unheard-of', 'openid  profile', ' openid', 'openid "quoted"', 'openid\tprofile',
    'öpenid', 'openid api://5b1c6a0e-7a55-4b52-9d5d-0d5f5a1d4a01/read'
  ],
  client_name: [...wrongTexts, ...nothing, 'n'.repeat(200), '<script>', 'two\nlines'],
  jwks: [...refusedKeys, ...keysWithoutCertificate, null, undefined],
  jwks_uri: [...wrongTexts, ...nothing, ...badWebUrls, 'https://app.example.com/jwks.json'],
  contacts: [...wrongLists, null, [], [''], ['+49 30 1234567'], ['ops at example.com'], ['https://app.example.com/contact']],
  client_uri: [...wrongTexts, ...nothing, ...badWebUrls],
  logo_uri: [...wrongTexts, ...nothing, ...badWebUrls],
  tos_uri: [...wrongTexts, ...nothing, ...badWebUrls],
  policy_uri: [...wrongTexts, ...nothing, ...badWebUrls],
  initiate_login_uri: [...wrongTexts, ...nothing, ...badWebUrls, 'http://app.example.com/login'],
  software_id: [...wrongTexts, ...nothing],
  software_version: [...wrongTexts, ...nothing],
  'client_name#ja': [...wrongTexts, ...nothing],
  'tos_uri#fr': [...wrongTexts, ...nothing, ...badWebUrls, 'https://app.example.com/conditions'],
  id_token_signed_response_alg: [...wrongTexts, 'RS256', 'ES256', 'none'],
  subject_type: [...wrongTexts, 'public', 'pairwise'],
  client_id: [42, null, ''],
  client_secret: [42, null, ''],
  client_secret_expires_at: ['soon', -1, null],
  registration_access_token: ['x', null]
}

/** Each entry is one oddity; a member that is undefined is left out. */
export const oddMembers: Array<Record<string, unknown>> = Object.entries(values).flatMap(([member, odd]) => odd.map(value => ({ [member]: value })))

const service = { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic' }

/** Members that are odd together. */
export const oddPairs: Array<Record<string, unknown>> = [
  { jwks: undefined, jwks_uri: 'https://app.example.com/jwks.json' },
  { jwks: keysWithoutCertificate[1], jwks_uri: 'https://app.example.com/jwks.json' },
  ...keysWithoutCertificate.map(jwks => ({ jwks, token_endpoint_auth_method: 'private_key_jwt' })),
  { ...service, response_types: undefined, redirect_uris: undefined },
  { ...service, grant_types: ['client_credentials', 'refresh_token'], response_types: undefined, redirect_uris: [] },
  { ...service, response_types: [], token_endpoint_auth_method: 'none' },
  { redirect_uris: ['http://localhost:3000/cb'], application_type: 'web' },
  { redirect_uris: [], response_types: [] },
  { grant_types: ['refresh_token'], response_types: [] },
  { grant_types: [], response_types: [] }
]
