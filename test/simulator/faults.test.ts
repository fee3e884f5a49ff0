// Faults spoil requests on demand, before they are applied or after; the journal tells what was asked, without secrets.
import t from 'tap'
import { registeredClient, simulateTenant } from './simulated-tenant.ts'

t.test('a status fault catches one request with its body and headers, then lets the next one through', async t => {
  const { simulator, graph, upsert } = await simulateTenant(t)
  simulator.control.faults.add({
    match: { method: 'PATCH', path: '/applications\\(' },
    action: { type: 'status', status: 429, body: { error: { code: 'TooManyRequests' } }, headers: { 'retry-after': '3' } }
  })
  const refused = await upsert('dcr-1', { displayName: 'Orders' })
  t.match(refused, { status: 429, body: { error: { code: 'TooManyRequests' } } })
  t.equal(refused.headers.get('retry-after'), '3')
  t.equal((await graph('GET', "/applications(uniqueName='dcr-1')")).status, 404, 'nothing was applied')
  t.equal((await upsert('dcr-1', { displayName: 'Orders' })).status, 201)
})

t.test('a reset after the request leaves its caller without an answer and the directory changed', async t => {
  const { simulator, graph, upsert } = await simulateTenant(t)
  simulator.control.faults.add({ match: { method: 'PATCH' }, action: { type: 'reset' }, when: 'after' })
  await t.rejects(upsert('dcr-1', { displayName: 'Orders' }), TypeError)
  t.equal((await graph('GET', "/applications(uniqueName='dcr-1')")).status, 200)
  t.match(simulator.control.journal.entries({ method: 'PATCH' }), [{ status: null, faultId: 1, body: { displayName: 'Orders' } }])
})

t.test('a reset before the request leaves the directory as it was', async t => {
  const { simulator, graph, upsert } = await simulateTenant(t)
  simulator.control.faults.add({ match: { method: 'PATCH' }, action: { type: 'reset' } })
  await t.rejects(upsert('dcr-1', { displayName: 'Orders' }), TypeError)
  t.equal((await graph('GET', "/applications(uniqueName='dcr-1')")).status, 404)
})

t.test('a hanging request ends when its caller gives up, and does not keep the simulator from closing', async t => {
  const { simulator } = await simulateTenant(t)
  const { faults } = simulator.control
  const keys = `${simulator.url}/${simulator.tenantId}/discovery/keys`
  const everyFaultCaught = async () => {
    while (faults.armed().length > 0) await new Promise(resolve => setImmediate(resolve))
  }
  const patience = new AbortController()
  faults.add({ match: {}, action: { type: 'hang' }, when: 'after' })
  const abandoned = t.rejects(fetch(keys, { signal: patience.signal }), { name: 'AbortError' })
  await everyFaultCaught()
  patience.abort()
  await abandoned
  faults.add({ match: {}, action: { type: 'hang' } })
  const hanging = t.rejects(fetch(keys), TypeError)
  await everyFaultCaught()
  await simulator.close()
  await hanging
})

t.test('an HTML page, a truncated body and a delay come as asked', async t => {
  const { simulator, graph } = await simulateTenant(t)
  const { faults } = simulator.control
  faults.add({ match: {}, action: { type: 'html', status: 503 } })
  const page = await fetch(`${simulator.url}/v1.0/applications`)
  t.equal(page.status, 503)
  t.match(page.headers.get('content-type'), /^text\/html/)
  t.match(await page.text(), /^<html>/)
  faults.add({ match: {}, action: { type: 'truncate' }, when: 'after' })
  await t.rejects(graph('GET', '/applications'), TypeError)
  faults.add({ match: {}, action: { type: 'delay', ms: 30 } })
  const startedMs = performance.now()
  t.equal((await graph('GET', '/applications')).status, 200)
  t.ok(performance.now() - startedMs >= 29)
})

t.test('skip lets requests pass first, times catches several, and clear disarms', async t => {
  const { simulator, graph } = await simulateTenant(t)
  const statuses = async (count: number) => {
    const seen: number[] = []
    for (let asked = 0; asked < count; asked++) seen.push((await graph('GET', '/applications')).status)
    return seen
  }
  simulator.control.faults.add({ match: { skip: 1, times: 2 }, action: { type: 'status', status: 500, body: {} } })
  t.same(await statuses(4), [200, 500, 500, 200])
  const id = simulator.control.faults.add({ match: { times: 'always' }, action: { type: 'status', status: 500, body: {} } })
  t.same(await statuses(3), [500, 500, 500])
  simulator.control.faults.clear(id)
  t.same(await statuses(1), [200])
})

t.test('the journal holds every request with its ids and status, and no secret', async t => {
  const tenant = await simulateTenant(t)
  const { control, broker } = tenant.simulator
  const { clientId, clientSecret } = await registeredClient(tenant)
  const clientRequestId = 'c0ffee00-0000-4000-8000-000000000000'
  const answer = await tenant.graph('GET', '/applications?$top=1', { headers: { 'client-request-id': clientRequestId } })
  t.equal(answer.headers.get('client-request-id'), clientRequestId)
  await tenant.token('v1', { client_id: clientId, client_secret: clientSecret, resource: 'api://gateway-v1' })
  const entries = control.journal.entries()
  t.match(entries.find(entry => entry.clientRequestId === clientRequestId), {
    method: 'GET', path: '/v1.0/applications?$top=1', status: 200, requestId: answer.headers.get('request-id') ?? 'none', at: '2026-03-01T12:00:00.000Z'
  })
  t.match(entries.at(-1)?.body, { client_id: clientId, client_secret: '[removed]' })
  const written = JSON.stringify(entries)
  t.notOk(written.includes(clientSecret) || written.includes(broker.clientSecret))
  control.journal.clear()
  control.journal.enabled = false
  await tenant.graph('GET', '/applications')
  t.same(control.journal.entries(), [])
})

t.test('a write limit answers 429 with Retry-After and the throttle headers, and refills with time', async t => {
  const tenant = await simulateTenant(t)
  tenant.simulator.control.policy({ writesPerPeriod: 3 })
  const statuses: number[] = []
  for (const name of ['a', 'b', 'c', 'd']) statuses.push((await tenant.upsert(name, { displayName: name })).status)
  t.same(statuses, [201, 201, 201, 429])
  const refused = await tenant.upsert('e', { displayName: 'e' })
  t.match(refused, { status: 429, body: { error: { code: 'TooManyRequests' } } })
  t.match(refused.headers.get('x-ms-throttle-scope'), /^Tenant_Application\/ReadWrite\//)
  t.equal((await tenant.graph('GET', '/applications')).status, 200, 'reads go on')
  tenant.pass(Number(refused.headers.get('retry-after')) * 1000)
  t.equal((await tenant.upsert('e', { displayName: 'e' })).status, 201)
})
