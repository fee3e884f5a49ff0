// Keys and tokens: what is none (S1), what becomes of one that has leaked (S2), who learns nothing by trying (S16), and events that
// anybody could have sent (S19).
import { randomUUID } from 'node:crypto'
import t from 'tap'
import { commandLine } from '../../src/administration/operator.ts'
import { callersIn } from '../../src/cli/callers.ts'
import type { MintedKind } from '../../src/administration/callers-port.ts'
import { createRegistrationStore } from '../../src/store/registration-store.ts'
import { openDatabase, type Database } from '../../src/store/prisma-client.ts'
import { digestOfToken } from '../../src/vault/tokens.ts'
import { ownedBy, SECOND_PROVIDER, startPreparedBroker, webClient } from '../register/prepared-broker.ts'
import { KONNECT_KEY, konnectApplication, OPERATOR_KEY, request, SECOND_KONNECT_KEY, type Answer } from '../support/broker.ts'
import { eventually } from '../support/eventually.ts'
import { searchLeaks } from '../support/leak-search.ts'

t.test('keys and tokens', async t => {
  const broker = await startPreparedBroker(t, { secondProvider: true })
  const { url, operationsUrl, simulator, database, logLines, konnect, register, manage } = broker
  const operations = async (method: string, path: string, body?: unknown) =>
    await request(`${operationsUrl}/v2${path}`, method, body, { authorization: `Bearer ${OPERATOR_KEY}` })
  const create = async (headers: Record<string, string>, body: unknown = konnectApplication(), path = ''): Promise<Answer> =>
    await request(`${url}/konnect${path}`, 'POST', body, headers)
  const { prisma, run, close } = openDatabase({ connectionString: database.url, maxConnections: 2 })
  t.teardown(close)
  const mint = async (name: string, scopes: string[], kind: MintedKind = 'konnect', providerName = 'default') =>
    await callersIn(prisma).create({ kind, name, providerName, scopes, policyName: null, maxRegistrations: null, expiry: null }, commandLine, null)

  await t.test('S1 what is no key of Konnect is 401 before anything else is looked at, and makes nothing', async t => {
    const cases: Array<[string, Promise<Answer>]> = [
      ['no key', create({})],
      ['an empty key', create({ 'x-api-key': '' })],
      ['a space', create({ 'x-api-key': ' ' })],
      ['another key', create({ 'x-api-key': `${KONNECT_KEY}x` })],
      ['the beginning of the key', create({ 'x-api-key': KONNECT_KEY.slice(0, -1) })],
      ['the key in other letters', create({ 'x-api-key': KONNECT_KEY.toUpperCase() })],
      ['both keys in one header', create({ 'x-api-key': `${KONNECT_KEY}, ${SECOND_KONNECT_KEY}` })],
      ['a very long key', create({ 'x-api-key': 'a'.repeat(8_000) })],
      ['a very long key that begins as the right one', create({ 'x-api-key': KONNECT_KEY.padEnd(8_000, 'a') })],
      ['an operator\'s key', create({ 'x-api-key': OPERATOR_KEY })],
      ['the key as a bearer token', create({ authorization: `Bearer ${KONNECT_KEY}` })],
      ['the key in the query', create({}, konnectApplication(), `?x-api-key=${KONNECT_KEY}&api_key=${KONNECT_KEY}`)],
      ['the key in the body', create({}, { ...konnectApplication(), 'x-api-key': KONNECT_KEY })],
      ['the key as a cookie', create({ cookie: `x-api-key=${KONNECT_KEY}` })],
      ['a body that is no JSON', create({}, '{{{')],
      ['a body that is too large', create({}, { client_name: 'x'.repeat(300_000) })],
      ['an unknown route', create({}, {}, '/a/b/c/d')]
    ]
    for (const [name, answer] of cases) {
      const { status, body } = await answer
      t.strictSame([status, body.error], [401, 'unauthorized'], name)
    }
    t.equal((await database.query('SELECT 1 FROM registration')).rowCount, 0)
    t.equal(simulator.control.journal.entries({ path: '/v1.0/' }).length, 0)
    const shown = new Map([['key', KONNECT_KEY], ['second key', SECOND_KONNECT_KEY], ['operator key', OPERATOR_KEY]])
    t.strictSame(searchLeaks(shown, [{ name: 'log', bytes: Buffer.from(logLines.join('\n')) }]), [], 'no key is in the log')
  })

  await t.test('S2 of two keys that are valid at once each manages what the other has made', async t => {
    const { body } = await konnect('POST', '', konnectApplication())
    const second = { 'x-api-key': SECOND_KONNECT_KEY }
    t.equal((await konnect('GET', `/${body.client_id}/secrets`, undefined, second)).status, 200)
    t.equal((await konnect('DELETE', `/${body.client_id}`, undefined, second)).status, 204)
  })

  await t.test('S2 a key that has leaked did no more than its scopes, shows when it was used, and is refused without a restart', async t => {
    const { token, caller: { id } } = await mint('leaked', ['read'])
    const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
    const leaked = { 'x-api-key': token }
    t.equal((await konnect('GET', `/${clientId}/secrets`, undefined, leaked)).status, 200)
    t.equal((await create(leaked)).status, 403)
    t.equal((await konnect('POST', `/${clientId}/new-secret`, undefined, leaked)).status, 403)
    t.equal((await konnect('DELETE', `/${clientId}`, undefined, leaked)).status, 403)
    t.type(await eventually('its use is noted', async () => (await operations('GET', `/callers/${id}`)).body.last_used_at), 'string')

    t.equal((await operations('DELETE', `/callers/${id}`)).status, 204)
    t.equal((await konnect('GET', `/${clientId}/secrets`, undefined, leaked)).status, 401)
    t.equal((await konnect('GET', `/${clientId}/secrets`)).status, 200, 'the other key works on')
    const { body: { data } } = await operations('GET', '/audit-events?filter[action]=caller.revoked')
    t.match(data, [{ action: 'caller.revoked', source_address: '127.0.0.1' }])
  })

  await t.test('S2 a key of the environment that has leaked is revoked without a restart, and the one beside it goes on', async t => {
    const { body: { data: [configured] } } = await operations('GET', '/callers?filter[name]=KONNECT_API_KEYS[1]')
    t.equal((await operations('DELETE', `/callers/${configured.id}`)).status, 204)
    t.equal((await create({ 'x-api-key': SECOND_KONNECT_KEY })).status, 401)
    t.equal((await create({ 'x-api-key': KONNECT_KEY })).status, 201)
  })

  await t.test('S16 whoever tries management tokens can\'t tell a client that is there from one that is not', async t => {
    const client = ownedBy(await register(webClient()))
    const strange = ownedBy(await register(webClient({ client_name: 'Another' })))
    const unknown = client.uri.replace(client.id, randomUUID())
    const tries = [[client.uri, 'dcr_rat_made_up'], [client.uri, strange.token], [unknown, 'dcr_rat_made_up'], [unknown, client.token], [`${url}/register/x`, client.token]] as const
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answers = await Promise.all(tries.map(async ([uri, token]) => await manage(method, uri, token, method === 'PUT' ? {} : undefined)))
      const seen = answers.map(({ status, body, headers }) => JSON.stringify([
        status, body, [...headers].filter(([name]) => !['x-request-id', 'date'].includes(name)).sort()
      ]))
      t.strictSame([...new Set(seen)], seen.slice(0, 1), `${method}: one answer`)
      t.equal(answers[0]?.status, 401)
    }
    t.equal((await manage('GET', client.uri, client.token)).status, 200, 'positive control')

    const statements: string[] = []
    const times = { leaseMs: 15_000, attemptTimeoutMs: 3_000, redeliveryWindowMs: 120_000 }
    const store = createRegistrationStore(watched({ prisma, run }, statements), times, () => performance.now())
    const { rows: [row] } = await database.query<{ id: string }>('SELECT provider_id AS id FROM registration WHERE client_id = $1', [client.id])
    const work = async (clientId: string, token: string) => {
      statements.length = 0
      const found = await store.findHeld(row?.id ?? '', clientId, digestOfToken(token))
      return { isFound: found !== null, statements: [...statements] }
    }
    const [wrong, nobody] = [await work(client.id, 'dcr_rat_made_up'), await work(randomUUID(), client.token)]
    t.strictSame(wrong, { isFound: false, statements: ['run'] })
    t.strictSame(nobody, wrong, 'the same work')
    t.match(await work(client.id, client.token), { isFound: true })
  })

  await t.test('S19 an event that nobody with a key of the client\'s provider has sent changes nothing', async t => {
    const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication({ client_name: 'Before' }))
    const event = { event_type: 'update_application', client_id: clientId, application_id: randomUUID(), application_name: 'forged', redirect_uris: ['https://evil.example/cb'] }
    const forgers: Array<[name: string, headers: Record<string, string>, status: number]> = [
      ['nobody', {}, 401],
      ['a wrong key', { 'x-api-key': 'dcr_knk_made_up' }, 401],
      ['an operator', { 'x-api-key': OPERATOR_KEY, authorization: `Bearer ${OPERATOR_KEY}` }, 401],
      ['a key that may only read', { 'x-api-key': (await mint('reader', ['read'])).token }, 403],
      ['a key of another provider', { 'x-api-key': (await mint('foreign', ['register'], 'konnect', SECOND_PROVIDER)).token }, 404]
    ]
    for (const [name, headers, status] of forgers) t.equal((await create(headers, event, `/${clientId}/event-hook`)).status, status, name)
    t.equal((await konnect('POST', `/${clientId}/event-hook`, { ...event, client_id: randomUUID() })).status, 400, 'about another client than it is sent to')
    const { rows } = await database.query('SELECT display_name, desired_revision, application_id FROM registration WHERE client_id = $1', [clientId])
    t.match(rows, [{ display_name: /Before/, desired_revision: 1, application_id: null }])
    t.equal((await database.query('SELECT 1 FROM registration_event')).rowCount, 0)
  })

  await t.test('S19 an event that is sent again is recorded once, and an update that is sent again is sent to Entra once', async t => {
    const { body: { client_id: clientId } } = await konnect('POST', '', konnectApplication())
    const hook = async (changes: object) => (await konnect('POST', `/${clientId}/event-hook`, { client_id: clientId, application_id: 'a', ...changes })).status
    const added = { event_type: 'add_registration', api_product_version_id: 'p' }
    const updated = { event_type: 'update_application', application_name: 'Renamed' }
    for (let times = 0; times < 3; times++) t.strictSame([await hook(added), await hook(updated)], [200, 200])
    t.equal((await database.query("SELECT 1 FROM registration_event WHERE type = 'add_registration'")).rowCount, 1)
    t.match((await database.query('SELECT desired_revision FROM registration WHERE client_id = $1', [clientId])).rows, [{ desired_revision: 2 }])
  })
})

/** Notes what is asked of the database. */
function watched ({ prisma, run }: Pick<Database, 'prisma' | 'run'>, statements: string[]): Pick<Database, 'prisma' | 'run'> {
  const watchedPrisma = new Proxy(prisma, {
    get (target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof name === 'string' && (name.startsWith('$') || name === 'registration')) statements.push(name)
      return typeof member === 'function' ? member.bind(target) : member
    }
  })
  const watchedRun: typeof run = async statement => {
    statements.push('run')
    return await run(statement)
  }
  return { prisma: watchedPrisma, run: watchedRun }
}
