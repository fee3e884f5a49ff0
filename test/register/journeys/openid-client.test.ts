// openid-client 6 as its documentation shows it: registration, discovery and the grants, against the broker and then Entra.
import * as client from 'openid-client'
import t, { type Test } from 'tap'
import { INITIAL_ACCESS_TOKEN, type TestBroker } from '../../support/broker.ts'
import { openBroker } from './sign-in.ts'

const redirectUri = 'https://app.example.com/callback'
const SCOPE = 'api://gateway-v2/user_impersonation offline_access'
const execute = [client.allowInsecureRequests]
const document: Partial<client.ClientMetadata> = {
  client_name: 'An OpenID client',
  redirect_uris: [redirectUri],
  grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic'
}

t.test('openid-client', async t => {
  const broker = await openBroker(t)
  const issuer = new URL(broker.issuer)

  for (const algorithm of ['oauth2', 'oidc'] as const) {
    await t.test(`registers and uses its client, found by ${algorithm} discovery`, async t => {
      const config = await client.dynamicClientRegistration(issuer, document, undefined, { algorithm, execute })
      t.equal(config.serverMetadata().issuer, broker.issuer)
      t.ok(config.serverMetadata().supportsPKCE())
      t.match(config.clientMetadata(), { ...document, client_secret: String, client_secret_expires_at: Number, client_id_issued_at: Number })
      t.equal(await registrantOf(broker, config), 'anonymous')
      await signsIn(t, config)
      t.match(await client.clientCredentialsGrant(config, { scope: 'api://gateway-v2/.default' }), { token_type: 'bearer', access_token: String })
    })

    await t.test(`discovers a client that is there already, by ${algorithm} discovery`, async t => {
      const { body } = await broker.register(document)
      for (const method of [client.ClientSecretBasic(body.client_secret), client.ClientSecretPost(body.client_secret)]) {
        const config = await client.discovery(issuer, body.client_id, undefined, method, { algorithm, execute })
        await signsIn(t, config)
        t.match(await client.clientCredentialsGrant(config, { scope: 'api://gateway-v2/.default' }), { access_token: String })
      }
    })
  }

  await t.test('registers with an initial access token, and as nobody else', async t => {
    const config = await client.dynamicClientRegistration(issuer, document, undefined, { algorithm: 'oauth2', execute, initialAccessToken: INITIAL_ACCESS_TOKEN })
    t.equal(await registrantOf(broker, config), 'initial_access_token')
    const wrong = client.dynamicClientRegistration(issuer, document, undefined, { algorithm: 'oauth2', execute, initialAccessToken: 'a-token-of-nobody' })
    await t.rejects(wrong, {
      name: 'WWWAuthenticateChallengeError', status: 401, cause: [{ scheme: 'bearer', parameters: { error: 'invalid_token' } }]
    }, 'where anybody may register a wrong token is still wrong')
  })

  await t.test('registers a public client and signs in without a secret', async t => {
    const config = await client.dynamicClientRegistration(issuer, {
      ...document, token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token']
    }, client.None(), { algorithm: 'oauth2', execute })
    t.notOk('client_secret' in config.clientMetadata())
    await signsIn(t, config)
    await t.rejects(client.clientCredentialsGrant(config, { scope: 'api://gateway-v2/.default' }),
      { name: 'ResponseBodyError', error: 'invalid_client', error_description: /^AADSTS7000216: / }, 'it can\'t get a token for itself')
  })

  await t.test('reads why a document is refused', async t => {
    await t.rejects(client.dynamicClientRegistration(issuer, { ...document, redirect_uris: ['http://app.example.com/callback'] }, undefined, { execute }),
      { name: 'ResponseBodyError', status: 400, error: 'invalid_redirect_uri', error_description: /redirect_uris\[0\]/ })
  })

  await t.test('verifies ID tokens with Entra\'s own metadata, for they carry Entra\'s issuer', async t => {
    const { body } = await broker.register(document)
    const entra = await fetch(`${broker.simulator.url}/${broker.simulator.tenantId}/v2.0/.well-known/openid-configuration`)
    const atEntra = new client.Configuration(await entra.json() as client.ServerMetadata, body.client_id, body.client_secret)
    client.allowInsecureRequests(atEntra)
    const tokens = await authorizationCode(atEntra, 'openid profile', { nonce: 'a-nonce' })
    t.match(tokens.claims(), { iss: `https://login.microsoftonline.com/${broker.simulator.tenantId}/v2.0`, aud: body.client_id, nonce: 'a-nonce' })

    const atBroker = await client.discovery(issuer, body.client_id, body.client_secret, undefined, { execute })
    await t.rejects(authorizationCode(atBroker, 'openid profile'), { name: 'ClientError', cause: { message: /"iss"/ } })
  })
})

/** Authorization code with PKCE, then a refresh. */
async function signsIn (t: Test, config: client.Configuration): Promise<void> {
  const tokens = await authorizationCode(config, SCOPE)
  t.match(tokens, { token_type: 'bearer', access_token: String, refresh_token: String, scope: 'api://gateway-v2/user_impersonation' })
  t.match(await client.refreshTokenGrant(config, tokens.refresh_token ?? ''), { access_token: String })
}

async function authorizationCode (config: client.Configuration, scope: string, { nonce }: { nonce?: string } = {}) {
  const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()]
  const address = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope,
    state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    ...(nonce !== undefined && { nonce })
  })
  const response = await fetch(address, { redirect: 'manual' })
  return await client.authorizationCodeGrant(config, new URL(response.headers.get('location') ?? ''), {
    pkceCodeVerifier, expectedState, ...(nonce !== undefined && { expectedNonce: nonce })
  })
}

/** The kind of caller to whom the registration belongs. */
async function registrantOf ({ database }: TestBroker, config: client.Configuration): Promise<string | undefined> {
  const { rows: [row] } = await database.query<{ kind: string }>(
    'SELECT kind FROM caller JOIN registration ON caller.id = registration.caller_id WHERE client_id = $1', [config.clientMetadata().client_id])
  return row?.kind
}
