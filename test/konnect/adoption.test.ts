// Adoption: an existing Entra application that Konnect names. Off without a permit and the provider's word; never changed, never deleted.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { KONNECT_KEY, OPERATOR_KEY, request, startTestBroker, type TestBroker, konnectApplication } from '../support/broker.ts'
import { secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'

const ROLES = ['Application.ReadWrite.All', 'DelegatedPermissionGrant.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All']

interface Application { id: string, appId: string, displayName: string, tags: string[], passwordCredentials: Array<{ keyId: string, displayName: string }> }

const operatorOf = ({ operationsUrl }: TestBroker) => async (method: string, path: string, body?: unknown) =>
  await request(`${operationsUrl}/v2${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })

const applicationIn = ({ simulator }: TestBroker, clientId: string): Application =>
  (simulator.control.state().applications as Application[]).find(({ appId }) => appId === clientId) as Application

/** Requests to Graph since the journal was cleared, as `METHOD path`. */
const graphCalls = ({ simulator }: TestBroker, method?: string): string[] =>
  simulator.control.journal.entries({ path: '^/v1.0/' }).map(entry => `${entry.method} ${entry.path}`).filter(call => method === undefined || !call.startsWith(method))

/** Every request of the bridge about one client that could make the broker take it. */
const naming = (clientId: string): Array<[string, string, unknown?]> => [
  ['POST', `/${clientId}/new-secret`],
  ['GET', `/${clientId}/secrets`],
  ['POST', `/${clientId}/secrets`],
  ['DELETE', `/${clientId}/secrets/${randomUUID()}`],
  ['POST', `/${clientId}/event-hook`, { event_type: 'update_application', application_name: 'taken over' }],
  ['POST', `/${clientId}/event-hook`, { event_type: 'add_registration', api_id: 'x' }],
  ['DELETE', `/${clientId}`]
]

t.test('adoption', async t => {
  const broker = await startTestBroker(t, { simulator: { brokerRoles: ROLES }, environment: { RESUME_SCAN_MS: '100', SWEEP_FIRST_LOOK_MS: '200', SWEEP_SECOND_LOOK_MS: '400', PURGE_AFTER_HOURS: '0' } })
  const { konnect, simulator, database } = broker
  const { control } = simulator
  const operator = operatorOf(broker)
  const permit = async (clientId: string) => await operator('POST', '/adoptions', { provider: 'default', client_id: clientId })
  const allow = async (enabled: boolean) => await operator('PATCH', '/adoptions/providers/default', { enabled })

  /** Forgets what was asked of Graph so far, once nothing is left for the background to do. */
  const startWatching = async () => {
    await eventually('nothing is under way', async () =>
      (await database.query("SELECT FROM registration WHERE due_at < now() + interval '1 minute' OR lease_until > now()")).rowCount === 0)
    control.journal.clear()
  }

  await t.test('somebody\'s application is unknown, and nobody asks Graph about it, while the permit or the provider\'s word is missing', async t => {
    const { clientId } = control.addClient('Somebody\'s')
    const before = applicationIn(broker, clientId)
    const untouched = async (name: string) => {
      await startWatching()
      for (const [method, path, body] of naming(clientId)) {
        t.equal((await konnect(method, path, body)).status, path === `/${clientId}` ? 204 : 404, `${name}: ${method} ${path}`)
      }
      t.strictSame(graphCalls(broker), [], `${name}: no call of Graph`)
    }
    await untouched('nothing said')
    t.strictSame((await operator('GET', '/adoptions/providers/default')).body, { provider: 'default', enabled: false })
    const { status, body } = await permit(clientId)
    t.match([status, body], [201, { client_id: clientId, provider: 'default', provider_enabled: false, used_at: null }])
    await untouched('a permit alone')
    t.equal((await operator('DELETE', `/adoptions/${body.id}`)).status, 204)
    t.strictSame((await allow(true)).body, { provider: 'default', enabled: true })
    await untouched('the provider\'s word alone')
    t.strictSame(applicationIn(broker, clientId), before)
    t.equal((await database.query('SELECT FROM registration')).rowCount, 0)
  })

  await t.test('with both it is adopted when it is first named, by reads alone, and used as before', async t => {
    const { clientId, clientSecret } = control.addClient('Legacy')
    await permit(clientId)
    const before = applicationIn(broker, clientId)
    await startWatching()
    t.strictSame(await konnect('GET', `/${clientId.toUpperCase()}/secrets`).then(({ status, body }) => ({ status, body })), { status: 200, body: { secrets: [] } })
    t.strictSame(graphCalls(broker, 'GET'), [], 'nothing but reads')
    t.strictSame(applicationIn(broker, clientId), before)
    t.ok(await secretWorks(simulator, clientId, clientSecret))
    const { body: { data: [shown] } } = await operator('GET', `/registrations?filter[client_id]=${clientId}`)
    t.match(shown, { state: 'active', surface: 'konnect', client_name: 'Legacy', delivery: 'delivered', adopted_at: /Z$/, entra: { object_id: before.id, display_name: 'Legacy' } })
    t.match((await operator('GET', `/registrations/${shown.id}/audit`)).body.data, [{ action: 'registration.adopted', source_address: '127.0.0.1', detail: { client_id: clientId } }])
    t.match((await operator('GET', `/adoptions?filter[client_id]=${clientId}`)).body.data, [{ used_at: /Z$/ }])
    await startWatching()
    t.equal((await konnect('GET', `/${clientId}/secrets`)).status, 200)
    t.strictSame(graphCalls(broker), [], 'it is known from now on')
    const { clientId: wanted } = control.addClient('Wanted by many')
    await permit(wanted)
    const answers = await Promise.all(Array.from({ length: 4 }, async () => await konnect('GET', `/${wanted}/secrets`)))
    t.strictSame(answers.map(({ status }) => status), [200, 200, 200, 200])
    t.equal((await database.query('SELECT FROM registration WHERE client_id = $1', [wanted])).rowCount, 1)
  })

  await t.test('a rotation adds a secret and takes away only those the broker made; events change the record and nothing in Entra', async t => {
    const { clientId, clientSecret } = control.addClient('Rotated')
    await permit(clientId)
    const [foreign] = applicationIn(broker, clientId).passwordCredentials
    const first = await konnect('POST', `/${clientId}/new-secret`)
    t.equal(first.status, 200)
    const second = await konnect('POST', `/${clientId}/new-secret`)
    t.equal(second.status, 200)
    await eventually('the first of ours is gone', async () => !await secretWorks(simulator, clientId, first.body.client_secret))
    t.ok(await secretWorks(simulator, clientId, second.body.client_secret))
    t.ok(await secretWorks(simulator, clientId, clientSecret), 'the foreign one stays')
    const before = applicationIn(broker, clientId)
    t.equal(before.passwordCredentials.length, 2)
    t.equal((await konnect('DELETE', `/${clientId}/secrets/${foreign?.keyId ?? ''}`)).status, 404, 'a foreign secret is none of ours')
    await startWatching()
    const event = { event_type: 'update_application', application_name: 'New name', redirect_uris: ['https://new.example.com/cb'] }
    t.equal((await konnect('POST', `/${clientId}/event-hook`, event)).status, 200)
    t.strictSame(graphCalls(broker), [])
    t.strictSame(applicationIn(broker, clientId), before)
    const { body: { data: [shown] } } = await operator('GET', `/registrations?filter[client_id]=${clientId}`)
    t.match(shown, { client_name: 'New name', redirect_uris: ['https://new.example.com/cb'], entra: { display_name: 'Rotated' } })
    t.match(await operator('POST', `/registrations/${shown.id}/disable`), { status: 403, body: { detail: /adopted/ } })
  })

  await t.test('its end is a separation: the broker\'s secrets go, the application stays, and is neither purged nor swept nor adopted again', async t => {
    const { clientId, clientSecret } = control.addClient('Let go')
    await permit(clientId)
    const { body: { client_secret: ours } } = await konnect('POST', `/${clientId}/new-secret`)
    await konnect('POST', `/${clientId}/secrets`)
    const { body: { data: [shown] } } = await operator('GET', `/registrations?filter[client_id]=${clientId}`)
    await startWatching()
    t.equal((await operator('DELETE', `/registrations/${shown.id}?purge=true`)).status, 204)
    t.notOk(graphCalls(broker).some(call => call.startsWith('DELETE') || call.includes('deletedItems') || call.includes('uniqueName')))
    t.equal((await operator('GET', `/registrations/${shown.id}`)).body.state, 'deleted')
    t.match((await operator('GET', `/registrations/${shown.id}/audit`)).body.data[0], { action: 'registration.unlinked' })
    t.strictSame(applicationIn(broker, clientId).passwordCredentials.map(({ displayName }) => displayName), ['seed'])
    t.ok(await secretWorks(simulator, clientId, clientSecret))
    t.notOk(await secretWorks(simulator, clientId, ours))
    // Beyond every look of the sweep at a row of ours that ended at the same time.
    const { body: { client_id: own } } = await konnect('POST', '', konnectApplication())
    await konnect('DELETE', `/${own}`)
    await eventually('the sweep has looked twice at it', async () => (await database.query('SELECT FROM registration WHERE client_id = $1 AND sweeps = 2', [own])).rowCount === 1)
    t.strictSame((await database.query('SELECT sweeps, purge_at, due_at FROM registration WHERE client_id = $1', [clientId])).rows, [{ sweeps: 0, purge_at: null, due_at: null }])
    t.ok(applicationIn(broker, clientId), 'it is there')
    await startWatching()
    t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 404)
    t.strictSame(graphCalls(broker), [], 'a registration that was is looked at no more')
    t.equal((await permit(clientId)).status, 409)
  })

  await t.test('F26 what Graph once does not show is looked for by its appId; what was deleted in Entra has drifted, and is back when it is restored', async t => {
    const { clientId } = control.addClient('Drifting')
    await permit(clientId)
    t.equal((await konnect('GET', `/${clientId}/secrets`)).status, 200)
    await database.query("UPDATE registration SET created_at = created_at - interval '1 hour' WHERE client_id = $1", [clientId])
    control.faults.add({ match: { method: 'POST', path: 'addPassword$' }, action: { type: 'status', status: 404 } })
    t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 503, 'it is still to be seen')
    t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 200)
    const { body: { data: [{ id, state, entra }] } } = await operator('GET', `/registrations?filter[client_id]=${clientId}`)
    t.equal(state, 'active')
    const graph = await graphOf(broker)
    await graph('DELETE', `/applications/${entra.object_id}`)
    t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 409)
    t.equal((await operator('POST', `/registrations/${id}/resume`)).status, 409)
    for (const deleted of [entra.object_id, entra.principal_id]) await graph('POST', `/directory/deletedItems/${deleted}/restore`)
    t.match(await operator('POST', `/registrations/${id}/resume`), { status: 200, body: { state: 'active' } })
    t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 200)
  })

  await t.test('never adopted: the broker\'s own application, one of another installation, one that holds roles or grants, one with a row here', async t => {
    const { clientId: withRole } = control.addClient('Has a role')
    const { clientId: withGrant } = control.addClient('Has a grant')
    const { clientId: other } = control.addClient('Another installation\'s')
    const { clientId: absent } = { clientId: randomUUID() }
    const orders = control.addResource({ displayName: 'Orders', identifierUris: ['api://orders'], scopes: ['read'], appRoles: ['Export'] })
    control.assignRole(withRole, 'api://orders', 'Export')
    const graph = await graphOf(broker)
    const principalOf = (clientId: string): string => (control.state().servicePrincipals as Array<{ id: string, appId: string }>).find(({ appId }) => appId === clientId)?.id ?? ''
    await graph('POST', '/oauth2PermissionGrants', { clientId: principalOf(withGrant), consentType: 'AllPrincipals', resourceId: orders.principalId, scope: 'read' })
    await graph('PATCH', `/applications/${applicationIn(broker, other).id}`, { tags: ['dcr-broker', `dcr-inst:${randomUUID()}`] })
    const reasons = [[withRole, 'has_permissions'], [withGrant, 'has_permissions'], [other, 'other_installation'], [absent, 'not_found']] as const
    for (const [clientId, reason] of reasons) {
      t.equal((await permit(clientId)).status, 201)
      const before = applicationIn(broker, clientId)
      await startWatching()
      for (const [method, path, body] of naming(clientId)) {
        t.equal((await konnect(method, path, body)).status, path === `/${clientId}` ? 204 : 404, `${reason}: ${method} ${path}`)
      }
      t.strictSame(graphCalls(broker, 'GET'), [], `${reason}: nothing but reads`)
      t.equal(control.journal.entries({ path: `/applications.*${clientId}` }).length, 1, `${reason}: remembered`)
      t.strictSame(applicationIn(broker, clientId), before)
      const { rows } = await database.query('SELECT detail, outcome, source_address FROM audit_event WHERE action = \'adoption.refused\' AND detail->>\'client_id\' = $1', [clientId])
      t.strictSame(rows, [{ detail: { client_id: clientId, reason }, outcome: 'failed', source_address: '127.0.0.1' }])
    }
    t.match(await permit(simulator.broker.clientId), { status: 400, body: { invalid_parameters: [{ field: 'client_id' }] } })
    // Whatever the permit table says.
    await database.query('INSERT INTO adoption_permit (id, provider_id, client_id, created_by) SELECT gen_random_uuid(), id, $1::uuid, \'x\' FROM provider', [simulator.broker.clientId])
    await startWatching()
    t.equal((await konnect('POST', `/${simulator.broker.clientId}/new-secret`)).status, 404)
    t.strictSame(graphCalls(broker), [])
    const { body: { client_id: registered } } = await konnect('POST', '', konnectApplication())
    t.equal((await permit(registered)).status, 409)
  })

  await t.test('an operator of one provider learns nothing about the applications of another', async t => {
    const { body: { client_id: registered } } = await konnect('POST', '', konnectApplication())
    const { body: { id } } = await operator('POST', '/dcr-providers', {
      provider_type: 'azureAd', name: 'sales', issuer: `${simulator.url}/${simulator.tenantId}/v2.0`, dcr_config: { initial_client_id: randomUUID(), initial_client_secret: 'x' }
    })
    const { body: { token } } = await operator('POST', '/callers', { kind: 'operator', name: 'of sales', provider: 'sales', scopes: ['read', 'admin'] })
    const answers = []
    for (const clientId of [randomUUID(), registered, simulator.broker.clientId]) {
      const answer = await request(`${broker.operationsUrl}/v2/adoptions`, 'POST', { provider: 'sales', client_id: clientId }, { authorization: `Bearer ${token}` })
      answers.push({ status: answer.status, members: Object.keys(answer.body) })
    }
    t.equal(answers[0]?.status, 201)
    t.strictSame(answers.slice(1), [answers[0], answers[0]])
    t.equal((await operator('PATCH', '/adoptions/providers/sales', { enabled: true })).status, 200)
    const { body: { token: key } } = await operator('POST', '/callers', { kind: 'konnect', name: 'sales portal', provider: 'sales' })
    await startWatching()
    for (const clientId of [registered, simulator.broker.clientId]) t.equal((await konnect('POST', `/${clientId}/new-secret`, undefined, { 'x-api-key': key })).status, 404)
    t.strictSame(graphCalls(broker), [], 'a permit makes nothing of them adoptable')
    t.equal((await operator('DELETE', `/dcr-providers/${id}?force=true`)).status, 204)
  })

  await t.test('permits are listed, are one for an application, and say what is wrong with them', async t => {
    const clientId = randomUUID()
    t.equal((await permit(clientId)).status, 201)
    t.match(await permit(clientId.toUpperCase()), { status: 409 })
    t.match(await operator('POST', '/adoptions', { provider: 'nobody', client_id: randomUUID() }), { status: 400, body: { invalid_parameters: [{ field: 'provider' }] } })
    t.equal((await operator('POST', '/adoptions', { client_id: 'x' })).status, 400)
    t.equal((await operator('POST', '/adoptions', { client_id: randomUUID(), enabled: true })).status, 400)
    t.equal((await operator('DELETE', `/adoptions/${randomUUID()}`)).status, 404)
    t.equal((await operator('PATCH', '/adoptions/providers/nobody', { enabled: true })).status, 404)
    t.match(await operator('GET', '/adoptions?filter[provider]=default&page[size]=1'), { status: 200, body: { data: [{ client_id: clientId }] } })
    const { rows } = await database.query("SELECT DISTINCT action FROM audit_event WHERE action LIKE 'adoption.%' ORDER BY action")
    t.strictSame(rows, ['adoption.enabled', 'adoption.permit_withdrawn', 'adoption.permitted', 'adoption.refused'].map(action => ({ action })))
  })
})

t.test('what the broker may not see may be there: it is not adopted', async t => {
  const broker = await startTestBroker(t)
  const { clientId } = broker.simulator.control.addClient('Unseen')
  const operator = operatorOf(broker)
  await operator('PATCH', '/adoptions/providers/default', { enabled: true })
  await operator('POST', '/adoptions', { client_id: clientId })
  t.equal((await broker.konnect('POST', `/${clientId}/new-secret`)).status, 404)
  t.ok(broker.logLines.some(line => line.includes('Directory.Read.All')))
  t.equal((await broker.database.query('SELECT FROM registration')).rowCount, 0)
  t.equal((await request(`${broker.url}/konnect/${clientId}/new-secret`, 'POST', undefined, { 'x-api-key': `${KONNECT_KEY}x` })).status, 401)
})

/** Graph as an administrator of the tenant. */
async function graphOf ({ simulator: { control, url, tenantId } }: TestBroker) {
  const { clientId, clientSecret } = control.addClient('Administrator')
  for (const role of ROLES) control.assignRole(clientId, 'https://graph.microsoft.com', role)
  const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, scope: 'https://graph.microsoft.com/.default' }
  const answer = await fetch(`${url}/${tenantId}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(form) })
  const { access_token: token } = await answer.json() as { access_token: string }
  return async (method: string, path: string, body?: unknown): Promise<void> => {
    const { status } = await request(`${url}/v1.0${path}`, method, body, { authorization: `Bearer ${token}` })
    if (status >= 300) throw new Error(`${method} ${path} answered ${status}`)
  }
}
