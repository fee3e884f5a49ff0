// Policies over the operations API: every change is a version, nothing is lost between two operators, and a dry run shows what a rule does.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { commandLine } from '../../src/administration/operator.ts'
import { createPolicies } from '../../src/administration/policies.ts'
import { defaultRules } from '../../src/registration/policy.ts'
import { putPolicy } from '../../src/store/policy-administration.ts'
import { createPolicyStore, keepCurrentVersions } from '../../src/store/policy-store.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { nativeClient, ownedBy, startPreparedBroker, webClient } from '../register/prepared-broker.ts'
import { OPERATOR_KEY, request, type Answer } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { authorized, createRecords, createServer, operator } from './operations-server.ts'

t.test('policies of a running broker', async t => {
  const { operationsUrl, database, mint, register, manage, revoke, simulator } = await startPreparedBroker(t, {
    scopes: ({ control }) => {
      const { appId, scopeIds } = control.addResource({ displayName: 'Orders API', identifierUris: ['api://orders'], scopes: ['Orders.Read'] })
      return [{ name: 'orders:read', resourceAppId: appId, permissionId: String(scopeIds['Orders.Read']), type: 'Scope', granted: true }]
    }
  })
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    await request(`${operationsUrl}/v2/policies${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}`, ...headers })
  const made = async (name: string, rules: object = {}): Promise<string> => {
    const { status, body } = await call('POST', '', { name, rules })
    t.equal(status, 201, name)
    return body.id
  }
  const audit = async (name: string) => (await database.query<{ action: string, detail: { name: string } }>(
    "SELECT action, detail FROM audit_event WHERE action LIKE 'policy.%' AND detail->>'name' = $1 ORDER BY txid, id", [name])).rows

  t.test('a policy is made, and every change of it is a version that stays readable and can be put back', async t => {
    const first = await call('POST', '', { name: 'partners', rules: { max_clients: 5, redirect_hosts: ['localhost'] } })
    t.match(first, { status: 201, body: { name: 'partners', version: 1, callers: 0, registrations: 0, rules: { max_clients: 5, max_redirect_uris: 10 } } })
    const { id } = first.body
    t.strictSame([first.headers.get('etag'), first.headers.get('location')], ['"1"', `/v2/policies/${id}`])
    t.match(await call('PATCH', `/${id}`, { rules: { max_clients: null, expiry: { after_days: 90, counted_from: 'registration', grace_days: 7 } } }), {
      status: 200, body: { version: 2, rules: { max_clients: null, redirect_hosts: ['localhost'], expiry: { after_days: 90 } } }
    })
    t.match(await call('PUT', `/${id}`, { rules: { max_clients: 7 } }), { status: 200, body: { version: 3, rules: { max_clients: 7, redirect_hosts: null, expiry: null } } })
    t.match(await call('PATCH', `/${id}`, { rules: { max_clients: 7 } }), { status: 200, body: { version: 3 } }, 'the same rules are no version')
    const back = await call('POST', `/${id}/rollback`, { to: 1 })
    t.match(back, { status: 200, body: { version: 4, rules: { max_clients: 5, redirect_hosts: ['localhost'] } } })
    t.equal(back.headers.get('etag'), '"4"')

    const { data } = (await call('GET', `/${id}/versions`)).body
    const seen = data.map(({ version, rules }: { version: number, rules: { max_clients: number | null } }) => [version, rules.max_clients])
    t.strictSame(seen, [[4, 5], [3, 7], [2, null], [1, 5]])
    t.match(data[0], { created_by: /^[0-9a-f-]{36}$/ })
    t.match((await call('GET', `/${id}/versions/2`)).body, { version: 2, rules: { expiry: { after_days: 90 } } })
    for (const path of [`/${id}/versions/9`, `/${randomUUID()}`, `/${randomUUID()}/versions`]) t.equal((await call('GET', path)).status, 404, path)
    t.equal((await call('POST', `/${id}/rollback`, { to: 9 })).status, 404)
    for (const body of [{ to: 2 ** 31 }, { to: 1, version: 2 ** 31 }]) t.equal((await call('POST', `/${id}/rollback`, body)).status, 400, 'more than PostgreSQL\'s integer')
    t.match(await audit('partners'), [
      { action: 'policy.created', detail: { version: 1 } }, { action: 'policy.changed', detail: { version: 2 } },
      { action: 'policy.replaced', detail: { version: 3, rules: { maxClients: 7 } } }, { action: 'policy.rolled_back', detail: { version: 4, to: 1 } }
    ])
  })

  t.test('who has not seen the newest version changes nothing: 412 by If-Match, 409 by the member', async t => {
    const id = await made('contested')
    t.equal((await call('PATCH', `/${id}`, { rules: { max_clients: 1 } }, { 'if-match': '"1"' })).status, 200)
    for (const [method, path, body] of [['PATCH', '', { rules: { max_clients: 2 } }], ['PUT', '', { rules: {} }], ['POST', '/rollback', { to: 1 }], ['DELETE', '', undefined]] as const) {
      t.equal((await call(method, `/${id}${path}`, body, { 'if-match': '"1"' })).status, 412, method)
      if (body !== undefined) t.match(await call(method, `/${id}${path}`, { ...body, version: 1 }), { status: 409, body: { detail: /at version \[2\], not \[1\]/ } }, method)
    }
    t.match((await call('GET', `/${id}`)).body, { version: 2, rules: { max_clients: 1 } })
    for (const tag of ['1', 'W/"2"', '"x"']) t.equal((await call('PATCH', `/${id}`, { rules: {} }, { 'if-match': tag })).status, 400, tag)
    t.equal((await call('PATCH', `/${id}`, { rules: {}, version: 1 }, { 'if-match': '"2"' })).status, 400)

    const answers = await Promise.all(Array.from({ length: 6 }, async (_, index) => await call('PATCH', `/${id}`, { rules: { max_clients: 10 + index } }, { 'if-match': '"2"' })))
    t.strictSame(answers.map(({ status }) => status).sort(), [200, 412, 412, 412, 412, 412])
    t.equal((await call('DELETE', `/${id}`, undefined, { 'if-match': '"3"' })).status, 204)
  })

  t.test('a change is in effect when it is answered', async t => {
    const id = await made('effective')
    const { token } = await mint({ policyName: 'effective' })
    t.equal((await register(webClient(), token)).status, 201)
    await call('PATCH', `/${id}`, { rules: { redirect_hosts: ['localhost'] } })
    t.match(await register(webClient({ client_name: 'other' }), token), { status: 400, body: { error: 'invalid_redirect_uri' } })
    await call('POST', `/${id}/rollback`, { to: 1 })
    t.equal((await register(webClient({ client_name: 'other' }), token)).status, 201)
  })

  t.test('a caller that is made while its policy goes is refused, not a fault of the broker', async t => {
    const id = await made('going')
    await database.query('BEGIN')
    await database.query('DELETE FROM policy_version WHERE policy_id = $1', [id])
    await database.query('DELETE FROM policy WHERE id = $1', [id])
    const wanted = { kind: 'initial_access_token', name: 'late', provider: 'default', policy: 'going' }
    const answer = request(`${operationsUrl}/v2/callers`, 'POST', wanted, { authorization: `Bearer ${OPERATOR_KEY}` })
    // For this transaction: other tests wait on this server, too.
    await eventually('it waits for the policy', async () =>
      (await database.query('SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))')).rows.length > 0)
    await database.query('COMMIT')
    t.match(await answer, { status: 400, body: { invalid_parameters: [{ field: 'policy' }] } })
  })

  t.test('a policy in use stays; when its callers are revoked and its clients have ended it goes, and they stay counted', async t => {
    const id = await made('used')
    const { token, name } = await mint({ policyName: 'used' })
    const client = ownedBy(await register(nativeClient(), token))
    t.match((await call('GET', `/${id}`)).body, { callers: 1, registrations: 1 })
    t.match(await call('DELETE', `/${id}`), { status: 409, body: { detail: /\[1\] callers/ } })
    await revoke(name)
    t.match(await call('DELETE', `/${id}`), { status: 409, body: { detail: /\[1\] registrations/ } })
    t.equal((await manage('DELETE', client.uri, client.token)).status, 204)
    t.equal((await call('DELETE', `/${id}`)).status, 204)
    t.equal((await call('GET', `/${id}`)).status, 404)
    t.match((await audit('used')).at(-1), { action: 'policy.deleted', detail: { version: 1 } })
    const { rows } = await database.query('SELECT p.name FROM registration r JOIN policy p ON p.id = r.policy_id WHERE r.client_id = $1', [client.id])
    t.strictSame(rows, [{ name: 'default' }])
    const { body: { data: [standard] } } = await call('GET', '?filter[name]=default')
    t.match(await call('DELETE', `/${standard.id}`), { status: 409, body: { detail: /can be changed, not deleted/ } })
  })

  t.test('what is wrong is named, rule by rule', async t => {
    const { status, body } = await call('POST', '', { name: 'faulty', rules: { max_redirect_uris: 0, grant_types: ['implicit'], maxClients: 1 } })
    t.equal(status, 400)
    t.match(body.invalid_parameters, [
      { field: 'rules.max_redirect_uris', reason: /1 to 256/ }, { field: 'rules.grant_types', reason: /authorization_code/ }, { field: 'rules.maxClients', reason: /no rule/ }
    ])
    for (const wrong of [{ name: 'Faulty' }, { name: 'faulty', rules: [] }, { name: 'faulty', rules: {}, more: 1 }, {}]) {
      t.equal((await call('POST', '', wrong)).status, 400, JSON.stringify(wrong))
    }
    t.match(await call('POST', '', { name: 'default' }), { status: 409, body: { detail: /of the name \[default\] already/ } })
    t.equal((await database.query("SELECT FROM policy WHERE name = 'faulty'")).rowCount, 0)
  })

  t.test('policies are listed by name, filtered, sorted and paged', async t => {
    for (const name of ['list-b', 'list-a', 'list-c']) await made(name)
    const names = async (query: string) => (await call('GET', query)).body.data.map(({ name }: { name: string }) => name)
    t.strictSame(await names('?filter[name][contains]=list-'), ['list-a', 'list-b', 'list-c'])
    t.strictSame(await names('?filter[name][contains]=list-&sort=created_at&page[size]=2'), ['list-b', 'list-a'])
  })

  t.test('a dry run shows what a registration would become, or every refusal, and makes nothing', async t => {
    const id = await made('tried', { redirect_hosts: ['localhost'], scopes: ['orders:read'], name_template: 'T: {client_name}', token_endpoint_auth_methods: ['none'] })
    const writes = simulator.control.journal.entries({ path: '^/v1\\.0' }).length
    const document = nativeClient({ redirect_uris: ['http://localhost/cb'], scope: 'openid orders:read unknown' })
    t.match(await call('POST', `/${id}/dry-run`, document), {
      status: 200,
      body: {
        policy: 'tried',
        provider: 'default',
        accepted: true,
        refusals: [],
        registered: { client_name: 'Editor', scope: 'openid orders:read' },
        entra: { displayName: 'T: Editor', platforms: { publicClient: ['http://localhost/cb'] }, grantedAccess: [{ permissions: [{ type: 'Scope' }] }] }
      }
    })
    const refused = await call('POST', `/${id}/dry-run`, {
      redirect_uris: ['https://evil.example/cb'], token_endpoint_auth_method: 'client_secret_basic', application_type: 'desktop', scope: '"', contacts: Array(21).fill('a@b.example')
    })
    t.equal(refused.status, 200)
    t.match(refused.body, { policy: 'tried', accepted: false })
    t.notOk('registered' in refused.body)
    const sentences = refused.body.refusals.map(({ error_description: sentence }: { error_description: string }) => sentence)
    t.match(sentences, [/Accepted are none/, /application_type/, /scope must be/], 'what hangs on something refused is not judged')

    const unstored = { rules: { redirect_hosts: ['127.0.0.1'], grant_types: ['authorization_code'] }, document: nativeClient() }
    t.match(await call('POST', '/dry-run', unstored), { status: 200, body: { policy: '(not stored)', accepted: true, registered: { grant_types: ['authorization_code'] } } })
    t.match(await call('POST', '/dry-run', { ...unstored, rules: { redirect_hosts: ['localhost'] } }), {
      status: 200, body: { accepted: false, refusals: [{ error: 'invalid_redirect_uri', error_description: /localhost/ }] }
    })
    t.match(await call('POST', '/dry-run', { ...unstored, rules: { redirect_hosts: 'localhost' } }), { status: 400, body: { invalid_parameters: [{ field: 'rules.redirect_hosts' }] } })
    t.match(await call('POST', `/${id}/dry-run?provider=nobody`, document), { status: 400, body: { invalid_parameters: [{ field: 'provider' }] } })
    t.equal((await call('POST', `/${randomUUID()}/dry-run`, document)).status, 404)
    t.equal(simulator.control.journal.entries({ path: '^/v1\\.0' }).length, writes)
  })
})

