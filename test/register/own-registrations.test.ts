// /v2/registrations on the public listener: a service sees and touches what it has registered itself, as far as its scopes go.
import t, { type Test } from 'tap'
import { konnectApplication, OPERATOR_KEY, KONNECT_KEY, request, type Answer } from '../support/broker.ts'
import { SECOND_PROVIDER, nativeClient, ownedBy, serviceClient, startPreparedBroker, tokenOutcome } from './prepared-broker.ts'

const EVERYTHING = ['register', 'read', 'rotate', 'delete']
const AUDIENCE = 'api://dcr-broker'

function isProblem (t: Test, { status, headers, body }: Answer, expected: number, name: string): void {
  t.equal(status, expected, name)
  t.match(headers.get('content-type'), /^application\/problem\+json/, name)
  t.match(body, { status: expected, title: /\S/, detail: /\S/, instance: /^dcr-broker:trace:/ }, name)
}

t.test('own registrations', async t => {
  const broker = await startPreparedBroker(t, { secondProvider: true, environment: { REGISTER_TOKEN_AUDIENCE: AUDIENCE } })
  const { url, register, simulator, konnect, database } = broker
  const mint = async (changes: Parameters<typeof broker.mint>[0]) => await broker.mint({ kind: 'service', ...changes })
  const own = async (token: string | null, method: string, path = '', body?: unknown, base = url): Promise<Answer> =>
    await request(`${base}/v2/registrations${path}`, method, body, token === null ? {} : { authorization: `Bearer ${token}` })

  await t.test('a service lists, shows, labels, rotates and ends its own clients', async t => {
    const { token } = await mint({ scopes: EVERYTHING })
    const client = ownedBy(await register(serviceClient(), token))
    const { status, body: { data, meta } } = await own(token, 'GET', `?filter[client_id]=${client.id}`)
    t.strictSame([status, data.length, meta.page.total], [200, 1, 1])
    const [{ id }] = data
    t.match((await own(token, 'GET', `/${id}`)).body, { id, client_id: client.id, surface: 'register', state: 'active', credentials: [{ state: 'active' }], links: [] })
    t.match(await own(token, 'PATCH', `/${id}`, { labels: { team: 'blue' } }), { status: 200, body: { labels: { team: 'blue' } } })
    const rotated = await own(token, 'POST', `/${id}/rotate`)
    t.match(rotated, { status: 200, body: { id, client_id: client.id } })
    t.equal(await tokenOutcome(simulator, { id: client.id, secret: rotated.body.client_secret }), 'ok')
    t.equal((await own(token, 'DELETE', `/${id}`)).status, 204)
    t.equal((await own(token, 'GET', `/${id}`)).body.state, 'deleted')
    t.strictSame(simulator.control.state().applications.filter(one => (one as { appId: string }).appId === client.id), [])
  })

  await t.test('a service with an Entra access token sees its own too, and rotates once an operator has given it the scope', async t => {
    simulator.control.addResource({ displayName: 'DCR Broker API', identifierUris: [AUDIENCE], appRoles: ['Registration.Create'] })
    const portal = simulator.control.addClient('Portal')
    simulator.control.assignRole(portal.clientId, AUDIENCE, 'Registration.Create')
    const form = { grant_type: 'client_credentials', client_id: portal.clientId, client_secret: portal.clientSecret, scope: `${AUDIENCE}/.default` }
    const answer = await fetch(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`, { method: 'POST', body: new URLSearchParams(form) })
    const { access_token: token } = await answer.json() as { access_token: string }
    const client = ownedBy(await register(serviceClient(), token))
    const { body: { data } } = await own(token, 'GET')
    t.match(data, [{ client_id: client.id }])
    t.equal((await own(token, 'GET', `/${data[0].id}`)).status, 200)
    isProblem(t, await own(token, 'POST', `/${data[0].id}/rotate`), 403, 'no scope')
    await database.query("UPDATE caller SET scopes = scopes || '{rotate}' WHERE kind = 'service'")
    t.equal((await own(token, 'POST', `/${data[0].id}/rotate`)).status, 200)
  })

  await t.test('what belongs to another caller, to Konnect or to another provider does not exist for it', async t => {
    const [mine, other] = [await mint({ scopes: EVERYTHING }), await mint({ scopes: EVERYTHING })]
    await register(nativeClient(), other.token)
    await konnect('POST', '', konnectApplication())
    const foreign = (await database.query<{ id: string }>('SELECT id FROM registration')).rows.map(({ id }) => id)
    t.ok(foreign.length >= 2)
    const before = (await database.query('SELECT id, state, labels, desired_revision, lease_token FROM registration ORDER BY id')).rows
    t.match(await own(mine.token, 'GET'), { status: 200, body: { data: [], meta: { page: { total: 0 } } } })
    for (const id of foreign) {
      for (const [method, path, body] of [['GET', ''], ['PATCH', '', { labels: { a: 'b' } }], ['POST', '/rotate'], ['DELETE', '']] as const) {
        isProblem(t, await own(mine.token, method, `/${id}${path}`, body), 404, `${method} ${path}`)
      }
    }
    t.strictSame((await database.query('SELECT id, state, labels, desired_revision, lease_token FROM registration ORDER BY id')).rows, before)
  })

  await t.test('each operation needs its scope, and the owner of a client is for operators to say', async t => {
    const full = await mint({ scopes: EVERYTHING })
    await register(nativeClient(), full.token)
    const id = (await own(full.token, 'GET')).body.data[0].id
    const operations = { register: ['PATCH', '', { labels: { a: 'b' } }], read: ['GET', ''], rotate: ['POST', '/rotate'], delete: ['DELETE', ''] } as const
    for (const [scope, [method, path, body]] of Object.entries(operations)) {
      const { token } = await mint({ scopes: EVERYTHING.filter(other => other !== scope) })
      const refused = await own(token, method, `/${id}${path}`, body)
      isProblem(t, refused, 403, scope)
      t.match(refused.headers.get('www-authenticate'), `error="insufficient_scope", scope="${scope}"`)
    }
    isProblem(t, await own(full.token, 'PATCH', `/${id}`, { owner: 'me' }), 400, 'owner')
    isProblem(t, await own(full.token, 'DELETE', `/${id}?purge=true`), 400, 'purge')
    isProblem(t, await own(full.token, 'POST', `/${id}/rotate`), 400, 'a client without secrets')
  })

  await t.test('without a token, with an unknown one, or with the key of somebody else it is 401; what operators have is not there', async t => {
    for (const token of [null, 'dcr_iat_unknown', KONNECT_KEY, OPERATOR_KEY]) {
      const refused = await own(token, 'GET')
      isProblem(t, refused, 401, String(token))
      t.match(refused.headers.get('www-authenticate'), /^Bearer realm="dcr-broker"/)
    }
    const { token } = await mint({ scopes: EVERYTHING })
    await register(nativeClient(), token)
    const id = (await own(token, 'GET')).body.data[0].id
    for (const [method, path, status] of [
      ['POST', '/disable', 404], ['POST', '/enable', 404], ['POST', '/resume', 404], ['GET', '/audit', 404], ['PUT', '', 405]
    ] as const) isProblem(t, await own(token, method, `/${id}${path}`), status, `${method} ${path}`)
    for (const [method, path, status] of [['GET', '/export', 400], ['POST', '/import', 405], ['POST', '', 405]] as const) {
      isProblem(t, await own(token, method, path), status, `${method} ${path}`)
    }
    isProblem(t, await request(`${url}/v2/adoptions`, 'GET', undefined, { authorization: `Bearer ${token}` }), 404, 'adoptions')
  })

  await t.test('every provider has an address of its own', async t => {
    const at = `${url}/t/${SECOND_PROVIDER}`
    const [first, second] = [await mint({ scopes: EVERYTHING }), await mint({ scopes: EVERYTHING, providerName: SECOND_PROVIDER })]
    await register(nativeClient(), first.token)
    const { body: { data: [{ id }] } } = await own(first.token, 'GET')
    t.equal((await own(second.token, 'GET', '', undefined, at)).status, 200)
    isProblem(t, await own(first.token, 'GET', '', undefined, at), 401, 'a token of the default provider')
    isProblem(t, await own(second.token, 'GET'), 401, 'a token of the second provider')
    isProblem(t, await own(second.token, 'GET', `/${id}`, undefined, at), 404, 'a registration of the default provider')
    for (const name of ['default', 'nobody']) isProblem(t, await own(first.token, 'GET', '', undefined, `${url}/t/${name}`), 404, name)
  })

  await t.test('pages lead on under the address that was asked', async t => {
    const { token } = await mint({ scopes: EVERYTHING, providerName: SECOND_PROVIDER })
    const at = `${url}/t/${SECOND_PROVIDER}`
    const caller = (await database.query<{ id: string, provider_id: string }>('SELECT id, provider_id FROM caller ORDER BY created_at DESC LIMIT 1')).rows[0]
    await database.query(`INSERT INTO registration (id, provider_id, strategy_id, caller_id, surface, state, metadata, client_name, display_name, access_token_version,
        tags, web_redirect_uris, public_redirect_uris, spa_redirect_uris)
      SELECT gen_random_uuid(), $1::uuid, s.id, $2::uuid, 'register', 'deleted', '{"clientName": "x", "description": null, "redirectUris": [], "grantTypes": [], "scopes": [], "tokenEndpointAuthMethod": "none"}', 'x', 'x', 1,
        '{}', '{}', '{}', '{}'
      FROM auth_strategy s, generate_series(1, 3) WHERE s.provider_id = $1::uuid`, [caller?.provider_id, caller?.id])
    const first = await own(token, 'GET', '?page[size]=2', undefined, at)
    t.equal(first.status, 200, JSON.stringify(broker.logLines.slice(-4)))
    t.equal(first.body.data.length, 2)
    t.match(first.body.meta.page.next, `/t/${SECOND_PROVIDER}/v2/registrations?`)
    const next = await request(`${url}${first.body.meta.page.next}`, 'GET', undefined, { authorization: `Bearer ${token}` })
    t.equal(next.body.data.length, 1)
    t.equal(next.body.meta.page.next, null)
  })
})
