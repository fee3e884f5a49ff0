// Callers over the operations API: made, bounded, changed and revoked, on every replica.
import pg from 'pg'
import t, { type Test } from 'tap'
import { konnectApplication, KONNECT_KEY, OPERATOR_KEY, request, startTestBroker, type Answer, type TestBroker } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { SECOND_PROVIDER, serviceClient, startPreparedBroker } from '../register/prepared-broker.ts'

t.jobs = 2

/** More than the second that it may take: these machines are slow. */
const SOON_MS = 10_000

type Api = (method: string, path: string, body?: unknown, key?: string) => Promise<Answer>

const apiOf = ({ operationsUrl }: TestBroker): Api => async (method, path, body, key = OPERATOR_KEY) =>
  await request(`${operationsUrl}/v2/callers${path}`, method, body, { authorization: `Bearer ${key}` })

/** A caller that could be made. */
async function made (t: Test, api: Api, wanted: object, key?: string) {
  const { status, body } = await api('POST', '', wanted, key)
  t.equal(status, 201, JSON.stringify(body))
  return body as { id: string, name: string, token: string } & Record<string, unknown>
}

t.test('callers', async t => {
  const broker = await startPreparedBroker(t, { secondProvider: true, policies: { partners: {} }, environment: { GATEWAY_PORT: '0' } })
  const { konnect, register, operationsUrl, database, logLines } = broker
  const api = apiOf(broker)
  const operate = async (key: string, path = '/v2/registrations') => (await request(`${operationsUrl}${path}`, 'GET', undefined, { authorization: `Bearer ${key}` })).status
  const gatewayUrl = await broker.broker.gatewayServer?.listen({ host: '127.0.0.1', port: 0 })
  const introspect = async (key: string) => (await request(`${gatewayUrl}/introspect`, 'POST', 'token=x', { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded' })).status
  const withKey = async (key: string, method = 'POST', path = '', body: unknown = konnectApplication()) =>
    await konnect(method, path, body, { 'x-api-key': key })

  await t.test('a key of each kind opens its own door, at once, and no other', async t => {
    const knk = await made(t, api, { kind: 'konnect', name: 'Konnect, portal 1', provider: 'default' })
    t.match(knk, { kind: 'konnect', origin: 'database', state: 'living', provider: 'default', scopes: ['register', 'read', 'rotate', 'delete'], policy: null })
    t.match(knk.token, /^[a-zA-Z0-9_]{12,256}$/, 'Konnect\'s form takes it')
    const svc = await made(t, api, { kind: 'service', name: 'portal', provider: 'default', policy: 'partners', max_registrations: 9 })
    t.match(svc, { scopes: ['register', 'read'], policy: 'partners', max_registrations: 9 })
    const opr = await made(t, api, { kind: 'operator', name: 'support' })
    t.match(opr, { scopes: ['read'], provider: null })
    const iat = await made(t, api, { kind: 'initial_access_token', name: 'team', provider: 'default', expires_in_days: 30 })
    const gwy = await made(t, api, { kind: 'gateway', name: 'the gateway' })
    t.match(gwy, { scopes: ['introspect'], provider: null, policy: null })
    for (const [kind, { token }] of Object.entries({ knk, svc, opr, iat, gwy })) {
      t.match(token, new RegExp(`^dcr_${kind}_`))
      t.equal((await withKey(token)).status, kind === 'knk' ? 201 : 401, `${kind} at the bridge`)
      t.equal((await register(serviceClient(), token)).status, kind === 'svc' || kind === 'iat' ? 201 : 401, `${kind} at /register`)
      t.equal(await operate(token), kind === 'opr' ? 200 : 401, `${kind} at the operations API`)
      t.equal(await introspect(token), kind === 'gwy' ? 200 : 401, `${kind} where gateways ask`)
    }
    const { body } = await api('GET', `/${knk.id}`)
    t.notHas(body, { token: String })
    t.type((await eventually('its use is noted', async () => (await api('GET', `/${knk.id}`)).body.last_used_at)), 'string')
    const stored = await database.query('SELECT c::text AS text FROM caller c UNION ALL SELECT e::text FROM audit_event e')
    for (const { token } of [knk, svc, opr, iat, gwy]) t.notMatch(JSON.stringify(stored.rows) + logLines.join(), token, 'kept nowhere')
  })

  await t.test('a revoked key is refused at once, for good, and revoking it again is the same', async t => {
    const { id, token } = await made(t, api, { kind: 'konnect', name: 'to be revoked', provider: 'default' })
    t.equal((await withKey(token)).status, 201)
    t.equal((await api('DELETE', `/${id}`)).status, 204)
    t.equal((await withKey(token)).status, 401)
    t.equal((await api('DELETE', `/${id}`)).status, 204)
    t.match((await api('GET', `/${id}`)).body, { state: 'revoked', revoked_at: String })
    t.equal((await api('PATCH', `/${id}`, { name: 'alive again' })).status, 409)
    await made(t, api, { kind: 'konnect', name: 'to be revoked', provider: 'default' })
    const events = await database.query("SELECT actor, request_id, source_address FROM audit_event WHERE action = 'caller.revoked' AND detail->>'caller' = $1", [id])
    t.equal(events.rowCount, 1)
    t.match(events.rows[0], { actor: /^[0-9a-f-]{36}$/, request_id: String, source_address: String })
  })

  await t.test('a change counts at once: scopes, end, name', async t => {
    const { id, token } = await made(t, api, { kind: 'konnect', name: 'to be changed', provider: 'default' })
    t.match((await api('PATCH', `/${id}`, { scopes: ['read'], name: 'changed' })).body, { scopes: ['read'], name: 'changed' })
    t.match(await withKey(token), { status: 403, body: { error: 'access_denied', error_description: /lacks the scope register/ } })
    t.match((await api('PATCH', `/${id}`, { expires_at: '2999-01-01T00:00:00Z' })).body, { expires_at: '2999-01-01T00:00:00.000Z', scopes: ['read'] })
    await database.query('UPDATE caller SET expires_at = now() WHERE id = $1', [id])
    await eventually('it is over', async () => (await withKey(token)).status === 401, SOON_MS)
    t.match((await api('GET', `/${id}`)).body, { state: 'expired' })
    t.match((await api('PATCH', `/${id}`, { expires_at: null })).body, { state: 'living', expires_at: null })
    t.equal((await withKey(token)).status, 403)
  })

  await t.test('what can\'t be made is refused, and said why', async t => {
    await made(t, api, { kind: 'operator', name: 'taken' })
    const cases: Array<[wanted: object, status: number, field: string | null]> = [
      [{ kind: 'operator', name: 'taken' }, 409, null],
      [{ kind: 'anonymous', name: 'x' }, 400, 'kind'],
      [{ kind: 'konnect', name: 'x' }, 400, 'provider'],
      [{ kind: 'konnect', name: 'x', provider: 'nowhere' }, 400, 'provider'],
      [{ kind: 'konnect', name: 'x', provider: 'default', scopes: ['admin'] }, 400, 'scopes'],
      [{ kind: 'konnect', name: 'x', provider: 'default', policy: 'partners' }, 400, 'policy'],
      [{ kind: 'service', name: 'x', provider: 'default', policy: 'none' }, 400, 'policy'],
      [{ kind: 'operator', name: ' x' }, 400, 'name'],
      [{ kind: 'operator', name: 'entra:somebody' }, 400, 'name'],
      [{ kind: 'operator', name: 'x', expires_at: '2020-01-01T00:00:00Z' }, 400, 'expires_at'],
      [{ kind: 'operator', name: 'x', expires_at: '2999-01-01T00:00:00Z', expires_in_days: 3 }, 400, 'expires_in_days'],
      [{ kind: 'operator', name: 'x', token: 'chosen by me' }, 400, 'token']
    ]
    for (const [wanted, status, field] of cases) {
      const answer = await api('POST', '', wanted)
      t.equal(answer.status, status, JSON.stringify(wanted))
      if (field !== null) t.match(answer.body.invalid_parameters, [{ field, source: 'body' }], JSON.stringify(wanted))
    }
    const twins = await Promise.all(['one', 'two', 'three'].map(async () => await api('POST', '', { kind: 'operator', name: 'twin' })))
    t.same(twins.map(({ status }) => status).sort(), [201, 409, 409], 'a name that several take at once is one\'s')
  })

  await t.test('an operator gives no scope that he lacks, and reaches nobody outside his provider', async t => {
    const admin = (await made(t, api, { kind: 'operator', name: 'of sales', provider: SECOND_PROVIDER, scopes: ['read', 'admin'] })).token
    const other = await made(t, api, { kind: 'service', name: 'of the default provider', provider: 'default' })
    t.match(await api('POST', '', { kind: 'operator', name: 'mightier', provider: SECOND_PROVIDER, scopes: ['read', 'audit'] }, admin), { status: 403, body: { detail: /audit/ } })
    t.match(await api('POST', '', { kind: 'operator', name: 'unbound', scopes: ['read'] }, admin), { status: 403 })
    t.match(await api('POST', '', { kind: 'service', name: 'elsewhere', provider: 'default' }, admin), { status: 400, body: { invalid_parameters: [{ field: 'provider' }] } })
    const own = await made(t, api, { kind: 'service', name: 'own', provider: SECOND_PROVIDER, scopes: ['register', 'read'] }, admin)
    t.equal((await api('PATCH', `/${own.id}`, { scopes: ['register', 'delete'] }, admin)).status, 403)
    t.equal((await api('PATCH', `/${own.id}`, { scopes: ['register'] }, admin)).status, 200)
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      t.equal((await api(method, `/${other.id}`, method === 'PATCH' ? { name: 'mine' } : undefined, admin)).status, 404, method)
    }
    const { body: { data } } = await api('GET', '?page[size]=100', undefined, admin)
    t.same([...new Set(data.map(({ provider }: { provider: string }) => provider))], [SECOND_PROVIDER])
    const reader = (await made(t, api, { kind: 'operator', name: 'reader' })).token
    t.equal((await api('POST', '', { kind: 'operator', name: 'x' }, reader)).status, 403)
  })

  await t.test('a key that is made while its provider is deleted is not made', async t => {
    const client = new pg.Client({ connectionString: database.url })
    await client.connect()
    t.teardown(async () => await client.end())
    const { rows: [provider] } = await client.query('INSERT INTO provider SELECT (jsonb_populate_record(p, jsonb_build_object(\'id\', gen_random_uuid(), \'name\', \'leaving\'))).* FROM provider p WHERE name = $1 RETURNING id', [SECOND_PROVIDER])
    await client.query('BEGIN')
    await client.query('SELECT FROM provider WHERE id = $1 FOR UPDATE', [provider.id])
    const answer = api('POST', '', { kind: 'operator', name: 'of the leaving', provider: 'leaving' })
    await eventually('it waits for the deletion', async () =>
      (await database.query("SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")).rowCount === 1)
    await client.query("UPDATE provider SET deleted_at = now(), name = 'leaving (deleted)' WHERE id = $1", [provider.id])
    await client.query('COMMIT')
    t.match(await answer, { status: 400, body: { invalid_parameters: [{ field: 'provider' }] } })
    t.equal((await client.query('SELECT FROM caller WHERE provider_id = $1', [provider.id])).rowCount, 0)
  })

  await t.test('the list is filtered and sorted', async t => {
    await made(t, api, { kind: 'operator', name: 'list b' })
    const { id } = await made(t, api, { kind: 'operator', name: 'list a' })
    await api('DELETE', `/${id}`)
    const names = async (query: string) => (await api('GET', `?${query}`)).body.data.map(({ name }: { name: string }) => name)
    t.same(await names('filter[name][contains]=list&sort=name'), ['list a', 'list b'])
    t.same(await names('filter[name][contains]=list&filter[revoked]=false'), ['list b'])
    t.same(await names('filter[name][contains]=list&filter[revoked]=true'), ['list a'])
    t.same(await names('filter[origin]=environment&filter[kind]=operator'), ['ADMIN_API_KEYS[0]'])
    t.same((await names('filter[provider]=sales&filter[kind]=anonymous')).length, 1)
    t.equal((await api('GET', '?filter[revoked]=perhaps')).status, 400)
    const { body } = await api('GET', '?page[size]=2&sort=name')
    t.equal((await request(`${operationsUrl}${body.meta.page.next}`, 'GET', undefined, { authorization: `Bearer ${OPERATOR_KEY}` })).status, 200)
  })

  await t.test('open registration has no key, and a setting\'s caller is changed at the setting', async t => {
    const { body: { data: [anonymous] } } = await api('GET', '?filter[kind]=anonymous&filter[provider]=default')
    t.equal((await api('DELETE', `/${anonymous.id}`)).status, 409)
    t.equal((await api('PATCH', `/${anonymous.id}`, { scopes: [] })).status, 409)
    const { body: { data: [konnectKey] } } = await api('GET', '?filter[name]=KONNECT_API_KEYS[0]')
    t.match(konnectKey, { origin: 'environment', kind: 'konnect' })
    t.match(await api('PATCH', `/${konnectKey.id}`, { name: 'mine' }), { status: 409, body: { detail: /KONNECT_API_KEYS/ } })
    t.equal((await withKey(KONNECT_KEY)).status, 201)
    t.equal((await api('DELETE', `/${konnectKey.id}`)).status, 204)
    t.equal((await withKey(KONNECT_KEY)).status, 401, 'at once, although it is still set')
  })
})

t.test('what one replica makes or revokes counts on the other', async t => {
  const first = await startTestBroker(t)
  const environment = { ENCRYPTION_KEYRING_FILE: first.settings.keyringFile }
  const second = await startTestBroker(t, { simulator: first.simulator, database: first.database, environment })
  const api = apiOf(first)
  const atSecond = async (key: string) => (await request(`${second.url}/konnect`, 'POST', konnectApplication(), { 'x-api-key': key })).status
  const { id, token } = await made(t, api, { kind: 'konnect', name: 'of both', provider: 'default' })
  t.equal(await atSecond(token), 201, 'without waiting for the catalogue')
  const operator = await made(t, api, { kind: 'operator', name: 'of both, too' })
  const operate = async () => (await request(`${second.operationsUrl}/v2/registrations`, 'GET', undefined, { authorization: `Bearer ${operator.token}` })).status
  t.equal(await operate(), 200)

  t.equal((await api('DELETE', `/${id}`)).status, 204)
  t.equal((await api('DELETE', `/${operator.id}`)).status, 204)
  await eventually('the other replica refuses them', async () => await atSecond(token) === 401 && await operate() === 401, SOON_MS)

  t.equal(await atSecond(KONNECT_KEY), 201)
  const { body: { data: [configured] } } = await api('GET', '?filter[name]=KONNECT_API_KEYS[0]')
  t.equal((await api('DELETE', `/${configured.id}`)).status, 204)
  await eventually('a tombstone wins there over the setting', async () => await atSecond(KONNECT_KEY) === 401, SOON_MS)
})

t.test('operators show tokens of Entra instead of a key', async t => {
  const audience = 'api://dcr-broker'
  const { simulator, operationsUrl, ...broker } = await startTestBroker(t, {
    environment: { OPERATOR_TOKEN_AUDIENCE: audience, OPERATOR_TOKEN_ROLES: 'Broker.Read=read+audit,Broker.Admin=read+admin' }
  })
  const { control } = simulator
  control.addResource({ displayName: 'DCR Broker API', identifierUris: [audience], appRoles: ['Broker.Read', 'Broker.Admin', 'Registration.Create'] })
  const api = apiOf({ ...broker, simulator, operationsUrl })
  const tokenWith = async (...roles: string[]) => {
    const client = control.addClient(`With ${roles.join()}`)
    for (const role of roles) control.assignRole(client.clientId, audience, role)
    const response = await fetch(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: client.clientId, client_secret: client.clientSecret, scope: `${audience}/.default` })
    })
    const { access_token: token } = await response.json() as { access_token: string }
    return { ...client, token }
  }
  const operate = async (token: string, path = '/v2/registrations') =>
    (await request(`${operationsUrl}${path}`, 'GET', undefined, { authorization: `Bearer ${token}` })).status

  const reader = await tokenWith('Broker.Read')
  const admin = await tokenWith('Broker.Admin', 'Registration.Create')
  t.equal(await operate(reader.token), 200)
  t.equal((await api('POST', '', { kind: 'operator', name: 'x' }, reader.token)).status, 403, 'the role does not stand for it')
  t.equal((await api('POST', '', { kind: 'operator', name: 'made by an application' }, admin.token)).status, 201)
  t.equal((await api('POST', '', { kind: 'operator', name: 'x', scopes: ['audit'] }, admin.token)).status, 403)
  t.equal(await operate((await tokenWith('Registration.Create')).token), 401, 'a service is no operator')
  t.equal(await operate((await tokenWith()).token), 401)

  const { body: { data: [row] } } = await api('GET', `?filter[name]=entra:${reader.clientId}`)
  t.match(row, { kind: 'operator', origin: 'broker', provider: null })
  const { rows } = await broker.database.query("SELECT c.name FROM audit_event e JOIN caller c ON c.id::text = e.actor WHERE e.action = 'caller.created'")
  t.same(rows, [{ name: `entra:${admin.clientId}` }], 'the audit knows who it was')

  const { clientId, clientSecret } = simulator.broker
  const second = await request(`${operationsUrl}/v2/dcr-providers`, 'POST', {
    provider_type: 'azureAd', name: 'same tenant', issuer: `${simulator.url}/${simulator.tenantId}/v2.0`, dcr_config: { initial_client_id: clientId, initial_client_secret: clientSecret }
  }, { authorization: `Bearer ${OPERATOR_KEY}` })
  t.equal(second.status, 201)
  // PostgreSQL: an updated row may move behind the others.
  await broker.database.query("UPDATE provider SET display_name = repeat('x', 5000) WHERE name = 'default'")
  await request(`${operationsUrl}/v2/dcr-providers/${second.body.id}`, 'PATCH', {}, { authorization: `Bearer ${OPERATOR_KEY}` })
  t.equal(await operate(reader.token), 200)
  t.equal((await api('GET', `?filter[name]=entra:${reader.clientId}`)).body.data.length, 1, 'two providers of a tenant: he is who he was at the older one')

  t.equal((await api('PATCH', `/${row.id}`, { scopes: ['audit'] })).status, 200)
  t.equal(await operate(reader.token), 403, 'what an operator has taken away no role gives back')
  t.equal((await api('DELETE', `/${row.id}`)).status, 204)
  t.equal(await operate(reader.token), 401)
})
