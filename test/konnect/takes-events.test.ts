import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.ts'
import { konnectApplication, startTestBroker, type Answer, type TestBroker } from '../support/broker.ts'

const APPLICATION_ID = '3fa85f64-5717-4562-b3fc-2c963f66afa6'
const PRODUCT_ID = '3fa85f64-5717-4562-b3fc-2c963f66afa7'

function event (clientId: string, type: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event_type: type,
    client_id: clientId,
    application_id: APPLICATION_ID,
    application_name: 'Orders app',
    application_description: 'Reads orders',
    portal_id: 'p',
    organization_id: 'o',
    developer_id: 'd',
    auth_strategy_id: 's',
    dcr_provider_id: 'q',
    ...changes
  }
}

interface Client extends TestBroker {
  clientId: string
  hook: (body: unknown) => Promise<Answer>
}

async function withClient (t: Test): Promise<Client> {
  const test = await startTestBroker(t)
  const { body: { client_id: clientId } } = await test.konnect('POST', '', konnectApplication())
  return { ...test, clientId, hook: body => test.konnect('POST', `/${clientId}/event-hook`, body) }
}

t.test('update_application changes name, description and redirect URIs in Entra and in the record, and links the application', async t => {
  const { hook, clientId, simulator, database } = await withClient(t)
  const changed = event(clientId, 'update_application', {
    application_name: 'Orders app 2', application_description: 'Writes orders', redirect_uris: ['https://orders.example.com/2', 'http://localhost:3000/cb']
  })
  const answer = await hook(changed)
  t.strictSame([answer.status, answer.body], [200, null])
  t.match(simulator.control.state().applications.find(application => (application as { appId: string }).appId === clientId), {
    displayName: 'Orders app 2',
    description: 'Writes orders',
    web: { redirectUris: ['https://orders.example.com/2', 'http://localhost:3000/cb'] }
  })
  const { rows } = await database.query('SELECT client_name, metadata, application_id, desired_revision, applied_revision FROM registration')
  t.match(rows, [{
    client_name: 'Orders app 2',
    metadata: { description: 'Writes orders', redirectUris: ['https://orders.example.com/2', 'http://localhost:3000/cb'] },
    application_id: APPLICATION_ID,
    desired_revision: 2,
    applied_revision: 2
  }])

  const before = simulator.control.journal.entries({ path: '/v1.0/' }).length
  t.equal((await hook(changed)).status, 200)
  t.equal(simulator.control.journal.entries({ path: '/v1.0/' }).length, before, 'the same event again asks Graph for nothing')
  t.equal((await database.query('SELECT 1 FROM registration_event')).rowCount, 1, 'and is recorded once')
})

t.test('registrations for a product are recorded against the client; a repeated event is harmless', async t => {
  const { hook, clientId, database } = await withClient(t)
  const add = event(clientId, 'add_registration', { api_product_version_id: PRODUCT_ID, audience: 'any string' })
  const remove = event(clientId, 'remove_registration', { api_product_version_id: PRODUCT_ID })
  for (const body of [add, add, remove, remove, add]) t.equal((await hook(body)).status, 200)
  t.equal((await hook(event(clientId, 'add_registration', { api_id: 'v3 api' }))).status, 200, 'newer portals send api_id')
  t.equal((await hook(event(clientId, 'add_registration'))).status, 200, 'or neither')
  t.equal((await hook(event(clientId, 'something_new'))).status, 200, 'an unknown event is kept')
  const { rows } = await database.query('SELECT type, product_id, audience FROM registration_event ORDER BY received_at, id')
  t.strictSame(rows, [
    { type: 'add_registration', product_id: PRODUCT_ID, audience: 'any string' },
    { type: 'remove_registration', product_id: PRODUCT_ID, audience: null },
    { type: 'add_registration', product_id: PRODUCT_ID, audience: 'any string' },
    { type: 'add_registration', product_id: 'v3 api', audience: null },
    { type: 'add_registration', product_id: null, audience: null },
    { type: 'something_new', product_id: null, audience: null }
  ])
})

t.test('an event that can\'t be taken changes nothing', async t => {
  const { hook, clientId, konnect, database } = await withClient(t)
  const refused = async (name: string, body: unknown, error: string) =>
    t.match(await hook(body), { status: 400, body: { error, error_description: String } }, name)
  await refused('about another client than the path', event('11111111-1111-4111-8111-111111111111', 'update_application'), 'invalid_request')
  await refused('without a type', { ...event(clientId, 'x'), event_type: undefined }, 'invalid_client_metadata')
  await refused('with a redirect URI Entra would refuse', event(clientId, 'update_application', { redirect_uris: ['http://[::1]/cb'] }), 'invalid_redirect_uri')
  t.equal((await konnect('POST', '/11111111-1111-4111-8111-111111111111/event-hook', event('11111111-1111-4111-8111-111111111111', 'update_application'))).status, 404)
  t.match((await database.query('SELECT desired_revision, application_id FROM registration')).rows, [{ desired_revision: 1, application_id: null }])
  t.equal((await database.query('SELECT 1 FROM registration_event')).rowCount, 0)
})

t.test('an update that Graph can\'t take now is applied in the background', async t => {
  const { hook, clientId, simulator } = await withClient(t)
  simulator.control.faults.add({ match: { method: 'PATCH', path: 'applications', times: 40 }, action: { type: 'status', status: 503 } })
  const answer = await hook(event(clientId, 'update_application', { application_name: 'Later' }))
  t.equal(answer.status, 503)
  simulator.control.faults.clear()
  const applications = () => simulator.control.state().applications as Array<{ appId: string, displayName: string }>
  const nameInEntra = () => applications().find(({ appId }) => appId === clientId)?.displayName
  await t.resolves(eventually('Entra has the new name', () => nameInEntra() === 'Later'))
})
