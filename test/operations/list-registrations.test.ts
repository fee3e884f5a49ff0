// An operator finds registrations: filters, sorts, pages.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { PageBody } from '../../src/http/operations/listing/pages.ts'
import type { RegistrationSummaryBody } from '../../src/http/operations/registrations/schemas.ts'
import { authorized, createRecords, createServer, operator } from './operations-server.ts'

t.test('a list shows each registration in snake_case with its provider and its Entra side, and no secret', async t => {
  const records = await createRecords(t)
  const server = await createServer(t, { records })
  const registration = await records.add({ clientName: 'Weather', change: { applicationId: 'app-1' } })
  const { data, meta } = await list(server)
  t.equal(data.length, 1)
  t.match(data[0], {
    id: registration.id,
    client_id: registration.clientId,
    client_name: 'Weather',
    state: 'active',
    provider: 'default',
    surface: 'konnect',
    delivery: 'pending',
    application_id: 'app-1',
    redirect_uris: ['https://app.test/callback'],
    token_endpoint_auth_method: 'client_secret_post',
    entra: { object_id: registration.objectId, platforms: { web: ['https://app.test/callback'], public_client: [], spa: [] }, desired_revision: 1, applied_revision: 1 },
    ended_at: null
  })
  t.same(meta, { page: { size: 10, number: 1, total: 1, next: null } })
  t.notOk('credentials' in (data[0] ?? {}))
})

t.test('each filter keeps what it names', async t => {
  const records = await createRecords(t)
  const server = await createServer(t, { records })
  await records.addProvider('other')
  const [first, second, third] = [
    await records.add({ clientName: 'Alpha 100%', createdAt: new Date('2026-01-01T00:00:00Z') }),
    await records.add({ clientName: 'Beta_1', provider: 'other', createdAt: new Date('2026-02-01T00:00:00Z'), change: { state: 'drifted' } }),
    await records.add({ clientName: 'gamma', createdAt: new Date('2026-03-01T00:00:00Z'), change: { state: 'undone', clientId: null, applicationId: 'k1' } })
  ]
  const cases: Array<[filter: Record<string, string>, found: string[]]> = [
    [{ 'filter[id]': first.id }, ['Alpha 100%']],
    [{ 'filter[id][oeq]': `${first.id},${third.id}` }, ['gamma', 'Alpha 100%']],
    [{ 'filter[id][neq]': first.id }, ['gamma', 'Beta_1']],
    [{ 'filter[client_id][eq]': second.clientId ?? '' }, ['Beta_1']],
    [{ 'filter[client_id][neq]': second.clientId ?? '' }, ['gamma', 'Alpha 100%']],
    [{ 'filter[client_id]': '' }, ['Beta_1', 'Alpha 100%']],
    [{ 'filter[client_name]': 'gamma' }, ['gamma']],
    [{ 'filter[client_name][eq]': 'GAMMA' }, []],
    [{ 'filter[client_name][neq]': 'gamma' }, ['Beta_1', 'Alpha 100%']],
    [{ 'filter[client_name][oeq]': 'gamma,Beta_1' }, ['gamma', 'Beta_1']],
    [{ 'filter[client_name][contains]': 'ALPHA' }, ['Alpha 100%']],
    [{ 'filter[client_name][contains]': '%' }, ['Alpha 100%']],
    [{ 'filter[client_name][contains]': '_' }, ['Beta_1']],
    [{ 'filter[client_name][contains]': '\\' }, []],
    [{ 'filter[client_name][ocontains]': 'amm,alp' }, ['gamma', 'Alpha 100%']],
    [{ 'filter[state][eq]': 'drifted' }, ['Beta_1']],
    [{ 'filter[state][oeq]': 'drifted,undone' }, ['gamma', 'Beta_1']],
    [{ 'filter[state][neq]': 'active' }, ['gamma', 'Beta_1']],
    [{ 'filter[provider]': 'other' }, ['Beta_1']],
    [{ 'filter[provider][oeq]': 'other,default' }, ['gamma', 'Beta_1', 'Alpha 100%']],
    [{ 'filter[delivery]': 'delivered' }, []],
    [{ 'filter[application_id]': 'k1' }, ['gamma']],
    [{ 'filter[application_id]': '' }, ['gamma']],
    [{ 'filter[created_at][lt]': '2026-02-01T00:00:00Z' }, ['Alpha 100%']],
    [{ 'filter[created_at][lte]': '2026-02-01T01:00:00+01:00' }, ['Beta_1', 'Alpha 100%']],
    [{ 'filter[created_at][gt]': '2026-02-01T00:00:00.000Z' }, ['gamma']],
    [{ 'filter[created_at][gte]': '2026-02-01T00:00:00Z', 'filter[state][neq]': 'undone' }, ['Beta_1']]
  ]
  for (const [filter, found] of cases) {
    const { data, meta } = await list(server, filter)
    t.same(data.map(each => each.client_name), found, JSON.stringify(filter))
    t.equal(meta.page.total, found.length)
  }
})

