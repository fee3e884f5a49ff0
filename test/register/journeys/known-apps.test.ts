// The registrations of well-known clients: each lands where Entra lets it redeem its codes in its own way.
import t from 'tap'
import type { Simulator } from '../../../src/simulator/simulator.ts'
import { ourApplications } from '../../support/entra-truth.ts'
import { knownApps } from './known-apps.ts'
import { discovered, openBroker, refusalOfSignIn, requestToken, signIn, type Platform } from './sign-in.ts'

const SCOPE = 'api://gateway-v2/user_impersonation offline_access'

type Platforms = Record<Platform, { redirectUris: string[] }>

function platformsOf (simulator: Simulator, clientId: string): Record<Platform, string[]> {
  const application = ourApplications(simulator).find(({ appId }) => appId === clientId) as unknown as Platforms | undefined
  if (application === undefined) throw new Error(`There is no application ${clientId}`)
  const { web, publicClient, spa } = application
  return { web: web.redirectUris, publicClient: publicClient.redirectUris, spa: spa.redirectUris }
}

t.test('clients that people use', async t => {
  const broker = await openBroker(t)
  const metadata = await discovered(broker.issuer)
  const none: Record<Platform, string[]> = { web: [], publicClient: [], spa: [] }

  for (const { name, document, platform, registered, redirects } of knownApps) {
    await t.test(`${name} registers and redeems a code at each of its redirect URIs`, async t => {
      const answer = await broker.register(document, null)
      t.equal(answer.status, 201)
      t.strictSame(answer.body.redirect_uris, document['redirect_uris'], 'all of them are echoed')
      t.strictSame(answer.body.grant_types, ['authorization_code', 'refresh_token'], 'what the policy leaves')
      t.equal('client_secret' in answer.body, platform === 'web', 'a secret for those alone who asked for one')
      t.strictSame(platformsOf(broker.simulator, answer.body.client_id), { ...none, [platform]: registered })

      for (const redirectUri of redirects) {
        const request = { metadata, client: answer.body, redirectUri, scope: SCOPE }
        const { status, body } = await signIn(request)
        t.match({ status, body }, { status: 200, body: { token_type: 'Bearer', access_token: String, refresh_token: String } }, redirectUri)
        const refreshed = await requestToken(request, { grant_type: 'refresh_token', refresh_token: body.refresh_token })
        t.match(refreshed, { status: 200, body: { access_token: String } }, 'the token is refreshed')
      }
    })
  }

  await t.test('a redirect URI that was not registered is shown to the user, not redirected to', async t => {
    const { body: client } = await broker.register(knownApps[1]?.document, null)
    for (const redirectUri of ['http://localhost:54212/elsewhere', 'http://127.0.0.1:54212/callback', 'https://attacker.example.com/callback']) {
      t.match(await refusalOfSignIn({ metadata, client, redirectUri, scope: SCOPE }), { error: 'invalid_request', description: /^AADSTS50011: /, isShownToUser: true })
    }
  })
})
