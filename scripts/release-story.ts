// What a release is made to do before it is dumped, through its own surfaces: every table gets a row, and every use case sends its statements.
import { KONNECT_KEY, OPERATOR_KEY, konnectApplication, request, type Answer, type TestBroker } from '../test/support/broker.ts'
import { eventually } from '../test/support/eventually.ts'
import { commandLine } from '../src/administration/operator.ts'
import { openDatabase } from '../src/store/prisma-client.ts'
import { putScope } from '../src/store/scope-administration.ts'
import type { ReleaseStory } from '../test/support/release-fixtures.ts'

type Clients = ReleaseStory['clients']

const webDocument = (clientName: string): object => ({
  client_name: clientName, redirect_uris: [`https://${clientName.toLowerCase()}.example.com/callback`], grant_types: ['authorization_code', 'refresh_token']
})

/** A row of every table; what stays of it are two clients. */
export async function furnish ({ konnect, register, operationsUrl, database }: TestBroker): Promise<Clients> {
  const operator = operatorOf(operationsUrl)
  const { prisma, close } = openDatabase({ connectionString: database.url })
  await putScope(prisma, commandLine, 'default', {
    name: 'orders:read', resourceAppId: '11111111-2222-3333-4444-555555555555', permissionId: '66666666-7777-8888-9999-aaaaaaaaaaaa', type: 'Scope', granted: false
  }).finally(close)
  const tenantId = '01a20951-0000-4000-8000-00000000beef'
  expect(201, await operator('POST', '/dcr-providers', {
    provider_type: 'azureAd',
    name: 'sales',
    issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
    dcr_config: { initial_client_id: '01a20951-0000-4000-8000-00000000cafe', initial_client_secret: 'a_secret_of_the_fixture' }
  }))
  const { id } = expect(201, await operator('POST', '/policies', { name: 'partners', rules: { max_clients: 5 } }))
  expect(200, await operator('PATCH', `/policies/${id}`, { rules: { max_clients: 7 } }))
  expect(201, await operator('POST', '/adoptions', { provider: 'default', client_id: '01a20951-0000-4000-8000-00000000ad0b' }))
  const bridged = expect(201, await konnect('POST', '', konnectApplication()))
  expect(200, await konnect('POST', `/${bridged.client_id}/event-hook`, { event_type: 'add_registration', api_id: 'orders-api' }))
  return { konnect: bridged, registered: expect(201, await register(webDocument('Kept'))) }
}

/** The life of a client on every surface, from its create to its end. */
export async function liveThrough ({ broker, konnect, register, manage, operationsUrl, url }: TestBroker): Promise<void> {
  const operator = operatorOf(operationsUrl)
  const bridged = expect(201, await konnect('POST', '', konnectApplication({ client_name: 'Lived through' })))
  expect(200, await konnect('POST', `/${bridged.client_id}/event-hook`, { event_type: 'update_application', application_name: 'Renamed' }))
  const { client_secret: secret } = expect(200, await konnect('POST', `/${bridged.client_id}/new-secret`))
  const credential = Buffer.from(`${bridged.client_id}:${secret}`).toString('base64')
  const asked = await broker.gatewayServer?.inject({ url: '/verify', headers: { authorization: `Basic ${credential}` } })
  if (asked?.statusCode !== 200) throw new Error(`A gateway was answered ${asked?.statusCode}`)
  const { secret_id: secretId } = expect(201, await konnect('POST', `/${bridged.client_id}/secrets`))
  expect(200, await konnect('GET', `/${bridged.client_id}/secrets`))
  expect(204, await konnect('DELETE', `/${bridged.client_id}/secrets/${secretId}`))
  expect(204, await konnect('DELETE', `/${bridged.client_id}`))

  const document = webDocument('Passing')
  const registered = expect(201, await register(document))
  expect(200, await manage('GET', registered.registration_client_uri, registered.registration_access_token))
  const changed = expect(200, await manage('PUT', registered.registration_client_uri, registered.registration_access_token, {
    ...document, client_id: registered.client_id, client_name: 'Passing on'
  }))
  const { data: [found] } = expect(200, await operator('GET', `/registrations?filter[client_id]=${registered.client_id}`))
  for (const path of [`/registrations/${found.id}`, '/dcr-providers', '/application-auth-strategies', '/policies', '/callers', '/audit-events', '/encryption-keys', '/adoptions']) {
    expect(200, await operator('GET', path))
  }
  expect(200, await operator('PATCH', `/registrations/${found.id}`, { labels: { team: 'orders' } }))
  for (const change of ['disable', 'enable']) expect(200, await operator('POST', `/registrations/${found.id}/${change}`))
  expect(204, await manage('DELETE', registered.registration_client_uri, changed.registration_access_token))
  expect(400, await request(`${url}/konnect`, 'POST', {}, { 'x-api-key': KONNECT_KEY }))
}

/** Nothing is left to mark, seal or erase: what a dump finds is whole. */
export async function settled ({ database }: TestBroker, { sealed }: { sealed: boolean }): Promise<void> {
  await eventually('all answers are marked', async () =>
    (await database.query("SELECT FROM registration WHERE delivery = 'pending' OR lease_until > now()")).rowCount === 0)
  if (!sealed) return
  await eventually('all events are sealed', async () =>
    (await database.query('SELECT FROM audit_event e WHERE NOT EXISTS (SELECT FROM audit_seal s WHERE s.event_id = e.id)')).rowCount === 0)
}

function operatorOf (operationsUrl: string) {
  return async (method: string, path: string, body?: unknown): Promise<Answer> =>
    await request(`${operationsUrl}/v2${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })
}

function expect (status: number, answer: Answer): any {
  if (answer.status !== status) throw new Error(`Answered ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`)
  return answer.body
}
