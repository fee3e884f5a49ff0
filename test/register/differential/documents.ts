// Registration documents, well-formed ones and ones with odd members, made from a seed.
import fc from 'fast-check'
import { oddMembers, oddPairs, oddRedirectUris } from './odd-members.ts'
import { certifiedKeys } from './key-sets.ts'

export type Document = Record<string, unknown>

export interface Generated {
  /** As it goes over the wire. */
  body: string
  /** Null: the body is no JSON object. */
  document: Document | null
  /** How many things are odd about it; 0: nothing. */
  oddities: number
}

const notObjects = ['[]', 'null', '"text"', '42', 'true', '', '{', '{"redirect_uris":}', '[{"redirect_uris":["https://app.example.com/cb"]}]']

const httpsUris = fc.uniqueArray(fc.constantFrom(
  'https://app.example.com/cb', 'https://app.example.com', 'https://app.example.com:8443/cb?tenant=a&x=%20', 'https://claude.ai/api/mcp/auth_callback',
  'https://vscode.dev/redirect', 'https://xn--e1afmkfd.example/cb', 'https://APP.example.com/Callback'
), { minLength: 1, maxLength: 3 })

const installedUris = fc.uniqueArray(fc.constantFrom(
  'http://localhost:33418/', 'http://localhost/callback', 'http://127.0.0.1:51000/oauth/callback', 'http://127.0.0.1/', 'https://vscode.dev/redirect',
  'cursor://anysphere.cursor-retrieval/oauth/callback', 'com.example.app://auth'
), { minLength: 1, maxLength: 3 })

const usual = {
  client_name: fc.constantFrom('Orders app', 'Ünïcödé 名前', 'x'),
  client_uri: fc.constantFrom('https://app.example.com', 'http://app.example.com/about?x=1'),
  logo_uri: fc.constant('https://app.example.com/logo.png'),
  tos_uri: fc.constant('https://app.example.com/terms'),
  policy_uri: fc.constant('https://app.example.com/privacy'),
  contacts: fc.constantFrom(['ops@example.com'], ['ops@example.com', 'a.b+c@example.org']),
  scope: fc.constantFrom('openid', 'openid profile email', 'offline_access openid'),
  software_id: fc.constant('2e6dc280-f3c3-4e01-99a7-8181dbd1d23d'),
  software_version: fc.constant('1.0.0'),
  post_logout_redirect_uris: fc.constant(['https://app.example.com/out']),
  initiate_login_uri: fc.constant('https://app.example.com/login'),
  'client_name#ja': fc.constant('注文'),
  client_id: fc.constant('the-id-i-want'),
  client_secret: fc.constant('the-secret-i-want'),
  x_unheard_of: fc.constantFrom<unknown>(true, null, { deep: [1, null] })
}

const code = fc.constant(['code'])
const codeGrants = fc.constantFrom(['authorization_code'], ['authorization_code', 'refresh_token'])

const kinds = [
  // A web application with a secret; what it leaves out is defaulted.
  fc.record({
    redirect_uris: httpsUris,
    token_endpoint_auth_method: fc.constantFrom('client_secret_basic', 'client_secret_post'),
    grant_types: fc.oneof(codeGrants, fc.constant(['authorization_code', 'client_credentials'])),
    response_types: code,
    application_type: fc.constant('web')
  }, { requiredKeys: ['redirect_uris'] }),
  // A hosted public client: claude.ai, ChatGPT.
  fc.record({ redirect_uris: httpsUris, token_endpoint_auth_method: fc.constant('none'), grant_types: codeGrants, response_types: code }, {
    requiredKeys: ['redirect_uris', 'token_endpoint_auth_method']
  }),
  // An installed one: VS Code, Cursor, mcp-remote.
  fc.record({
    redirect_uris: installedUris,
    token_endpoint_auth_method: fc.constant('none'),
    grant_types: codeGrants,
    response_types: code,
    application_type: fc.constant('native')
  }, { requiredKeys: ['redirect_uris', 'token_endpoint_auth_method', 'application_type'] }),
  // A service.
  fc.record({
    grant_types: fc.constantFrom(['client_credentials'], ['client_credentials', 'urn:ietf:params:oauth:grant-type:jwt-bearer']),
    response_types: fc.constant([]),
    redirect_uris: fc.constant([]),
    token_endpoint_auth_method: fc.constantFrom('client_secret_basic', 'client_secret_post')
  }, { requiredKeys: ['grant_types', 'response_types'] }),
  // One that signs its assertions.
  fc.record({
    redirect_uris: httpsUris,
    token_endpoint_auth_method: fc.constant('private_key_jwt'),
    jwks: fc.constantFrom(...certifiedKeys),
    grant_types: fc.oneof(codeGrants, fc.constant(['authorization_code', 'client_credentials']))
  }, { requiredKeys: ['redirect_uris', 'token_endpoint_auth_method', 'jwks'] })
]

const wellFormed: fc.Arbitrary<Document> = fc.tuple(fc.oneof(...kinds), fc.record(usual, { requiredKeys: [] })).map(parts => Object.assign({}, ...parts))

const oddUri = fc.record({
  member: fc.constantFrom('redirect_uris', 'redirect_uris', 'redirect_uris', 'post_logout_redirect_uris'),
  uri: fc.constantFrom(...oddRedirectUris),
  stands: fc.constantFrom('alone', 'first', 'last')
})

type Change = (document: Document) => Document

const oddity: fc.Arbitrary<Change> = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...oddMembers).map((members): Change => document => ({ ...document, ...members })) },
  { weight: 1, arbitrary: fc.constantFrom(...oddPairs).map((members): Change => document => ({ ...document, ...members })) },
  {
    weight: 4,
    arbitrary: oddUri.map(({ member, uri, stands }): Change => document => {
      const others = Array.isArray(document[member]) && stands !== 'alone' ? document[member] : []
      return { ...document, [member]: stands === 'first' ? [uri, ...others] : [...others, uri] }
    })
  }
)

/** One of them, as fast-check makes and shrinks it. */
export const documents: fc.Arbitrary<Generated> = fc.tuple(wellFormed, fc.oneof(
  { weight: 6, arbitrary: fc.array(oddity, { maxLength: 0 }) },
  { weight: 13, arbitrary: fc.array(oddity, { minLength: 1, maxLength: 1 }) },
  { weight: 3, arbitrary: fc.array(oddity, { minLength: 2, maxLength: 4 }) }
)).map(([base, oddities]) => {
  const body = JSON.stringify(oddities.reduce((document, odd) => odd(document), base))
  return { body, document: JSON.parse(body) as Document, oddities: oddities.length }
})

const noObjects: fc.Arbitrary<Generated> = fc.constantFrom(...notObjects).map(body => ({ body, document: null, oddities: 1 }))

/** The same seed makes the same documents. */
export function generateDocuments (seed: number, count: number): Generated[] {
  return fc.sample(fc.oneof({ weight: 40, arbitrary: documents }, { weight: 1, arbitrary: noObjects }), { seed, numRuns: count })
}
