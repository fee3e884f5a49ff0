// Auth strategies over the operations API, and what they do to clients that Konnect registers.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { createStrategies } from '../../src/administration/strategies.ts'
import { openDatabase } from '../../src/store/prisma-client.ts'
import { createStrategyStore } from '../../src/store/strategy-store.ts'
import { putScope } from '../../src/store/scope-administration.ts'
import { commandLine } from '../../src/administration/operator.ts'
import { konnectApplication, OPERATOR_KEY, request, startTestBroker, type Answer } from '../support/broker.ts'
import { authorized, createRecords, createServer, operator } from './operations-server.ts'

const PATH = '/application-auth-strategies'

t.test('strategies of a running broker', async t => {
  const { simulator, operationsUrl, konnect, database, logLines } = await startTestBroker(t)
  const { tenantId, control } = simulator
  const { appId: api, scopeIds } = control.addResource({ displayName: 'Orders API', identifierUris: ['api://orders'], scopes: ['Orders.Read'] })
  const { prisma, close } = openDatabase({ connectionString: database.url, maxConnections: 1 })
  t.teardown(close)
  await putScope(prisma, commandLine, 'default', {
    name: 'api://orders/Orders.Read', resourceAppId: api, permissionId: String(scopeIds['Orders.Read']), type: 'Scope', granted: true
  })
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> =>
    await request(`${operationsUrl}/v2${PATH}${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })
  const audit = async (action: string) => (await database.query<{ detail: Record<string, unknown> }>(
    'SELECT detail FROM audit_event WHERE action = $1 ORDER BY txid, id', [action])).rows.map(({ detail }) => detail)
  const applicationOf = (clientId: string) =>
    simulator.control.state().applications.find(each => (each as { appId: string }).appId === clientId) as
      { api: { requestedAccessTokenVersion: number }, requiredResourceAccess: Array<{ resourceAppId: string }> }

  const v1 = (changes: object = {}) => ({
    name: 'orders v1',
    strategy_type: 'openid_connect',
    configs: {
      'openid-connect': { issuer: `https://sts.windows.net/${tenantId}/`, credential_claim: ['appid'], scopes: [], auth_methods: ['client_credentials', 'bearer'] }
    },
    audience: 'api://orders',
    ...changes
  })
  const v2 = (changes: object = {}) => ({
    name: 'orders v2',
    display_name: 'Orders',
    strategy_type: 'openid_connect',
    configs: {
      'openid-connect': {
        issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
        credential_claim: ['azp'],
        scopes: ['api://orders/.default'],
        auth_methods: ['client_credentials', 'bearer'],
        cache_tokens: false
      }
    },
    resource_app_id: api,
    audience: api,
    labels: { team: 'orders' },
    ...changes
  })

  t.test('two Konnect strategies on one key give two different projections, at once', async t => {
    const first = await call('POST', '', v1({ konnect_auth_strategy_id: 'konnect-1' }))
    const second = await call('POST', '', v2({ konnect_auth_strategy_id: 'konnect-2' }))
    t.strictSame([first.status, second.status], [201, 201])
    t.equal(second.headers.get('location'), `/v2${PATH}/${second.body.id}`)
    t.match(second.body, {
      name: 'orders v2',
      display_name: 'Orders',
      strategy_type: 'openid_connect',
      configs: { 'openid-connect': { cache_tokens: false, credential_claim: ['azp'] } },
      active: false,
      dcr_provider: { name: 'default', provider_type: 'azureAd' },
      labels: { team: 'orders' },
      konnect_auth_strategy_id: 'konnect-2',
      resource_app_id: api,
      token_version: 2,
      is_default: false,
      origin: 'database',
      warnings: []
    })
    const register = async (strategyId: string) => {
      const { status, body } = await konnect('POST', '', konnectApplication({
        client_name: strategyId, auth_strategy_id: strategyId, scopes: ['openid', 'api://orders/Orders.Read']
      }))
      t.equal(status, 201)
      return body.client_id as string
    }
    const [one, two] = [await register('konnect-1'), await register('konnect-2')]
    t.equal(applicationOf(one).api.requestedAccessTokenVersion, 1)
    t.equal(applicationOf(two).api.requestedAccessTokenVersion, 2)
    t.strictSame(applicationOf(one).requiredResourceAccess, [])
    t.match(applicationOf(two).requiredResourceAccess, [{ resourceAppId: api, resourceAccess: [{ id: scopeIds['Orders.Read'], type: 'Scope' }] }])
    t.equal(applicationOf(two).requiredResourceAccess.length, 1, 'what does not belong to the API is left out')
    t.strictSame(control.journal.entries({ path: 'oauth2PermissionGrants|appRoleAssignments' }), [], 'and nothing is granted')
    t.notOk(logLines.some(line => line.includes('Unknown Konnect auth strategy')))
    t.equal((await call('GET', `/${second.body.id}`)).body.active, true)

    t.test('a registered client follows its strategy at its next update', async t => {
      t.equal((await call('PATCH', `/${second.body.id}`, { resource_app_id: null, configs: { 'openid-connect': { scopes: ['api://sales/.default'] } } })).status, 200)
      t.equal(applicationOf(two).requiredResourceAccess.length, 1)
      t.equal((await konnect('POST', `/${two}/event-hook`, { event_type: 'update_application', application_id: 'a', client_id: two, application_name: 'renamed' })).status, 200)
      t.strictSame(applicationOf(two).requiredResourceAccess, [])
      t.equal((await call('PATCH', `/${second.body.id}`, { resource_app_id: api, configs: { 'openid-connect': { scopes: ['api://orders/.default'] } } })).status, 200)
    })

    t.test('a strategy that living registrations have stays; when they have ended it goes and its Konnect id is free', async t => {
      const refused = await call('DELETE', `/${second.body.id}`)
      t.equal(refused.status, 409)
      t.match(refused.body.detail, /\[1\] registrations have the strategy orders v2/)
      t.equal((await konnect('DELETE', `/${two}`)).status, 204)
      t.equal((await call('DELETE', `/${second.body.id}`)).status, 204)
      t.equal((await call('GET', `/${second.body.id}`)).status, 404)
      t.match((await database.query('SELECT deleted_at, konnect_auth_strategy_id FROM auth_strategy WHERE id = $1', [second.body.id])).rows, [{ deleted_at: Date, konnect_auth_strategy_id: null }])
      t.notMatch(JSON.stringify((await call('GET', '')).body), second.body.id)
      const { body } = await konnect('POST', '', konnectApplication({ client_name: 'later', auth_strategy_id: 'konnect-2' }))
      t.equal(applicationOf(body.client_id).api.requestedAccessTokenVersion, 1, 'unknown again: the default')
      t.equal((await call('POST', '', v2({ konnect_auth_strategy_id: 'konnect-2' }))).status, 201)
    })
  })

  t.test('one strategy is the default; another takes its place in one step, also from the environment\'s', async t => {
    const { body: { data: [before] } } = await call('GET', '?filter[name]=default')
    t.match(before, { is_default: true, origin: 'environment', token_version: 1 })
    const refused = await call('PATCH', `/${before.id}`, { labels: { a: 'b' } })
    t.equal(refused.status, 409)
    t.match(refused.body.detail, /AZURE_TENANT_ID/)
    t.equal((await call('DELETE', `/${before.id}`)).status, 409)

    const made = await call('POST', '', v2({ name: 'new default', is_default: true }))
    t.match(made, { status: 201, body: { is_default: true } })
    t.match((await call('GET', `/${before.id}`)).body, { is_default: false })
    t.match((await audit('strategy.created')).at(-1), { name: 'new default', default_before: before.id })
    const { body } = await konnect('POST', '', konnectApplication({ client_name: 'by default', auth_strategy_id: null }))
    t.equal(applicationOf(body.client_id).api.requestedAccessTokenVersion, 2)
    t.match(await call('PATCH', `/${made.body.id}`, { is_default: false }), { status: 400, body: { invalid_parameters: [{ field: 'is_default', reason: /make another one the default/ }] } })
    t.match(await call('DELETE', `/${made.body.id}`), { status: 409, body: { detail: /make another one the default first/ } })
    t.equal((await database.query('SELECT FROM auth_strategy WHERE is_default')).rowCount, 1)

    const races = await Promise.all(Array.from({ length: 6 }, async (_, index) => await call('POST', '', v1({ name: `race ${index}`, is_default: true }))))
    t.strictSame(races.map(({ status }) => status), Array(6).fill(201))
    t.equal((await database.query('SELECT FROM auth_strategy WHERE is_default')).rowCount, 1, 'whoever comes last')
  })

  t.test('PATCH is sparse inside configs and labels; PUT replaces; both are judged as a whole', async t => {
    const { body: { id } } = await call('POST', '', v2({ name: 'changing', konnect_auth_strategy_id: 'konnect-3' }))
    const patched = await call('PATCH', `/${id}`, { labels: { team: null, tier: 'gold' }, configs: { 'openid-connect': { cache_tokens: null, leeway: 5 } } })
    t.match(patched, { status: 200, body: { labels: { tier: 'gold' }, configs: { 'openid-connect': { leeway: 5, credential_claim: ['azp'] } }, konnect_auth_strategy_id: 'konnect-3' } })
    t.notOk('cache_tokens' in patched.body.configs['openid-connect'])
    t.strictSame(patched.body.labels, { tier: 'gold' })
    t.match((await audit('strategy.changed')).at(-1), { strategy: id, changed: ['extraConfig', 'labels'] })

    const refused = await call('PATCH', `/${id}`, { configs: { 'openid-connect': { credential_claim: ['appid'] } }, audience: 'api://orders' })
    t.equal(refused.status, 400)
    t.strictSame(refused.body.invalid_parameters.map(({ field }: { field: string }) => field), ['configs.openid-connect.credential_claim', 'audience'])
    t.match((await call('GET', `/${id}`)).body, { audience: api })

    const replaced = await call('PUT', `/${id}`, v1({ name: 'replaced' }))
    t.match(replaced, { status: 200, body: { id, name: 'replaced', token_version: 1, display_name: null, konnect_auth_strategy_id: null, resource_app_id: null, labels: {} } })
    t.equal((await call('PUT', `/${id}`, v1({ name: 'replaced', dcr_provider_id: randomUUID() }))).status, 400, 'it stays with its provider')
    t.equal((await call('DELETE', `/${id}`)).status, 204)
    t.equal((await database.query('SELECT FROM auth_strategy WHERE id = $1', [id])).rowCount, 0, 'nobody refers to it')
    t.match((await audit('strategy.deleted')).at(-1), { strategy: id, name: 'replaced' })
  })

  t.test('what is wrong is refused with the reason, what is taken with the one that has it', async t => {
    const keyAuth = await call('POST', '', { name: 'k', strategy_type: 'key_auth', configs: { 'key-auth': { key_names: ['apikey'] } } })
    t.match(keyAuth, { status: 400, body: { invalid_parameters: [{ field: 'strategy_type', rule: 'enum', reason: /Konnect makes the keys itself/, choices: ['openid_connect'] }] } })
    t.match(await call('POST', '', { ...v1({ name: 'x' }), tokenVersion: 1 }), { status: 400, body: { invalid_parameters: [{ field: 'tokenVersion', rule: 'unknown_property' }] } })
    t.match(await call('POST', '', v1({ name: 'x', dcr_provider_id: randomUUID() })), { status: 400, body: { invalid_parameters: [{ field: 'dcr_provider_id' }] } })
    t.match(await call('POST', '', v1({ name: 'x', labels: { 'konnect-a': 'b' } })), { status: 400 })
    t.match(await call('POST', '', v1({ name: 'x', audience: '00000003-0000-0000-c000-000000000000' })), { status: 400, body: { invalid_parameters: [{ field: 'audience', reason: /Microsoft Graph only/ }] } })

    const holder = await call('POST', '', v1({ name: 'holder', konnect_auth_strategy_id: 'taken' }))
    const taken = await call('POST', '', v1({ name: 'x', konnect_auth_strategy_id: 'taken' }))
    t.equal(taken.status, 409)
    t.match(taken.body.detail, `linked with the strategy [holder] already: [${holder.body.id}]`)
    t.match(await call('POST', '', v1({ name: 'holder' })), { status: 409, body: { detail: /of the name \[holder\] already/ } })
    t.equal((await call('GET', `/${randomUUID()}`)).status, 404)
  })

  t.test('lists are filtered, sorted and paged', async t => {
    for (const name of ['list b', 'list a', 'list c']) await call('POST', '', v1({ name, konnect_auth_strategy_id: name, labels: { list: 'yes' } }))
    const names = async (query: string) => (await call('GET', query)).body.data.map(({ name }: { name: string }) => name)
    t.strictSame(await names('?filter[labels.list]=yes&sort=name'), ['list a', 'list b', 'list c'])
    t.strictSame(await names('?filter[labels.list]=yes&sort=name desc&page[size]=2'), ['list c', 'list b'])
    t.strictSame(await names('?filter[name][contains]=LIST&filter[konnect_auth_strategy_id]=list b'), ['list b'])
    t.strictSame(await names('?filter[strategy_type]=key_auth'), [])
    t.equal((await names('?filter[strategy_type]=openid_connect&filter[dcr_provider_name]=default&page[size]=100')).length, (await call('GET', '')).body.meta.page.total)
    const first = (await call('GET', '?filter[labels.list]=yes&sort=name&page[size]=2')).body
    const next = await request(`${operationsUrl}${first.meta.page.next}`, 'GET', undefined, { authorization: `Bearer ${OPERATOR_KEY}` })
    t.match(next.body.data, [{ name: 'list c' }])
    t.match(await call('GET', '?filter[issuer]=x'), { status: 400, body: { invalid_parameters: [{ field: 'filter[issuer]', rule: 'unknown_property' }] } })
  })

  t.test('the JSON for Konnect has Konnect\'s members only, and the audience in the words of Kong\'s plugin', async t => {
    const { body: { id } } = await call('POST', '', v1({ name: 'for Konnect', labels: { team: 'orders' } }))
    const { body } = await call('GET', `/${id}/konnect?dcr_provider_id=${tenantId}`)
    t.strictSame(Object.keys(body).sort(), ['configs', 'dcr_provider_id', 'display_name', 'labels', 'name', 'strategy_type'])
    t.match(body, { display_name: 'for Konnect', dcr_provider_id: tenantId, configs: { 'openid-connect': { audience_required: ['api://orders'], token_post_args_values: ['api://orders'] } } })
    t.notOk('dcr_provider_id' in (await call('GET', `/${id}/konnect`)).body)
    const { configs, ...rest } = body
    t.equal((await call('POST', '', { ...rest, dcr_provider_id: null, name: 'round trip', configs })).status, 201, 'what is posted to Konnect is accepted here too')
  })
})

