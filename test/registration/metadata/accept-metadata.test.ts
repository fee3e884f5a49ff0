import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { RegistrationError } from '../../../src/registration/errors.ts'
import { acceptMetadata, judgeMetadata } from '../../../src/registration/metadata/accept-metadata.ts'
import { documentOf } from '../../../src/registration/metadata/registered-document.ts'
import { defaultRules, type PolicyRules } from '../../../src/registration/policy.ts'
import type { Json } from '../../../src/registration/registration.ts'
import { platformsOf } from '../../../src/registration/metadata/platforms.ts'
import { answering, certifiedKey, context, registering, requestOf, type Document } from './requests.ts'

const refused = (publicMessage: RegExp, code = 'invalid_client_metadata') => ({ code, publicMessage })

t.test('a document that says nothing but where to redirect gets the defaults of RFC 7591', async t => {
  t.strictSame(answering({}), {
    client_name: 'Unnamed client',
    redirect_uris: ['https://app.example.com/cb'],
    grant_types: ['authorization_code'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic'
  })
})

t.test('null and empty members are as good as absent', async t => {
  const empty = { client_name: '', token_endpoint_auth_method: '', scope: '', application_type: '', jwks: '', jwks_uri: '', entra_platform: '', client_uri: '', contacts: [], tos_uri: null }
  t.strictSame(answering(empty), answering({}))
})

t.test('what is unknown, or of no meaning in Entra, is dropped and not echoed', async t => {
  const unknown = { client_id: 'mine', client_secret: 'mine', sector_identifier_uri: 'https://x.example/', request_uris: ['https://x.example/'], software_statement: 'e.y.J', 'client_name#': 'x', 'jwks#de': 'x' }
  t.strictSame(answering(unknown), answering({}))
  t.strictSame(answering(JSON.parse('{"__proto__": {"client_uri": "x"}, "constructor": "x", "toString": "x"}')), answering({}))
})

t.test('the payloads of real clients register, on the platform where Entra redeems their codes', async t => {
  const vsCode = ['https://insiders.vscode.dev/redirect', 'https://vscode.dev/redirect', 'http://127.0.0.1/', 'http://127.0.0.1:33418/']
  const both = ['authorization_code', 'refresh_token']
  const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'
  for (const [client, document, platforms] of [
    ['VS Code', { redirect_uris: vsCode, grant_types: [...both, deviceCode], response_types: ['code'], token_endpoint_auth_method: 'none', application_type: 'native' }, { publicClient: vsCode.slice(0, 3) }],
    ['Claude Code', { redirect_uris: ['http://localhost:51234/callback'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'none' }, { publicClient: ['http://localhost:51234/callback'] }],
    ['claude.ai', { redirect_uris: ['https://claude.ai/api/mcp/auth_callback'], grant_types: both, response_types: ['code'], token_endpoint_auth_method: 'client_secret_post' }, { web: ['https://claude.ai/api/mcp/auth_callback'] }],
    ['claude.ai without a secret', { redirect_uris: ['https://claude.ai/api/mcp/auth_callback'], grant_types: both, token_endpoint_auth_method: 'none' }, { publicClient: ['https://claude.ai/api/mcp/auth_callback'] }],
    ['ChatGPT', { redirect_uris: ['https://chatgpt.com/connector/oauth/abc'], token_endpoint_auth_method: 'none' }, { publicClient: ['https://chatgpt.com/connector/oauth/abc'] }],
    ['mcp-remote', { redirect_uris: ['http://localhost:35081/oauth/callback'], token_endpoint_auth_method: 'none', grant_types: both, response_types: ['code'], client_name: 'MCP CLI Proxy', client_uri: 'https://github.com/modelcontextprotocol/mcp-cli', software_id: '2e6dc280', software_version: '0.15.1', scope: 'openid offline_access', application_type: 'native' }, { publicClient: ['http://localhost:35081/oauth/callback'] }],
    ['Cursor', { redirect_uris: ['cursor://anysphere.cursor-mcp/oauth/callback'], token_endpoint_auth_method: 'none' }, { publicClient: ['cursor://anysphere.cursor-mcp/oauth/callback'] }]
  ] as Array<[string, Document, object]>) {
    const metadata = registering(document)
    const placed = platformsOf(metadata.redirectUris, metadata.tokenEndpointAuthMethod, metadata.platform)
    t.strictSame(placed, { web: [], publicClient: [], spa: [], ...platforms }, client)
    const { grant_types: asked, ...rest } = document
    t.match(documentOf(metadata), rest, `${client} reads what it has sent`)
    t.strictSame(metadata.grantTypes, (asked as string[] ?? ['authorization_code']).filter(grant => grant !== deviceCode), client)
  }
})

t.test('an auth method that Entra or the policy lacks is refused with those it has', async t => {
  for (const method of ['client_secret_jwt', 'tls_client_auth', 'self_signed_tls_client_auth', 'toString', 'none ']) {
    t.throws(() => registering({ token_endpoint_auth_method: method }), refused(/client_secret_basic, client_secret_post, none, private_key_jwt/), method)
  }
  t.throws(() => registering({ token_endpoint_auth_method: 'none' }, { tokenEndpointAuthMethods: ['client_secret_post'] }), refused(/'none'.*Accepted are client_secret_post\./))
  t.equal(registering({}, { tokenEndpointAuthMethods: ['none', 'client_secret_post'] }).tokenEndpointAuthMethod, 'client_secret_post', 'none asked for: one that is allowed')
  t.throws(() => registering({}, { tokenEndpointAuthMethods: [] }), refused(/nothing/))
})

t.test('an application type is web or native', async t => {
  t.equal(registering({ application_type: 'native' }).applicationType, 'native')
  t.throws(() => registering({ application_type: 'desktop' }), refused(/'desktop'.*web and native/))
})

t.test('a registered document has at most 64 KiB', async t => {
  const uri = (index: number) => `https://a.example/${index}${'x'.repeat(200)}`
  const many = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`client_uri#de-x-a${index}`, uri(index)]))
  t.throws(() => registering(many), refused(/65536/))
})

