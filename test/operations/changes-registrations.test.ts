// What an operator does to one registration: labels and owner, off and on, a new secret, the end, a push, and its audit.
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { konnectApplication, OPERATOR_KEY, request, startTestBroker, type TestBroker } from '../support/broker.ts'
import { secretWorks } from '../support/entra-truth.ts'
import { eventually } from '../support/eventually.ts'

interface Made { id: string, clientId: string, secret: string }

const operatorOf = ({ operationsUrl }: TestBroker) => async (method: string, path: string, body?: unknown, key = OPERATOR_KEY) =>
  await request(`${operationsUrl}/v2/registrations${path}`, method, body, { authorization: `Bearer ${key}` })

async function made ({ konnect, database }: TestBroker, name = 'Orders'): Promise<Made> {
  const { body: { client_id: clientId, client_secret: secret } } = await konnect('POST', '', konnectApplication({ client_name: name }))
  const { rows } = await database.query<{ id: string }>('SELECT id FROM registration WHERE client_id = $1', [clientId])
  return { id: rows[0]?.id ?? '', clientId, secret }
}

const fact = async ({ database }: TestBroker, id: string, columns: string): Promise<Record<string, unknown>> =>
  (await database.query(`SELECT ${columns} FROM registration WHERE id = $1`, [id])).rows[0] as Record<string, unknown>

