// What Entra refuses to a client on another platform than the one it redeems its codes on, and what the broker's choice spares it.
import t from 'tap'
import { discovered, openBroker, refusalOfSignIn, requestToken, signIn, type SignInRequest } from './sign-in.ts'

const SCOPE = 'api://gateway-v2/user_impersonation'
const redirectUri = 'https://app.example.com/callback'
const origin = 'https://app.example.com'

t.test('a code is redeemed as the platform wants it, and in no other way', async t => {
  const broker = await openBroker(t)
  const metadata = await discovered(broker.issuer)

  async function registered (document: Record<string, unknown>): Promise<SignInRequest> {
    const { status, body } = await broker.register({ redirect_uris: [redirectUri], ...document }, null)
    if (status !== 201) throw new Error(`${status}: ${body.error_description}`)
    return { metadata, client: body, redirectUri, scope: SCOPE }
  }

  await t.test('entra_platform spa: from the page, and with an Origin only', async t => {
    const page = await registered({ token_endpoint_auth_method: 'none', entra_platform: 'spa' })
    t.match(await signIn({ ...page, origin }), { status: 200, body: { access_token: String } })
    t.match(await signIn(page), { status: 400, body: { error: 'invalid_request', error_codes: [9002327] } })
  })

  await t.test('without entra_platform a public client redeems at its server, and a page can\'t', async t => {
    const hosted = await registered({ token_endpoint_auth_method: 'none' })
    t.match(await signIn(hosted), { status: 200, body: { access_token: String } })
    t.match(await signIn({ ...hosted, origin }), { status: 400, body: { error: 'invalid_request', error_codes: [9002326] } })
    t.match(await signIn({ ...hosted, client: { ...hosted.client, client_secret: 'a-secret-of-no-use' } }), { status: 401, body: { error_codes: [700025] } })
  })

  await t.test('a client that registered for a secret has to show it', async t => {
    const web = await registered({ token_endpoint_auth_method: 'client_secret_post' })
    t.match(await signIn(web), { status: 200, body: { access_token: String } })
    t.match(await signIn({ ...web, client: { client_id: web.client.client_id } }), { status: 401, body: { error: 'invalid_client', error_codes: [7000218] } })
    t.match(await signIn({ ...web, client: { ...web.client, client_secret: 'another-secret' } }), { status: 401, body: { error_codes: [7000215] } })
  })

  await t.test('a client that leaves its auth method out has a secret, as RFC 7591 says, and so it is refused without it', async t => {
    const client = await registered({})
    t.match(client, { client: { token_endpoint_auth_method: 'client_secret_basic', client_secret: String } })
    t.match(await signIn({ ...client, client: { client_id: client.client.client_id } }), { status: 401, body: { error_codes: [7000218] } })
  })

  await t.test('after PUT the old redirect URI is unknown and the new one redeems', async t => {
    const { body } = await broker.register({ redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }, null)
    const moved = 'https://new.example.com/callback'
    const replaced = await broker.manage('PUT', body.registration_client_uri, body.registration_access_token, {
      client_id: body.client_id, redirect_uris: [moved], token_endpoint_auth_method: 'none'
    })
    t.equal(replaced.status, 200)
    const request = { metadata, client: replaced.body, scope: SCOPE }
    t.match(await refusalOfSignIn({ ...request, redirectUri }), { description: /^AADSTS50011: /, isShownToUser: true })
    t.match(await signIn({ ...request, redirectUri: moved }), { status: 200, body: { access_token: String } })
  })

  await t.test('after DELETE nobody signs in and no token is refreshed', async t => {
    const { body } = await broker.register({
      redirect_uris: [redirectUri], token_endpoint_auth_method: 'none', grant_types: ['authorization_code', 'refresh_token']
    }, null)
    const request = { metadata, client: body, redirectUri, scope: `${SCOPE} offline_access` }
    const tokens = await signIn(request)
    t.match(tokens, { status: 200, body: { refresh_token: String } })
    const ended = await broker.manage('DELETE', body.registration_client_uri, body.registration_access_token)
    t.match(ended, { status: 204, body: null })
    t.match(await refusalOfSignIn(request), { error: 'unauthorized_client', description: /^AADSTS700016: /, isShownToUser: true })
    t.match(await requestToken(request, { grant_type: 'refresh_token', refresh_token: tokens.body.refresh_token }), { status: 400, body: { error_codes: [700016] } })
  })

  await t.test('a platform where the client can\'t redeem is refused with a sentence', async t => {
    const refusals: Array<[document: Record<string, unknown>, sentence: RegExp]> = [
      [{ token_endpoint_auth_method: 'none', entra_platform: 'web' }, /use publicClient or spa/],
      [{ token_endpoint_auth_method: 'client_secret_post', entra_platform: 'spa' }, /use web/],
      [{ token_endpoint_auth_method: 'none', entra_platform: 'desktop' }, /accepted are web, publicClient/]
    ]
    for (const [document, sentence] of refusals) {
      const { status, body } = await broker.register({ redirect_uris: [redirectUri], ...document }, null)
      t.match({ status, body }, { status: 400, body: { error: 'invalid_client_metadata', error_description: sentence } })
    }
  })
})