t.test('whoever is bound to a provider reads policies and changes none', async t => {
  const records = await createRecords(t)
  const provider = await records.addProvider('sales')
  const { prisma, close } = openDatabase({ connectionString: records.database.url, maxConnections: 2 })
  t.teardown(close)
  await putPolicy(prisma, commandLine, 'partners', {})
  const policies = createPolicies(createPolicyStore(prisma), async () => {})
  const { id } = await policies.named('partners')
  const server = await createServer(t, { records: { reader: records.reader, policies }, caller: { ...operator, providerId: provider, scopes: ['read', 'admin'] } })
  const statusOf = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, payload?: object) =>
    (await server.inject({ method, url: `/v2/policies${path}`, headers: authorized, ...(payload === undefined ? {} : { payload }) })).statusCode
  for (const path of ['', `/${id}`, `/${id}/versions`, `/${id}/versions/1`]) t.equal(await statusOf('GET', path), 200, path)
  t.equal(await statusOf('POST', '', { name: 'x' }), 403)
  for (const method of ['PUT', 'PATCH'] as const) t.equal(await statusOf(method, `/${id}`, { rules: {} }), 403, method)
  t.equal(await statusOf('POST', `/${id}/rollback`, { to: 1 }), 403)
  t.equal(await statusOf('DELETE', `/${id}`), 403)
  t.match(await policies.named('partners'), { version: 1 })

  const addCaller = async (providerId: string | null, digest: string) => await records.database.query(
    "INSERT INTO caller (id, kind, name, origin, key_digest, provider_id, policy_id) VALUES ($1, 'service', $2, 'database', $3, $4, $5)", [randomUUID(), digest, Buffer.from(digest), providerId, id])
  const { providerId: other } = await records.add()
  await addCaller(other, 'of another')
  const mine = await records.add({ provider: 'sales' })
  await addCaller(provider, 'of mine')
  await records.database.query('UPDATE registration SET policy_id = $1', [id])
  t.equal(mine.providerId, provider)
  const shown = (await server.inject({ url: `/v2/policies/${id}`, headers: authorized })).json()
  t.match(shown, { callers: 1, registrations: 1 }, 'he learns how much of his own is under it, and nothing of another')
  t.match((await server.inject({ url: '/v2/policies?filter[name]=partners', headers: authorized })).json().data, [shown])
  t.match(await policies.named('partners'), { callers: 2, registrations: 2 }, 'of all of them it is in use')
})

t.test('what a policy is when versions come to it becomes its first one', async t => {
  const { database } = await createRecords(t)
  const { prisma, run, close } = openDatabase({ connectionString: database.url, maxConnections: 1 })
  t.teardown(close)
  const [one, two] = [randomUUID(), randomUUID()]
  await database.query("INSERT INTO policy (id, name, rules) VALUES ($1, 'one', '{\"maxClients\": 1}'), ($2, 'two', '{\"maxClients\": 2}')", [one, two])
  const store = createPolicyStore(prisma)
  t.equal(await putPolicy(prisma, commandLine, 'one', { maxClients: 3 }), 'replaced', 'before any start of this release')
  t.match(await store.versions(one, 10), [{ version: 2, given: { maxClients: 3 }, createdBy: 'cli' }, { version: 1, given: { maxClients: 1 }, createdBy: 'broker' }])
  for (let start = 0; start < 2; start++) await keepCurrentVersions(run)
  t.match(await store.versions(two, 10), [{ version: 1, given: { maxClients: 2 }, rules: { ...defaultRules, maxClients: 2 } }])
  t.equal((await store.versions(two, 10)).length, 1)
})
