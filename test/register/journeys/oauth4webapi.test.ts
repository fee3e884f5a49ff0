// oauth4webapi 3: every answer of registration and management, good and bad, as a strict client reads it.
import * as oauth from 'oauth4webapi'
import t from 'tap'
import { commandLine } from '../../../src/administration/operator.ts'
import { callersIn } from '../../../src/cli/callers.ts'
import { openDatabase } from '../../../src/store/prisma-client.ts'
import { INITIAL_ACCESS_TOKEN, request, startTestBroker } from '../../support/broker.ts'

const insecure = { [oauth.allowInsecureRequests]: true } as const

type Document = Partial<oauth.OmitSymbolProperties<oauth.Client>>

const document: Document = {
  client_name: 'A service',
  redirect_uris: ['https://app.example.com/callback'],
  grant_types: ['authorization_code', 'client_credentials'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_post'
}
const SCOPE = { scope: 'api://gateway-v2/.default' }

t.test('oauth4webapi', async t => {
  const broker = await startTestBroker(t, { isAtItsIssuer: true, environment: { REGISTRATION_MODE: 'token' } })
  const issuer = new URL(broker.issuer)
  const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }))

  /** Rejects as the library does. */
  async function register (changes: Document = {}, initialAccessToken: string | null = INITIAL_ACCESS_TOKEN) {
    const response = await oauth.dynamicClientRegistrationRequest(server, { ...document, ...changes }, {
      ...insecure, ...(initialAccessToken !== null && { initialAccessToken })
    })
    t.match(response.headers.get('cache-control'), /no-store/)
    return await oauth.processDynamicClientRegistrationResponse(response)
  }

  async function tokenFor (client: oauth.OmitSymbolProperties<oauth.Client>, secret: unknown) {
    const response = await oauth.clientCredentialsGrantRequest(server, client, oauth.ClientSecretPost(String(secret)), SCOPE, insecure)
    return await oauth.processClientCredentialsResponse(server, client, response)
  }

  const { prisma, close } = openDatabase({ connectionString: broker.database.url })
  t.teardown(close)
  async function initialToken (name: string, changes: { scopes?: string[], maxRegistrations?: number }): Promise<string> {
    const wanted = { kind: 'initial_access_token', name, providerName: 'default', policyName: null, expiry: null, scopes: ['register'], maxRegistrations: null } as const
    return (await callersIn(prisma).create({ ...wanted, ...changes }, commandLine, null)).token
  }

  await t.test('discovers the same server in both forms', async t => {
    const openid = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oidc', ...insecure }))
    t.match(openid, server, 'the OpenID form has every member of the other one')
    t.match(server, { issuer: broker.issuer, registration_endpoint: `${broker.issuer}/register`, code_challenge_methods_supported: ['S256'] })
  })

  await t.test('registers, reads, replaces and ends a client', async t => {
    const client = await register()
    t.match(client, document, 'what was registered is echoed')
    t.match(await tokenFor(client, client['client_secret']), { access_token: String, token_type: 'bearer' })

    const [address, first] = [String(client['registration_client_uri']), String(client['registration_access_token'])]
    t.equal(address, `${broker.issuer}/register/${client.client_id}`)
    const manage = async (method: string, token: unknown, body?: unknown) => await request(address, method, body, { authorization: `Bearer ${String(token)}` })
    t.match(await manage('GET', first), { status: 200, body: client }, 'the same document, with secret and token')

    const writable = { ...document, client_id: client.client_id, client_name: 'A service of ours', client_secret: client['client_secret'] }
    const replaced = await manage('PUT', first, writable)
    t.match(replaced, { status: 200, body: { ...writable, registration_client_uri: address, client_secret_expires_at: Number } })
    t.match(await tokenFor(client, client['client_secret']), { access_token: String }, 'the secret stays')
    const second = replaced.body.registration_access_token
    t.not(second, first)
    t.match(await manage('GET', first), { status: 200, body: { client_name: 'A service of ours' } }, 'the old token lives until the new one is used')
    t.equal((await manage('GET', second)).status, 200)
    t.match(await manage('GET', first), { status: 401, body: { error: 'invalid_token' } })

    t.match(await manage('DELETE', second), { status: 204, body: null })
    for (const method of ['GET', 'DELETE']) t.match(await manage(method, second), { status: 401, body: { error: 'invalid_token' } }, `${method} after DELETE`)
    t.equal((await manage('PUT', second, writable)).status, 401, 'PUT after DELETE')
    await t.rejects(tokenFor(client, client['client_secret']), { name: 'ResponseBodyError', error: 'unauthorized_client', error_description: /^AADSTS700016: / })
  })

  await t.test('reads why a replacement is refused, and the client stays as it was', async t => {
    const client = await register()
    const headers = { authorization: `Bearer ${String(client['registration_access_token'])}` }
    const writable = { ...document, client_id: client.client_id }
    const refused: Array<[why: string, body: Record<string, unknown>, error: string]> = [
      ['a member of the server', { ...writable, client_id_issued_at: 1 }, 'invalid_request'],
      ['another client\'s id', { ...writable, client_id: '01a20951-0000-4000-8000-0000000000c1' }, 'invalid_request'],
      ['no id', { ...document }, 'invalid_request'],
      ['another secret', { ...writable, client_secret: 'a-secret-of-my-own' }, 'invalid_client_metadata'],
      ['a bad redirect URI', { ...writable, redirect_uris: ['https://app.example.com/#x'] }, 'invalid_redirect_uri']
    ]
    for (const [why, body, error] of refused) {
      const answer = await request(String(client['registration_client_uri']), 'PUT', body, headers)
      t.match(answer, { status: 400, body: { error, error_description: String } }, why)
      t.notOk(answer.headers.has('www-authenticate'), 'a 400 has no challenge')
    }
    t.match(await request(String(client['registration_client_uri']), 'GET', undefined, headers), { status: 200, body: client })
    t.equal((await request(String(client['registration_client_uri']), 'GET')).headers.get('www-authenticate'), 'Bearer realm="dcr-broker"')
  })

  await t.test('reads a challenge when its token is missing, wrong or allows too little', async t => {
    const challenge = (status: number, parameters: Record<string, string>) =>
      ({ name: 'WWWAuthenticateChallengeError', status, cause: [{ scheme: 'bearer', parameters }] })
    await t.rejects(register({}, null), challenge(401, { realm: 'dcr-broker' }))
    await t.rejects(register({}, 'a-token-of-nobody'), challenge(401, { error: 'invalid_token' }))
    const client = await register()
    await t.rejects(register({}, String(client['registration_access_token'])), challenge(401, { error: 'invalid_token' }), 'a registration access token registers nobody')
    await t.rejects(register({}, await initialToken('reader', { scopes: ['read'] })), challenge(403, { error: 'insufficient_scope', scope: 'register' }))
  })

  await t.test('reads that its token has made all the clients it may', async t => {
    const token = await initialToken('once', { maxRegistrations: 1 })
    t.match(await register({}, token), document)
    await t.rejects(register({ client_name: 'One more' }, token), { name: 'ResponseBodyError', status: 403, error: 'access_denied', error_description: String })
  })

  await t.test('reads why a document is refused', async t => {
    const refused: Array<[changes: Document, error: string, sentence: RegExp]> = [
      [{ redirect_uris: ['https://app.example.com/#fragment'] }, 'invalid_redirect_uri', /fragment/],
      [{ redirect_uris: [] }, 'invalid_redirect_uri', /must not be empty/],
      [{ redirect_uris: ['javascript:open'] }, 'invalid_redirect_uri', /javascript:/],
      [{ token_endpoint_auth_method: 'tls_client_auth' }, 'invalid_client_metadata', /client_secret_basic/],
      [{ grant_types: ['password'] }, 'invalid_client_metadata', /Accepted are authorization_code/],
      [{ jwks_uri: 'https://app.example.com/jwks' }, 'invalid_client_metadata', /jwks/]
    ]
    for (const [changes, error, sentence] of refused) {
      await t.rejects(register(changes), { name: 'ResponseBodyError', status: 400, error, error_description: sentence }, JSON.stringify(changes))
    }
  })
})
