// The whole story of a client that Konnect makes, told against a running broker. Every step checks what it says and throws when it is not so.
import assert from 'node:assert/strict'
import { claimsOf, requestTokenV1, requestTokenV2, verifyToken, type ClientCredentials, type Tenant } from './entra-client.ts'
import { granted, refused, text } from './expectations.ts'
import { applicationPayload, eventPayload, type Konnect } from './konnect.ts'

export interface Stage {
  konnect: Konnect
  tenant: Tenant
  /** Live and deleted applications of the directory, as its administrator sees them. */
  directory: () => Promise<{ applications: DirectoryObject[], deletedItems: DirectoryObject[] }>
  /** GET on the operations listener with the operator's key. */
  operations: (path: string) => Promise<{ status: number, body: unknown }>
}

export interface DirectoryObject {
  appId: string
  displayName: string
  web?: { redirectUris: string[] }
  publicClient?: { redirectUris: string[] }
}

export interface Chapter {
  title: string
  /** Resolves to what is worth telling. */
  run: () => Promise<string>
}

const V1_RESOURCE = 'api://gateway-v1'
const V2_RESOURCE = 'api://gateway-v2'

export function story ({ konnect, tenant, directory, operations }: Stage): Chapter[] {
  let client: ClientCredentials = { clientId: '', clientSecret: '' }
  let second: ClientCredentials & { secretId: string } = { clientId: '', clientSecret: '', secretId: '' }
  const path = () => `/${client.clientId}`

  return [
    {
      title: 'Konnect\'s Verify button creates and deletes a client',
      async run () {
        const created = await konnect('POST', '/', applicationPayload({ client_name: 'Verify', portal_id: 'test portal_id' }))
        assert.equal(created.status, 201)
        const deleted = await konnect('DELETE', `/${text(created.body.client_id)}`)
        assert.equal(deleted.status, 204)
        const { applications } = await directory()
        assert.ok(!applications.some(({ appId }) => appId === created.body.client_id))
        return 'portal_id is "test portal_id", which is no UUID'
      }
    },
    {
      title: 'an application made in Konnect becomes an Entra application',
      async run () {
        const { status, body } = await konnect('POST', '', applicationPayload())
        assert.equal(status, 201)
        client = { clientId: text(body.client_id), clientSecret: text(body.client_secret) }
        assert.match(text(body.client_secret_expires_at), /^\d{4}-\d\d-\d\dT/)
        assert.equal((await live(client.clientId)).displayName, 'Weather app')
        return `client_id ${client.clientId}`
      }
    },
    {
      title: 'event hooks change it and link it',
      async run () {
        const change = { application_name: 'Weather app 2', redirect_uris: ['https://weather.example.com/new'] }
        const changed = eventPayload(client.clientId, 'update_application', change)
        assert.equal((await konnect('POST', `${path()}/event-hook`, changed)).status, 200)
        const product = { api_product_version_id: 'f1c2a3b4-0000-4000-8000-000000000007' }
        assert.equal((await konnect('POST', `${path()}/event-hook`, eventPayload(client.clientId, 'add_registration', product))).status, 200)
        const application = await live(client.clientId)
        assert.equal(application.displayName, 'Weather app 2')
        assert.deepEqual(application.web?.redirectUris, ['https://weather.example.com/new'])
        return 'name and redirect URI changed in Entra, product linked'
      }
    },
    {
      title: 'its credentials get a v1 token that a gateway accepts',
      async run () {
        const payload = await verifyToken(tenant, granted(await requestTokenV1(tenant, client, V1_RESOURCE)), 1)
        assert.equal(payload.appid, client.clientId)
        assert.equal(payload.iss, `https://sts.windows.net/${tenant.tenantId}/`)
        return `iss ${payload.iss}, appid = client_id`
      }
    },
    {
      title: 'and a v2 token for a v2 resource',
      async run () {
        const payload = await verifyToken(tenant, granted(await requestTokenV2(tenant, client, V2_RESOURCE)), 2)
        assert.equal(payload.azp, client.clientId)
        assert.match(String(payload.iss), /\/v2\.0$/)
        return `iss ${payload.iss}, azp = client_id`
      }
    },
    {
      title: 'a second secret works beside the first',
      async run () {
        const { status, body } = await konnect('POST', `${path()}/secrets`)
        assert.equal(status, 201)
        second = { clientId: client.clientId, clientSecret: text(body.client_secret), secretId: text(body.secret_id) }
        for (const credentials of [client, second]) {
          assert.equal(claimsOf(granted(await requestTokenV1(tenant, credentials, V1_RESOURCE))).appid, client.clientId)
        }
        const { body: list } = await konnect('GET', `${path()}/secrets`)
        assert.equal((list.secrets as unknown[]).length, 2)
        return `secret_id ${second.secretId}`
      }
    },
    {
      title: 'rotation: the new secret works, the old ones are refused',
      async run () {
        const { status, body } = await konnect('POST', `${path()}/new-secret`)
        assert.equal(status, 200)
        const rotated = { clientId: client.clientId, clientSecret: text(body.client_secret) }
        granted(await requestTokenV1(tenant, rotated, V1_RESOURCE))
        for (const old of [client, second]) refused(await requestTokenV1(tenant, old, V1_RESOURCE), 'AADSTS7000215')
        client = rotated
        return 'AADSTS7000215 for both older secrets'
      }
    },
    {
      title: 'the operator sees it',
      async run () {
        const { status, body } = await operations(`/v2/registrations?filter[client_id][eq]=${client.clientId}`)
        assert.equal(status, 200)
        const [registration] = (body as { data: Array<Record<string, unknown>> }).data
        assert.equal(registration?.client_name, 'Weather app 2')
        assert.equal(registration?.state, 'active')
        return `state ${text(registration?.state)}`
      }
    },
    {
      title: 'deleted: no token any more, soft-deleted in Entra',
      async run () {
        assert.equal((await konnect('DELETE', path())).status, 204)
        refused(await requestTokenV1(tenant, client, V1_RESOURCE), 'AADSTS700016')
        const { applications, deletedItems } = await directory()
        assert.ok(!applications.some(({ appId }) => appId === client.clientId))
        assert.ok(deletedItems.some(({ appId }) => appId === client.clientId))
        assert.equal((await konnect('DELETE', path())).status, 204)
        return 'AADSTS700016; deleting again is 204'
      }
    }
  ]

  async function live (clientId: string): Promise<DirectoryObject> {
    const found = (await directory()).applications.find(({ appId }) => appId === clientId)
    assert.ok(found, `the directory has an application ${clientId}`)
    return found
  }
}