t.test('a list is sorted by the field that is asked for, newest first without a wish', async t => {
  const records = await createRecords(t)
  const server = await createServer(t, { records })
  for (const [clientName, createdAt] of [['b', '2026-01-02'], ['a', '2026-01-03'], ['c', '2026-01-01']] as const) {
    await records.add({ clientName, createdAt: new Date(createdAt) })
  }
  const namesBy = async (sort?: string) => (await list(server, sort === undefined ? {} : { sort })).data.map(each => each.client_name).join('')
  t.equal(await namesBy(), 'abc')
  t.equal(await namesBy('created_at'), 'cba')
  t.equal(await namesBy('client_name'), 'abc')
  t.equal(await namesBy('client_name asc'), 'abc')
  t.equal(await namesBy('client_name desc'), 'cba')
  t.equal(await namesBy('updated_at desc'), 'cab')
})

for (const sort of ['created_at desc', 'created_at', 'updated_at desc', 'client_name', 'client_name desc']) {
  t.test(`following the next page by ${sort} gives every registration once, among equal values too`, async t => {
    const records = await createRecords(t)
    const server = await createServer(t, { records })
    const createdAt = new Date('2026-01-01T00:00:00.123Z')
    for (let index = 0; index < 7; index++) await records.add({ clientName: index < 4 ? 'same' : `name ${index}`, createdAt })
    const whole = (await list(server, { sort })).data.map(each => each.id)
    const walked = await walk(server, { sort, 'page[size]': '2' })
    t.equal(whole.length, 7)
    t.same(walked, whole)
  })
}

t.test('a cursor keeps its place when registrations are added in front of it', async t => {
  const records = await createRecords(t)
  for (const day of [1, 2, 3, 4]) await records.add({ clientName: `day ${day}`, createdAt: new Date(Date.UTC(2026, 0, day)) })
  const server = await createServer(t, { records })
  const first = await list(server, { 'page[size]': '2' })
  await records.add({ clientName: 'day 9', createdAt: new Date(Date.UTC(2026, 0, 9)) })
  const second = (await server.inject({ url: first.meta.page.next ?? '', headers: authorized })).json<PageBody<RegistrationSummaryBody>>()
  t.same(second.data.map(each => each.client_name), ['day 2', 'day 1'])
  t.notOk('number' in second.meta.page)
  t.equal(second.meta.page.total, 5)
})

t.test('an operator of one provider sees nothing of another', async t => {
  const records = await createRecords(t)
  const providerId = await records.addProvider('other')
  await records.add({ clientName: 'hidden' })
  const shown = await records.add({ clientName: 'shown', provider: 'other' })
  const server = await createServer(t, { records, caller: { ...operator, providerId } })
  const { data, meta } = (await server.inject({ url: '/v2/registrations', headers: authorized })).json<PageBody<RegistrationSummaryBody>>()
  t.same(data.map(each => each.id), [shown.id])
  t.equal(meta.page.total, 1)
})

t.test('a service sees what it registered itself, a Konnect key what its provider\'s keys did on the bridge', async t => {
  const records = await createRecords(t)
  const callerId = randomUUID()
  const own = await records.add({ surface: 'register', callerId })
  const bridged = await records.add()
  const { providerId } = own
  const seenBy = async (kind: 'service' | 'konnect') => {
    const query = { filters: [], sort: { field: 'createdAt', descending: true }, size: 10, start: { number: 1 } } as const
    const page = await records.reader.list(query, { ...operator, id: callerId, kind, providerId })
    return page.rows.map(each => each.id)
  }
  t.same(await seenBy('service'), [own.id])
  t.same(await seenBy('konnect'), [bridged.id])
  await t.rejects(records.reader.show(bridged.id, { ...operator, id: callerId, kind: 'service', providerId }), { code: 'unknown_client' })
})

async function list (server: FastifyInstance, query: Record<string, string> = {}): Promise<PageBody<RegistrationSummaryBody>> {
  const response = await server.inject({ url: '/v2/registrations', query, headers: authorized })
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json()
}

async function walk (server: FastifyInstance, query: Record<string, string>): Promise<string[]> {
  const found: string[] = []
  let url: string | null = `/v2/registrations?${new URLSearchParams(query).toString()}`
  while (url !== null) {
    const page: PageBody<RegistrationSummaryBody> = (await server.inject({ url, headers: authorized })).json()
    found.push(...page.data.map(each => each.id))
    url = page.meta.page.next
  }
  return found
}

t.test('labels are compared one by one; a registration without the label is not equal to any value', async t => {
  const records = await createRecords(t)
  const server = await createServer(t, { records })
  const add = async (labels: Record<string, string>): Promise<string> => (await records.add({ change: { labels, owner: labels.team ?? null } })).id
  const [blue = '', red = '', plain = ''] = [await add({ team: 'blue', env: 'test' }), await add({ team: 'red' }), await add({})]
  const found = async (filter: string) => (await list(server, Object.fromEntries(new URLSearchParams(filter)))).data.map(each => each.id).sort()
  t.same(await found('filter[labels.team][eq]=blue'), [blue])
  t.same(await found('filter[labels.team]=blue&filter[labels.env]=test'), [blue])
  t.same(await found('filter[labels.team][oeq]=blue,red'), [blue, red].sort())
  t.same(await found('filter[labels.team][neq]=blue'), [red, plain].sort())
  t.same(await found('filter[labels.team]'), [blue, red].sort())
  t.same(await found('filter[owner][contains]=RE'), [red])
})
