// What was written is not visible everywhere at once, and sometimes disappears again.
import t from 'tap'
import { collection, createIfMissing, registeredClient, simulateTenant } from './simulated-tenant.ts'

t.test('a new application answers 404 by id and alternate key until it has replicated, while the upsert knows it', async t => {
  const { upsert, graph, pass } = await simulateTenant(t, { lag: { readDelayMs: 5_000 } })
  const { body } = await upsert('dcr-1', { displayName: 'Orders' })
  for (const path of [`/applications/${body['id']}`, "/applications(uniqueName='dcr-1')", `/applications(appId='${body['appId']}')`]) {
    t.match(await graph('GET', path), { status: 404, body: { error: { code: 'Request_ResourceNotFound' } } }, path)
  }
  t.equal((await graph('POST', `/applications/${body['id']}/addPassword`, { body: {} })).status, 404)
  t.equal((await upsert('dcr-1', { displayName: 'Orders' })).status, 204)
  pass(5_000)
  t.equal((await graph('GET', `/applications/${body['id']}`)).status, 200)
})

t.test('a list shows a new application later than a point read', async t => {
  const { upsert, graph, pass } = await simulateTenant(t, { lag: { listDelayMs: 5_000 } })
  const { body } = await upsert('dcr-1', { displayName: 'Orders' })
  const listed = async () => collection(await graph('GET', "/applications?$filter=uniqueName eq 'dcr-1'")).length
  t.equal((await graph('GET', `/applications/${body['id']}`)).status, 200)
  t.equal(await listed(), 0)
  pass(5_000)
  t.equal(await listed(), 1)
})

t.test('a principal is refused while its application replicates, in either of the two known ways', async t => {
  const { simulator, upsert, graph, pass } = await simulateTenant(t, { lag: { principalDelayMs: 5_000 } })
  const { body: { appId } } = await upsert('dcr-1', { displayName: 'Orders' })
  const create = () => graph('PATCH', `/servicePrincipals(appId='${appId}')`, { body: {}, headers: createIfMissing })
  t.match(await create(), { status: 400, body: { error: { details: [{ code: 'NoBackingApplicationObject' }] } } })
  simulator.control.lag({ principalRefusal: 'denied' })
  t.match(await create(), { status: 403, body: { error: { code: 'Authorization_RequestDenied', message: /backing application/ } } })
  pass(5_000)
  t.equal((await create()).status, 201)
})

t.test('the token endpoint learns of an application and its principal with a delay, and forgets them with one', async t => {
  const tenant = await simulateTenant(t, { lag: { tokenDelayMs: 5_000, tokenLingerMs: 5_000 } })
  const { objectId, clientId, clientSecret } = await registeredClient(tenant)
  const signIn = () => tenant.token('v1', { client_id: clientId, client_secret: clientSecret, resource: 'api://gateway-v1' })
  t.match(await signIn(), { status: 400, body: { error: 'unauthorized_client', error_codes: [700016] } })
  tenant.pass(5_000)
  t.equal((await signIn()).status, 200)
  await tenant.graph('DELETE', `/applications/${objectId}`)
  tenant.pass(4_999)
  t.equal((await signIn()).status, 200)
  tenant.pass(1)
  t.match(await signIn(), { status: 400, body: { error_codes: [700016] } })
})

t.test('reads go backwards: every second read shows what was true before', async t => {
  const tenant = await simulateTenant(t, { lag: { staleReadMs: 30_000 } })
  const { objectId } = await registeredClient(tenant)
  tenant.pass(60_000)
  await tenant.graph('POST', `/applications/${objectId}/addPassword`, { body: {} })
  const count = async () => collection(await tenant.graph('GET', `/applications/${objectId}`), 'passwordCredentials').length
  t.same([await count(), await count(), await count(), await count()], [2, 1, 2, 1])
  tenant.pass(30_000)
  t.same([await count(), await count()], [2, 2])
})

t.test('two writes to one object close together are a concurrency violation, to two objects they are not', async t => {
  const tenant = await simulateTenant(t)
  const [first, second] = [await registeredClient(tenant, 'dcr-1'), await registeredClient(tenant, 'dcr-2')]
  tenant.pass(60_000)
  tenant.simulator.control.lag({ concurrencyWindowMs: 1_000 })
  const add = (objectId: string) => tenant.graph('POST', `/applications/${objectId}/addPassword`, { body: {} })
  t.equal((await add(first.objectId)).status, 200)
  t.equal((await add(second.objectId)).status, 200)
  t.match(await add(first.objectId), { status: 409, body: { error: { code: 'Directory_ConcurrencyViolation' } } })
  tenant.pass(1_000)
  t.equal((await add(first.objectId)).status, 200)
})