t.test('operators change registrations', async t => {
  const broker = await startTestBroker(t, { environment: { RESUME_SCAN_MS: '100', SWEEP_INTERVAL_MS: '100' } })
  const { simulator, konnect, database, logLines } = broker
  const operator = operatorOf(broker)

  await t.test('labels are set and taken away one by one, the owner as a whole, and Entra hears nothing of it', async t => {
    const { id } = await made(broker)
    simulator.control.journal.clear()
    const first = await operator('PATCH', `/${id}`, { labels: { team: 'blue', env: 'test' }, owner: 'ada@example.com' })
    t.match(first, { status: 200, body: { id, labels: { team: 'blue', env: 'test' }, owner: 'ada@example.com', state: 'active' } })
    const second = await operator('PATCH', `/${id}`, { labels: { team: null, env: 'live' } })
    t.strictSame([second.body.labels, second.body.owner], [{ env: 'live' }, 'ada@example.com'])
    t.equal((await operator('PATCH', `/${id}`, { owner: null })).body.owner, null)
    t.equal((await operator('GET', '?filter[labels.env]=live')).body.data.length, 1)
    t.strictSame(simulator.control.journal.entries(), [])
    for (const body of [{}, { state: 'deleted' }, { labels: { konnect: 'x' } }, { owner: '' }]) {
      t.match(await operator('PATCH', `/${id}`, body), { status: 400, body: { invalid_parameters: [{ source: 'body' }] } }, JSON.stringify(body))
    }
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`label${index}`, 'x']))
    t.match(await operator('PATCH', `/${id}`, { labels: many }), { status: 400, body: { detail: /at most 50 labels/ } })
    t.strictSame((await operator('GET', `/${id}`)).body.labels, { env: 'live' })
  })

  await t.test('labels survive the work that was under way when they were set', async t => {
    const { id, clientId } = await made(broker)
    const update = konnect('POST', `/${clientId}/event-hook`, { event_type: 'update_application', application_name: 'Renamed' })
    const [changed] = await Promise.all([operator('PATCH', `/${id}`, { labels: { kept: 'yes' } }), update])
    t.equal(changed.status, 200)
    t.match((await operator('GET', `/${id}`)).body, { client_name: 'Renamed', labels: { kept: 'yes' } })
  })

  await t.test('a disabled client gets no tokens until it is enabled; expiry leaves it alone, and Konnect can still delete it', async t => {
    const { id, clientId, secret } = await made(broker)
    t.ok(await secretWorks(simulator, clientId, secret))
    for (const again of [false, true]) {
      t.match(await operator('POST', `/${id}/disable`), { status: 200, body: { state: 'disabled', disabled_by: 'operator' } }, `again: ${again}`)
      t.notOk(await secretWorks(simulator, clientId, secret))
    }
    t.equal((await konnect('POST', `/${clientId}/new-secret`)).status, 403)
    t.equal((await operator('POST', `/${id}/rotate`)).status, 403)
    await database.query("UPDATE registration SET disabled_at = now() - interval '1000 days' WHERE id = $1", [id])
    for (const again of [false, true]) {
      t.match(await operator('POST', `/${id}/enable`), { status: 200, body: { state: 'active', disabled_by: null, disabled_at: null } }, `again: ${again}`)
      t.ok(await secretWorks(simulator, clientId, secret))
    }
    await operator('POST', `/${id}/disable`)
    t.equal((await konnect('DELETE', `/${clientId}`)).status, 204)
    t.match(await operator('POST', `/${id}/enable`), { status: 409, body: { detail: 'The registration is deleted.' } })
  })

  await t.test('what expiry has disabled an operator keeps by disabling it, or enables', async t => {
    const [kept, enabled] = [await made(broker), await made(broker)]
    const [{ id: policyId }] = (await database.query<{ id: string }>('SELECT id FROM policy')).rows as [{ id: string }]
    await database.query('UPDATE policy SET rules = \'{"expiry": {"afterDays": 100, "countedFrom": "registration", "graceDays": 30}}\'')
    await database.query("UPDATE registration SET policy_id = $1, activated_at = now() - interval '110 days' WHERE id = ANY($2)", [policyId, [kept.id, enabled.id]])
    await eventually('expiry has disabled both', async () =>
      (await database.query("SELECT FROM registration WHERE disabled_by = 'expiry' AND NOT applied_enabled AND lease_until IS NULL AND id = ANY($1)", [[kept.id, enabled.id]])).rowCount === 2)
    t.match((await operator('POST', `/${kept.id}/disable`)).body, { state: 'disabled', disabled_by: 'operator' })
    t.match((await operator('POST', `/${enabled.id}/enable`)).body, { state: 'active' })
    await database.query("UPDATE registration SET disabled_at = now() - interval '60 days' WHERE id = $1", [kept.id])
    const victim = await made(broker)
    await database.query('UPDATE registration SET policy_id = $1, state = \'disabled\', disabled_by = \'expiry\', disabled_at = now() - interval \'60 days\' WHERE id = $2', [policyId, victim.id])
    await eventually('expiry has run', async () => (await fact(broker, victim.id, 'state')).state === 'deleted')
    t.equal((await operator('GET', `/${kept.id}`)).body.state, 'disabled')
    t.equal((await operator('GET', `/${enabled.id}`)).body.state, 'active')
    await database.query("UPDATE policy SET rules = '{}'")
  })

  await t.test('a new secret is shown once and in no log, and the older one ends', async t => {
    const { id, clientId, secret } = await made(broker)
    const { status, body } = await operator('POST', `/${id}/rotate`)
    t.equal(status, 200)
    t.match(body, { id, client_id: clientId, secret_id: /^[0-9a-f-]{36}$/, expires_at: /Z$/ })
    t.ok(await secretWorks(simulator, clientId, body.client_secret))
    await eventually('the older secret ends', async () => !await secretWorks(simulator, clientId, secret))
    const shown = JSON.stringify((await operator('GET', `/${id}`)).body) + JSON.stringify((await operator('GET', `/${id}/audit`)).body)
    t.notMatch(shown + logLines.join('\n'), body.client_secret)
    t.match(shown, body.secret_id)
  })

  await t.test('an ended registration is gone for its client at once, and from Entra for good when that is asked for', async t => {
    const [soft, purged] = [await made(broker), await made(broker)]
    const deletedItems = () => simulator.control.state().deletedItems as Array<{ appId: string }>
    for (const again of [false, true]) t.equal((await operator('DELETE', `/${soft.id}`)).status, 204, `again: ${again}`)
    t.ok(deletedItems().some(({ appId }) => appId === soft.clientId))
    t.equal((await konnect('GET', `/${soft.clientId}/secrets`)).status, 404)
    t.equal((await operator('DELETE', `/${purged.id}?purge=true`)).status, 204)
    t.equal((await operator('DELETE', `/${soft.id}?purge=true`)).status, 204, 'what was deleted is purged later')
    t.strictSame(deletedItems().filter(({ appId }) => [soft.clientId, purged.clientId].includes(appId)), [])
    t.equal((await operator('GET', `/${purged.id}`)).body.state, 'deleted')
    t.equal((await operator('DELETE', `/${purged.id}?purge=maybe`)).status, 400)
  })

  await t.test('a wish to purge outlives a Graph that refuses', async t => {
    const { id, clientId } = await made(broker)
    simulator.control.faults.add({ match: { method: 'DELETE', path: '/applications/', times: 'always' }, action: { type: 'status', status: 403 } })
    t.equal((await operator('DELETE', `/${id}?purge=true`)).status, 502)
    simulator.control.faults.clear()
    await eventually('the background has ended and purged it', async () =>
      (await fact(broker, id, 'state, purge_at')).state === 'deleted' && (await fact(broker, id, 'purge_at')).purge_at === null)
    const { applications, deletedItems } = simulator.control.state()
    t.notMatch(JSON.stringify([applications, deletedItems]), clientId)
  })

  await t.test('a stuck registration goes on when it is resumed', async t => {
    const { id } = await made(broker)
    await database.query(`UPDATE registration SET desired_revision = desired_revision + 1, attempts = 9, last_fault = 'throttled',
      due_at = now() + interval '1 hour', lease_until = NULL WHERE id = $1`, [id])
    t.match(await operator('POST', `/${id}/resume`), { status: 200, body: { id, state: 'active' } })
    await eventually('its change is sent', async () => (await fact(broker, id, 'desired_revision = applied_revision AS sent')).sent === true)
    t.match(await fact(broker, id, 'attempts, last_fault'), { attempts: 0, last_fault: null })
    t.equal((await operator('POST', `/${id}/resume`)).status, 200, 'with nothing to do nothing happens')
  })

  await t.test('what has ended or drifted is not claimed for work that only a living client has', async t => {
    const rotated = async () => {
      const client = await made(broker)
      t.equal((await operator('POST', `/${client.id}/rotate`)).status, 200)
      return client.id
    }
    const [ended, drifted] = [await rotated(), await rotated()]
    t.equal((await operator('DELETE', `/${ended}?purge=true`)).status, 204)
    // Their later looks at passwords are over, and so are all sweeps.
    await database.query("UPDATE credential SET state = 'revoking', revoke_after = now() - interval '1 second' WHERE registration_id = $1", [drifted])
    await database.query("UPDATE registration SET state = 'drifted' WHERE id = $1", [drifted])
    await database.query(`UPDATE registration SET stray_check_at = now() - interval '1 second', sweeps = 100, due_at = now(), lease_until = NULL, lease_token = lease_token + 1
      WHERE id = ANY($1)`, [[ended, drifted]])
    await eventually('nobody is waited for', async () =>
      (await database.query('SELECT FROM registration WHERE due_at IS NULL AND lease_until IS NULL AND id = ANY($1)', [[ended, drifted]])).rowCount === 2)
  })

  await t.test('F26 one that has drifted stays so until somebody restores it in Entra', async t => {
    const { id, clientId } = await made(broker)
    const { objectId } = await fact(broker, id, 'object_id AS "objectId"') as { objectId: string }
    await database.query("UPDATE registration SET state = 'drifted', object_id = $2 WHERE id = $1", [id, randomUUID()])
    t.match(await operator('POST', `/${id}/resume`), { status: 409, body: { detail: /Restore it in Entra/ } })
    t.equal((await operator('POST', `/${id}/disable`)).status, 409)
    await database.query('UPDATE registration SET object_id = $2 WHERE id = $1', [id, objectId])
    t.match(await operator('POST', `/${id}/resume`), { status: 200, body: { state: 'active' } })
    t.equal((await konnect('GET', `/${clientId}/secrets`)).status, 200)
  })

  await t.test('its view says what Konnect has linked, and its audit who did what, by pages', async t => {
    const { id, clientId } = await made(broker)
    const hook = async (type: string, product: string) =>
      await konnect('POST', `/${clientId}/event-hook`, { event_type: type, api_id: product, application_id: 'app-1', audience: `aud-${product}` })
    await hook('add_registration', 'one')
    await hook('add_registration', 'two')
    await hook('remove_registration', 'one')
    const { body } = await operator('GET', `/${id}`)
    t.match(body.links, [{ product_id: 'two', application_id: 'app-1', audience: 'aud-two', since: /Z$/ }])
    t.equal(body.links.length, 1)
    await operator('PATCH', `/${id}`, { owner: 'ada' })
    const newest = await operator('GET', `/${id}/audit?page[size]=2`)
    t.match(newest, { status: 200, body: { data: [{ action: 'registration.described', outcome: 'succeeded', detail: { owner: 'ada' } }, {}], meta: { page: { size: 2 } } } })
    const next = await request(`${broker.operationsUrl}${newest.body.meta.page.next}`, 'GET', undefined, { authorization: `Bearer ${OPERATOR_KEY}` })
    t.equal(next.status, 200)
    const all = await operator('GET', `/${id}/audit?sort=at&page[size]=100`)
    t.equal(all.body.data[0].action, 'registration.reserved')
    t.equal(all.body.meta.page.total, all.body.data.length)
    t.equal((await operator('GET', `/${id}/audit?filter[action]=registration.activated`)).body.data.length, 1)
  })

  await t.test('what is not there, or of another provider, is 404 for every operation; a key without the scope is 403', async t => {
    const { id } = await made(broker)
    const calls = [
      ['PATCH', '', { owner: 'x' }], ['DELETE', ''], ['POST', '/rotate'], ['POST', '/disable'], ['POST', '/enable'], ['POST', '/resume'], ['GET', '/audit']
    ] as const
    const before = await fact(broker, id, 'state, labels, owner, desired_revision')
    for (const [method, path, body] of calls) t.equal((await operator(method, `/${randomUUID()}${path}`, body)).status, 404, `${method} ${path}`)
    // The only operator is bound to another provider.
    const otherId = randomUUID()
    await database.query(`INSERT INTO provider (id, name, origin, issuer, tenant_id, initial_client_id)
      SELECT $1, 'other', 'database', issuer, gen_random_uuid(), initial_client_id FROM provider LIMIT 1`, [otherId])
    await database.query("UPDATE caller SET provider_id = $1 WHERE kind = 'operator'", [otherId])
    await eventually('the broker has seen it', async () => (await operator('GET', '')).body.data.length === 0)
    for (const [method, path, body] of calls) t.equal((await operator(method, `/${id}${path}`, body)).status, 404, `${method} ${path}`)
    await database.query("UPDATE caller SET provider_id = NULL, scopes = '{}' WHERE kind = 'operator'")
    await eventually('the broker has seen it', async () => (await operator('GET', '')).status === 403)
    for (const [method, path, body] of calls) t.equal((await operator(method, `/${id}${path}`, body)).status, 403, `${method} ${path}`)
    t.strictSame(await fact(broker, id, 'state, labels, owner, desired_revision'), before)
  })
})