t.test('an operator of one provider sees and touches its strategies only', async t => {
  const records = await createRecords(t)
  const sales = await records.addProvider('sales')
  const { prisma, close } = openDatabase({ connectionString: records.database.url, maxConnections: 2 })
  t.teardown(close)
  const strategies = createStrategies(createStrategyStore(prisma), async () => {})
  const of = async (providerId: string | null, scopes: string[]) =>
    await createServer(t, { records: { reader: records.reader, strategies }, caller: { ...operator, providerId, scopes } })
  const [everything, bound, reader] = [await of(null, ['read', 'admin']), await of(sales, ['read', 'admin']), await of(null, ['read'])]
  const { data } = (await everything.inject({ url: `/v2${PATH}`, headers: authorized })).json<{ data: Array<{ id: string, dcr_provider_id: string }> }>()
  t.equal(data.length, 2)
  const other = data.find(({ dcr_provider_id: providerId }) => providerId !== sales)
  const own = data.find(({ dcr_provider_id: providerId }) => providerId === sales)
  const statusOf = async (server: typeof bound, method: 'GET' | 'PATCH' | 'DELETE' | 'PUT' | 'POST', path: string, payload?: object) =>
    (await server.inject({ method, url: `/v2${PATH}${path}`, headers: authorized, ...(payload === undefined ? {} : { payload }) })).statusCode
  const seen = (await bound.inject({ url: `/v2${PATH}?filter[id]=${other?.id}`, headers: authorized })).json<{ data: unknown[], meta: { page: { total: number } } }>()
  t.strictSame([seen.data, seen.meta.page.total], [[], 0])
  const document = { name: 'x', strategy_type: 'openid_connect', configs: { 'openid-connect': { issuer: 'https://issuer.test/a/b', credential_claim: ['azp'], scopes: [], auth_methods: ['bearer'] } }, token_version: 2 }
  for (const [method, path, payload] of [
    ['GET', `/${other?.id}`], ['GET', `/${other?.id}/konnect`], ['PATCH', `/${other?.id}`, {}], ['PUT', `/${other?.id}`, document], ['DELETE', `/${other?.id}`]
  ] as const) t.equal(await statusOf(bound, method, path, payload), 404, `${method} ${path}`)
  t.equal(await statusOf(bound, 'GET', `/${own?.id}`), 200)
  t.equal(await statusOf(bound, 'POST', '', { ...document, dcr_provider_id: other?.dcr_provider_id }), 400, 'a provider he can\'t see is none')
  const made = await bound.inject({ method: 'POST', url: `/v2${PATH}`, headers: authorized, payload: document })
  t.match([made.statusCode, made.json()], [201, { dcr_provider_id: sales, token_version: 2 }])
  for (const [method, path, payload] of [['POST', '', document], ['PATCH', `/${own?.id}`, {}], ['PUT', `/${own?.id}`, document], ['DELETE', `/${own?.id}`]] as const) {
    t.equal(await statusOf(reader, method, path, payload), 403, `${method} needs the scope admin`)
  }
})
