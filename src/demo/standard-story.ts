// The story of two clients that register by the standard: one at a server with a secret, one on the user's machine without.
import assert from 'node:assert/strict'
import { requestTokenV2, verifyToken, type ClientCredentials } from './entra-client.ts'
import { granted, refused, text } from './expectations.ts'
import { discover, send, signIn, type ServerMetadata, type SignInRequest } from './standard-client.ts'
import type { Chapter, DirectoryObject, Stage } from './story.ts'

export interface StandardStage extends Pick<Stage, 'tenant' | 'directory'> {
  /** Where the broker publishes its metadata. */
  issuer: string
  initialAccessToken: string
}

/** What a registered client keeps of its answer. */
interface Registered extends ClientCredentials {
  uri: string
  token: string
}

const RESOURCE = 'api://gateway-v2'
const SCOPE = `${RESOURCE}/user_impersonation`
const REDIRECT_URI = 'https://orders.example.com/callback'
const MOVED_URI = 'https://orders.example.com/signed-in'

const document = {
  client_name: 'Orders',
  redirect_uris: [REDIRECT_URI],
  grant_types: ['authorization_code', 'client_credentials'],
  token_endpoint_auth_method: 'client_secret_basic'
}

export function standardStory ({ tenant, directory, issuer, initialAccessToken }: StandardStage): Chapter[] {
  let server: ServerMetadata = { issuer: '', registration_endpoint: '', authorization_endpoint: '', token_endpoint: '' }
  let client: Registered = { clientId: '', clientSecret: '', uri: '', token: '' }
  const signInAt = (redirectUri: string): SignInRequest => ({ clientId: client.clientId, clientSecret: client.clientSecret, redirectUri, scope: SCOPE })

  return [
    {
      title: 'a standard client finds the metadata and registers',
      async run () {
        server = await discover(issuer)
        assert.equal((await send('POST', server.registration_endpoint, null, document)).status, 401)
        const { status, body } = await send('POST', server.registration_endpoint, initialAccessToken, document)
        assert.equal(status, 201)
        client = registered(body)
        assert.ok(Number.isInteger(body.client_secret_expires_at))
        assert.deepEqual((await live(client.clientId)).web?.redirectUris, [REDIRECT_URI])
        return `client_id ${client.clientId}; 401 without the initial access token`
      }
    },
    {
      title: 'its secret gets a token, and a user signs in with PKCE',
      async run () {
        const own = await verifyToken(tenant, granted(await requestTokenV2(tenant, client, RESOURCE)), 2)
        assert.equal(own.azp, client.clientId)
        const delegated = await verifyToken(tenant, granted(await signIn(server, signInAt(REDIRECT_URI))), 2)
        assert.equal(delegated.azp, client.clientId)
        assert.equal(delegated.scp, 'user_impersonation')
        refused(await signIn(server, { ...signInAt(REDIRECT_URI), clientSecret: null }), 'AADSTS7000218')
        return 'scp user_impersonation; AADSTS7000218 without the secret'
      }
    },
    {
      title: 'a client on the user\'s machine signs in without a secret, on any port',
      async run () {
        const { status, body } = await send('POST', server.registration_endpoint, initialAccessToken, {
          client_name: 'Editor', redirect_uris: ['http://localhost:51004/callback'], token_endpoint_auth_method: 'none'
        })
        assert.equal(status, 201)
        assert.ok(!('client_secret' in body))
        const clientId = text(body.client_id)
        assert.equal((await live(clientId)).publicClient?.redirectUris.length, 1)
        const answer = await signIn(server, { clientId, clientSecret: null, redirectUri: 'http://localhost:62718/callback', scope: SCOPE })
        assert.equal((await verifyToken(tenant, granted(answer), 2)).azp, clientId)
        return 'platform publicClient, registered with port 51004, signed in on port 62718'
      }
    },
    {
      title: 'the first one changes itself and gets a new token for that',
      async run () {
        const { clientId, token } = client
        const { status, body } = await send('PUT', client.uri, token, { ...document, client_id: clientId, client_name: 'Orders 2', redirect_uris: [MOVED_URI] })
        assert.equal(status, 200)
        client = registered(body)
        assert.notEqual(client.token, token)
        const { displayName, web } = await live(clientId)
        assert.deepEqual([displayName, web?.redirectUris], ['Orders 2', [MOVED_URI]])
        // The first use of the new token ends the older one.
        assert.equal((await send('GET', client.uri, client.token)).body.client_name, 'Orders 2')
        assert.equal((await send('GET', client.uri, token)).status, 401)
        granted(await signIn(server, signInAt(MOVED_URI)))
        refused(await signIn(server, signInAt(REDIRECT_URI)), 'AADSTS50011')
        return 'name and redirect URI changed in Entra; 401 for the older token, AADSTS50011 for the older URI'
      }
    },
    {
      title: 'and deletes itself: no token, no sign-in, no management any more',
      async run () {
        assert.equal((await send('DELETE', client.uri, client.token)).status, 204)
        assert.equal((await send('GET', client.uri, client.token)).status, 401)
        refused(await requestTokenV2(tenant, client, RESOURCE), 'AADSTS700016')
        refused(await signIn(server, signInAt(MOVED_URI)), 'AADSTS700016')
        return '401 from the broker, AADSTS700016 from Entra'
      }
    }
  ]

  async function live (clientId: string): Promise<DirectoryObject> {
    const found = (await directory()).applications.find(({ appId }) => appId === clientId)
    assert.ok(found, `the directory has an application ${clientId}`)
    return found
  }
}

function registered (body: Record<string, unknown>): Registered {
  return {
    clientId: text(body.client_id),
    clientSecret: text(body.client_secret),
    uri: text(body.registration_client_uri),
    token: text(body.registration_access_token)
  }
}