const key = certifiedKey('signing')
const words = fc.constantFrom('', 'none', 'code', 'openid', 'web', 'native', 'spa', 'publicClient', 'RS256', 'https://a.example/', 'x\u0000', '\ud800', 'gr\u00fc\u00df', '"\\')
const anyJson = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>
const grants = fc.constantFrom('authorization_code', 'refresh_token', 'client_credentials', 'implicit', 'password', 'urn:ietf:params:oauth:grant-type:device_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer', 'x')
const uris = fc.constantFrom('https://a.example/cb', 'http://localhost:1/cb', 'http://localhost:2/cb', 'http://127.0.0.1/', 'https://localhost/cb', 'myapp://cb', 'https://10.0.0.1/', 'nonsense')
const mostly = <T>(good: fc.Arbitrary<T>, other: fc.Arbitrary<Json>): fc.Arbitrary<T | Json> =>
  fc.oneof({ weight: 8, arbitrary: good }, { weight: 1, arbitrary: other })
const members: Record<string, fc.Arbitrary<Json>> = {
  client_name: mostly(fc.string(), words),
  redirect_uris: fc.array(mostly(uris, words), { maxLength: 3 }),
  grant_types: fc.array(grants, { maxLength: 4 }),
  response_types: fc.array(mostly(fc.constant('code'), words), { maxLength: 2 }),
  token_endpoint_auth_method: mostly(fc.constantFrom('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt'), words),
  scope: mostly(fc.constantFrom('openid  offline_access', 'orders.read unknown', ' orders.write'), words),
  application_type: mostly(fc.constantFrom('web', 'native'), words),
  entra_platform: mostly(fc.constantFrom('web', 'publicClient', 'spa'), words),
  jwks: mostly(fc.constantFrom<Json>({ keys: [key] }, { keys: [{ ...key, use: 'enc', extra: [1] }], more: 1 }), anyJson),
  entra_federated_identity_credentials: mostly(fc.constant<Json>([{ issuer: 'https://issuer.example/', subject: 'a' }]), anyJson),
  client_uri: mostly(fc.constant('https://a.example/'), anyJson),
  contacts: mostly(fc.array(fc.string()), anyJson),
  post_logout_redirect_uris: mostly(fc.array(uris), anyJson),
  subject_type: words,
  id_token_signed_response_alg: words,
  token_endpoint_auth_signing_alg: words,
  software_id: mostly(fc.string(), anyJson),
  'client_name#ja': mostly(fc.string(), anyJson),
  'tos_uri#fr-CA': words
}
// Of a document that is good, a few members are something else: so that about as many are accepted as refused.
const changes = fc.array(fc.oneof(...Object.entries(members).map(([name, values]) => values.map((value): [string, Json] => [name, value]))), { maxLength: 5 })
const documents = changes.map((entries): Document => ({ redirect_uris: ['https://a.example/cb'], ...Object.fromEntries(entries) }))
const bounds: fc.Arbitrary<Partial<PolicyRules>> = fc.record({
  grantTypes: fc.option(fc.array<string>(grants)),
  tokenEndpointAuthMethods: fc.option(fc.array<string>(fc.constantFrom('none', 'client_secret_post', 'private_key_jwt'))),
  redirectHosts: fc.option(fc.constant<string[]>(['*.example', 'localhost'])),
  redirectSchemes: fc.option(fc.constant<string[]>([])),
  scopes: fc.option(fc.constant<string[]>(['orders.read']))
}, { requiredKeys: [] })
const policies = fc.oneof(fc.constant({}), bounds).map((rules): PolicyRules => ({ ...defaultRules, ...rules }))

