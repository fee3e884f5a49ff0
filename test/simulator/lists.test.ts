// $filter, $select, $top, @odata.nextLink and $count, as far as Graph supports them on applications.
import t from 'tap'
import { collection, registeredClient, simulateTenant } from './simulated-tenant.ts'
import type { SimulatedTenant } from './simulated-tenant.ts'

/** Twelve applications, dcr-00 to dcr-11; the even ones are tagged `even`. */
async function furnish ({ upsert }: SimulatedTenant): Promise<void> {
  for (let number = 0; number < 12; number++) {
    const name = `dcr-${String(number).padStart(2, '0')}`
    await upsert(name, { displayName: `Client ${name}`, tags: ['dcr-broker', number % 2 === 0 ? 'even' : 'odd'] })
  }
}

const eventual = { consistencylevel: 'eventual' }

t.test('filters find by key, name, beginning of a name, tag, and their combinations', async t => {
  const tenant = await simulateTenant(t)
  await furnish(tenant)
  const found = async (filter: string) => {
    const answer = await tenant.graph('GET', `/applications?$filter=${encodeURIComponent(filter)}&$select=uniqueName`)
    t.equal(answer.status, 200, filter)
    return collection(answer).map(application => application['uniqueName'])
  }
  const [first] = collection(await tenant.graph('GET', "/applications?$filter=uniqueName eq 'dcr-03'&$select=appId"))
  t.same(await found(`appId eq '${first?.['appId']}'`), ['dcr-03'])
  t.same(await found("displayName eq 'client DCR-07'"), ['dcr-07'], 'without regard to case')
  t.same(await found("startsWith(displayName,'Client dcr-1')"), ['dcr-10', 'dcr-11'])
  t.same(await found("tags/any(t:t eq 'odd') and startsWith(displayName, 'Client dcr-0')"), ['dcr-01', 'dcr-03', 'dcr-05', 'dcr-07', 'dcr-09'])
  t.same(await found("uniqueName eq 'dcr-02' or (tags/any(x:startsWith(x,'ev')) and displayName eq 'Client dcr-04')"), ['dcr-02', 'dcr-04'])
  t.same(await found("uniqueName eq 'dcr-02' and tags/any(t:t eq 'odd')"), [], 'an indexed part does not outweigh the rest')
  t.same(await found("displayName eq 'it''s not there'"), [])
})

t.test('ne, not and endsWith need ConsistencyLevel and $count', async t => {
  const tenant = await simulateTenant(t)
  await furnish(tenant)
  for (const filter of ["displayName ne 'x'", "not tags/any(t:t eq 'odd')", "endsWith(displayName,'-11')"]) {
    const refused = await tenant.graph('GET', `/applications?$filter=${filter}`)
    t.match(refused, { status: 400, body: { error: { code: 'Request_UnsupportedQuery', message: /ConsistencyLevel:eventual/ } } }, filter)
  }
  const answer = await tenant.graph('GET', "/applications?$count=true&$filter=endsWith(displayName,'-11')&$select=uniqueName", { headers: eventual })
  t.match(answer, { status: 200, body: { '@odata.count': 1, value: [{ uniqueName: 'dcr-11' }] } })
})

t.test('what cannot be filtered, selected or asked at all is a 400', async t => {
  const { graph } = await simulateTenant(t)
  const queries = ['$filter=notes eq null', "$filter=displayName eq 'x", '$filter=displayName', '$filter=displayName like 1', '$select=nothing',
    '$top=0', '$top=1000', '$skip=5', '$orderby=displayName', '$skiptoken=nonsense', '$top=1&$top=2', "$filter=constructor eq 'x'"]
  for (const query of queries) {
    t.equal((await graph('GET', `/applications?${query}`)).status, 400, query)
  }
})

t.test('pages follow each other by nextLink until every object was seen once, also when one is deleted in between', async t => {
  const tenant = await simulateTenant(t)
  await furnish(tenant)
  const seen: unknown[] = []
  let path: string | null = "/applications?$filter=tags/any(t:t eq 'dcr-broker')&$select=id,uniqueName&$top=5"
  while (path !== null) {
    const answer = await tenant.graph('GET', path)
    const page = collection(answer)
    t.ok(page.length <= 5)
    seen.push(...page.map(application => application['uniqueName']))
    await tenant.graph('DELETE', `/applications/${page[0]?.['id']}`)
    const next = answer.body['@odata.nextLink']
    if (typeof next === 'string') t.ok(next.startsWith(tenant.simulator.url), 'the link stays on this host')
    path = typeof next === 'string' ? next.slice(`${tenant.simulator.url}/v1.0`.length) : null
  }
  t.same(seen, Array.from({ length: 12 }, (_, number) => `dcr-${String(number).padStart(2, '0')}`))
})

t.test('$select answers only what it names, and the context says so', async t => {
  const tenant = await simulateTenant(t)
  const { objectId } = await registeredClient(tenant)
  const { body } = await tenant.graph('GET', `/applications/${objectId}?$select=id,DisplayName`)
  t.same(Object.keys(body), ['@odata.context', 'id', 'displayName'])
  t.match(body['@odata.context'], /\$metadata#applications\(id,DisplayName\)\/\$entity$/)
})

t.test('principals are found by appId', async t => {
  const tenant = await simulateTenant(t)
  const { clientId, principalId } = await registeredClient(tenant)
  t.match(await tenant.graph('GET', `/servicePrincipals?$filter=appId eq '${clientId}'`), { status: 200, body: { value: [{ id: principalId }] } })
})