t.test('whatever comes in is registered or refused in ASCII, and what is registered registers the same again', async t => {
  let accepted = 0
  let refusals = 0
  fc.assert(fc.property(documents, policies, (document, rules) => {
    const allowed = { ...context, rules }
    let answer
    try {
      answer = documentOf(acceptMetadata(requestOf(document), allowed))
    } catch (error) {
      if (!(error instanceof RegistrationError)) throw error
      refusals += 1
      return /^[\x20-\x7e]+\.$/.test(error.publicMessage)
    }
    accepted += 1
    const stored = JSON.parse(JSON.stringify(answer)) as Document
    return isDeepStrictEqual(documentOf(acceptMetadata(requestOf(stored), allowed)), answer) &&
      Object.values(stored).every(value => value !== null && value !== '') && JSON.stringify(stored).isWellFormed()
  }), { numRuns: 3_000 })
  t.ok(accepted > 400, `${accepted} were accepted`)
  t.ok(refusals > 400, `${refusals} were refused`)
})

t.test('members of any shape are no way past the rules', async t => {
  const names = fc.oneof(fc.constantFrom('contacts', 'software_id', 'tos_uri', 'client_uri#x', 'post_logout_redirect_uris', '__proto__'), fc.string())
  const signing = requestOf({ redirect_uris: ['https://a.example/'], token_endpoint_auth_method: 'private_key_jwt' })
  fc.assert(fc.property(fc.dictionary(names, anyJson), anyJson, anyJson, (members, jwks, federatedIdentities) => {
    try {
      acceptMetadata({ ...signing, jwks, federatedIdentities, members }, context)
      return true
    } catch (error) {
      return error instanceof RegistrationError
    }
  }), { numRuns: 2_000 })
})

t.test('a document can be judged with every refusal, of which the registration names the first', async t => {
  const request = requestOf({ application_type: 'desktop', redirect_uris: ['https://a.example/'], scope: '"', contacts: 7, client_name: 'x'.repeat(2_000) })
  const judged = judgeMetadata(request, context)
  const refusals = 'refusals' in judged ? judged.refusals.map(({ publicMessage }) => publicMessage) : []
  t.match(refusals, [/application_type/, /client_name/, /scope must be/], 'members hang on application_type')
  t.equal(refusals.length, 3)
  t.throws(() => acceptMetadata(request, context), new RegistrationError('invalid_client_metadata', refusals[0] ?? ''))
  const good = requestOf({ redirect_uris: ['https://a.example/'] })
  t.strictSame(judgeMetadata(good, context), { metadata: acceptMetadata(good, context) })
})
